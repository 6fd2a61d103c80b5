package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// What a replacement leaves beside the store's file. Each step is durable before the
// next one, so that whoever finds a replacement half done can finish it:
//
//	kontur-ari.db.new             the new file, being filled: not of use to anybody
//	kontur-ari.db.replaces-TIME   the new file, filled; the damaged one may be at its place still
//	kontur-ari.db.damaged-TIME    the damaged file, with -wal and -shm
const (
	newSuffix      = ".new"
	replacesSuffix = ".replaces-"
	damagedSuffix  = ".damaged-"
	stampLayout    = "20060102T150405Z"
)

// companions are the endings of the files that SQLite keeps, the database itself last:
// as long as that is at its place, a log without it can be told from one that lost it.
var companions = []string{"-wal", "-shm", ""}

// prepareReplacement makes the file that replaces a damaged one, with what could be
// read; [finishReplacement] does the rest. When it fails nothing has changed.
func prepareReplacement(ctx context.Context, path string, cause error, now time.Time) (Damage, error) {
	damage := Damage{Found: now, Cause: cause}
	stamp, err := freeStamp(path, now)
	if err != nil {
		return damage, err
	}
	damage.Aside = path + damagedSuffix + stamp
	if err := removeNew(path); err != nil {
		return damage, err
	}
	if err := salvageInto(ctx, path, path+newSuffix, &damage); err != nil {
		return damage, errors.Join(err, removeNew(path))
	}
	if err := os.Rename(path+newSuffix, path+replacesSuffix+stamp); err != nil {
		return damage, errors.Join(fmt.Errorf("beginning a new store: %w", err), removeNew(path))
	}
	return damage, nil
}

// freeStamp is the time in a form that no earlier replacement has used.
func freeStamp(path string, now time.Time) (string, error) {
	for ; ; now = now.Add(time.Second) {
		stamp := now.UTC().Format(stampLayout)
		for _, companion := range companions {
			switch _, err := os.Lstat(path + damagedSuffix + stamp + companion); {
			case err == nil:
				stamp = ""
			case !errors.Is(err, fs.ErrNotExist):
				return "", fmt.Errorf("looking for a name to move the damaged store to: %w", err)
			}
		}
		if stamp != "" {
			return stamp, nil
		}
	}
}

// removeNew removes what was begun and not finished.
func removeNew(path string) error {
	for _, companion := range []string{"", "-journal", "-wal", "-shm"} {
		if err := os.Remove(path + newSuffix + companion); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("removing a store that was not finished: %w", err)
		}
	}
	return nil
}

// putInPlace moves the damaged file aside and the one that replaces it to its place.
// It can be repeated after any part of it was done. Connections to the damaged file stay
// of use, and leave its log alone: SQLite sees that it was moved.
func putInPlace(path, stamp string) error {
	if err := syncDirectory(path); err != nil {
		return err
	}
	for _, companion := range companions {
		err := os.Rename(path+companion, path+damagedSuffix+stamp+companion)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("moving the damaged store aside: %w", err)
		}
	}
	if err := syncDirectory(path); err != nil {
		return err
	}
	if err := os.Rename(path+replacesSuffix+stamp, path); err != nil {
		return fmt.Errorf("putting a new store in place: %w", err)
	}
	return syncDirectory(path)
}

// errUnfinished is the cause of a damage that another process has found.
var errUnfinished = errors.New("it was found by a process that ended before it could say more")

// finishReplacement puts the file in place that replaces a damaged one, also after a
// process that ended meanwhile.
func finishReplacement(path string, now time.Time) (finished []Damage, err error) {
	found, err := filepath.Glob(globQuoted(path) + replacesSuffix + "*")
	if err != nil {
		return nil, fmt.Errorf("looking for a replacement that was not finished: %w", err)
	}
	for _, file := range found {
		stamp := strings.TrimPrefix(file, path+replacesSuffix)
		if err := putInPlace(path, stamp); err != nil {
			return finished, err
		}
		finished = append(finished, Damage{Found: now, Cause: errUnfinished, Aside: path + damagedSuffix + stamp})
	}
	return finished, removeNew(path)
}

// globQuoted keeps a path from being read as a pattern.
func globQuoted(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// leastSize is less than any file that SQLite has ever finished writing to.
const leastSize = 512

var (
	errLostFile = errors.New("the file is missing, but its write-ahead log is not")
	errTooShort = errors.New("the file is empty, or almost")
)

// incomplete is what is wrong with a file that SQLite would take for a new one, and
// whose log it would delete; nil where nothing is.
func incomplete(path string) (cause, err error) {
	file, err := os.Stat(path)
	if err == nil && file.Size() < leastSize {
		return errTooShort, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	log, err := os.Stat(path + "-wal")
	if err == nil && log.Size() > 0 {
		return errLostFile, nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return nil, err
}

func syncDirectory(path string) error {
	directory, err := os.Open(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("making what was moved durable: %w", err)
	}
	if err := errors.Join(directory.Sync(), directory.Close()); err != nil {
		return fmt.Errorf("making what was moved durable: %w", err)
	}
	return nil
}
