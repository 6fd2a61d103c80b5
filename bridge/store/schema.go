package store

import (
	"embed"
	"errors"
	"fmt"
)

// ErrNewer means that the file was written by a newer version of kontur-ari: this one must not
// touch it.
var ErrNewer = errors.New("the store was written by a newer version of kontur-ari: install that version again, or move the file away to begin a new one")

//go:embed migrations
var migrationFiles embed.FS

// migrations bring a store forward, one version each: the number of the last is the current
// version. A migration that has been released is never edited.
var migrations = readMigrations()

func readMigrations() (texts []string) {
	for {
		text, err := migrationFiles.ReadFile(fmt.Sprintf("migrations/%d.sql", len(texts)+1))
		if err != nil {
			return texts
		}
		texts = append(texts, string(text))
	}
}
