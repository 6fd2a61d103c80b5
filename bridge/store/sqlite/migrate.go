package sqlite

import (
	"errors"
	"fmt"

	"zombiezen.com/go/sqlite"
)

// ErrNewer means that the file has more versions behind it than [Options.Migrations] knows.
// Nothing in it was changed.
var ErrNewer = errors.New("the file is of a newer version")

// Version is how many migrations a file has behind it.
func (c *Conn) Version() (version int, err error) {
	_, err = c.First("PRAGMA user_version", func(row Row) error { return row.Scan(&version) })
	if err != nil {
		return 0, fmt.Errorf("reading the schema version: %w", err)
	}
	return version, nil
}

// Migrate brings a file forward to the last migration, each in a transaction of its own.
func Migrate(c *Conn, migrations []string) error {
	version, err := c.Version()
	if err != nil {
		return err
	}
	if version > len(migrations) {
		return fmt.Errorf("schema version %d, this program knows up to %d: %w", version, len(migrations), ErrNewer)
	}
	for ; version < len(migrations); version++ {
		if err := c.migrate(migrations[version], version+1); err != nil {
			return fmt.Errorf("migrating the store to version %d: %w", version+1, err)
		}
	}
	return nil
}

func (c *Conn) migrate(step string, version int) error {
	err := c.Exec("BEGIN IMMEDIATE")
	if err == nil {
		err = c.Script(step)
	}
	if err == nil {
		err = c.Script(fmt.Sprintf("PRAGMA user_version = %d; COMMIT", version))
	}
	if err != nil {
		// The error of the step says why. Where SQLite has rolled back by itself, this fails.
		_ = c.Exec("ROLLBACK")
		return c.orDamage(err)
	}
	return nil
}

// orDamage adds to the error of a migration that the file is damaged, where that is why. For
// SQLite a value that is not what it was is an error of the statement.
func (c *Conn) orDamage(err error) error {
	if Classify(err) != NoFault || is(err, sqlite.ResultInterrupt) {
		return err
	}
	verdict := ""
	_, checked := c.First("PRAGMA quick_check(1)", func(row Row) error { return row.Scan(&verdict) })
	if checked != nil || verdict != "ok" {
		return fmt.Errorf("%w: %s: %w", ErrDamaged, verdict, errors.Join(checked, err))
	}
	return err
}
