package rescue

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

// Damage says how a file was damaged and replaced by a new one.
type Damage struct {
	Found time.Time
	// Cause is what was wrong with the file.
	Cause error
	// Aside is where the file is now, with its log beside it.
	Aside string
	// Saved counts the rows that were copied into the new file, by table.
	Saved map[string]int
	// Unreadable are the tables of which something could not be read.
	Unreadable []string
}

// What a rescue leaves beside the file. Each step is durable before the next one, so that the
// next start can finish a rescue that was broken off:
//
//	kontur-ari.db.new             the new file, being filled: of no use to anybody
//	kontur-ari.db.replaces-TIME   the new file, filled; the damaged one may still be in its place
//	kontur-ari.db.damaged-TIME    the damaged file, with -wal and -shm
const (
	newSuffix      = ".new"
	replacesSuffix = ".replaces-"
	damagedSuffix  = ".damaged-"
	stampLayout    = "20060102T150405Z"
)

// pause is the least time between two rescues of one file. A file that is damaged again at
// once comes of memory or a disk that fails, and copies of it would fill that disk.
const pause = time.Minute

// ErrAgain says that a rescue does not help.
var ErrAgain = errors.New("it was replaced within the last minute: have the disk and the memory of this machine checked")

// companions are the endings of the files that SQLite keeps, the database itself last: as long
// as that is in its place, a log without a database is one that lost it.
var companions = []string{"-wal", "-shm", ""}

// Run replaces the file, which is damaged because of cause. Where it fails, the file is in its
// place as it was, or [Finish] puts the new one there. The error matches [ErrAgain] within a
// [pause] of the last rescue.
func (p Plan) Run(ctx context.Context, cause error, now time.Time) (Damage, error) {
	damage := Damage{Found: now, Cause: cause}
	if err := p.refuseAgain(now); err != nil {
		return damage, err
	}
	stamp, err := freeStamp(p.Path, now)
	if err != nil {
		return damage, err
	}
	damage.Aside = p.Path + damagedSuffix + stamp
	if err := removeNew(p.Path); err != nil {
		return damage, err
	}
	if err := p.fill(ctx, p.Path+newSuffix, &damage); err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return damage, errors.Join(err, removeNew(p.Path))
	}
	if err := os.Rename(p.Path+newSuffix, p.Path+replacesSuffix+stamp); err != nil {
		return damage, errors.Join(fmt.Errorf("beginning a new store: %w", err), removeNew(p.Path))
	}
	_, err = Finish(p.Path, now)
	return damage, err
}

// refuseAgain fails where the last rescue is less than a pause ago.
func (p Plan) refuseAgain(now time.Time) error {
	aside, err := glob(p.Path, damagedSuffix)
	if err != nil {
		return fmt.Errorf("looking for the last rescue: %w", err)
	}
	for _, path := range aside {
		last, err := time.Parse(stampLayout, strings.TrimPrefix(path, p.Path+damagedSuffix))
		if since := now.Sub(last); err == nil && since >= 0 && since < pause {
			return ErrAgain
		}
	}
	return nil
}

// freeStamp is the time in a form that no earlier rescue has used.
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

// putInPlace moves the damaged file aside and the new one to its place. It can be repeated
// after any part of it was done. The note goes first: it is about the damaged file.
func putInPlace(path, stamp string) error {
	if err := errors.Join(syncDirectory(path), removeNote(path)); err != nil {
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

// Finish ends a rescue that another process began, and removes what one left that did not come
// that far. It must run before the file is opened.
func Finish(path string, now time.Time) (finished []Damage, err error) {
	found, err := glob(path, replacesSuffix)
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

// glob are the files whose names continue a path and a suffix.
func glob(path, suffix string) ([]string, error) {
	quoted := strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
	return filepath.Glob(quoted + suffix + "*")
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
