package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store"
)

// sqliteHeader is what every SQLite file begins with.
const sqliteHeader = "SQLite format 3\x00"

// eventFile is a capture or a store.
type eventFile struct {
	// cut: the oldest events were removed.
	cut bool
	// all visits every passage in order, around returns at least those that the
	// story of a call is in.
	all    func(ctx context.Context, visit func(passage) error) error
	around func(ctx context.Context, call bridge.CallID) ([]passage, error)
	close  func() error
}

// openEvents opens a file, whatever of the two it is.
func openEvents(ctx context.Context, path string, in io.Reader) (*eventFile, error) {
	if path == "-" {
		return captureFile(bufio.NewReader(in), path, func() error { return nil })
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%w: name a capture, or a %s", err, store.FileName)
	}
	content := bufio.NewReader(file)
	begin, err := content.Peek(len(sqliteHeader))
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, errors.Join(fmt.Errorf("%w: name a capture, or a %s", err, store.FileName), file.Close())
	}
	// A store may be too damaged to begin as one.
	if string(begin) != sqliteHeader && !strings.HasPrefix(filepath.Base(path), store.FileName) {
		return captureFile(content, path, file.Close)
	}
	if err := file.Close(); err != nil {
		return nil, err
	}
	return storeFile(ctx, path)
}

// captureFile reads a capture.
func captureFile(content *bufio.Reader, path string, closeFile func() error) (*eventFile, error) {
	if begin, _ := content.Peek(len(sqliteHeader)); string(begin) == sqliteHeader {
		return nil, errors.Join(fmt.Errorf("%s is a store, which can't be read from standard input: name its file", path), closeFile())
	}
	all := func(_ context.Context, visit func(passage) error) error {
		reader := newCaptureReader(content)
		for {
			raw, line, err := reader.next()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if _, bad := errors.AsType[*badLine](err); err != nil && !bad {
				return fmt.Errorf("%s: %w", path, err)
			}
			if err := visit(passage{where: fmt.Sprintf("line %d", line), raw: raw, err: err}); err != nil {
				return err
			}
		}
	}
	around := func(ctx context.Context, _ bridge.CallID) (passages []passage, err error) {
		err = all(ctx, func(p passage) error {
			passages = append(passages, p)
			return nil
		})
		return passages, err
	}
	return &eventFile{all: all, around: around, close: closeFile}, nil
}

// storeFile reads the journal of a store.
func storeFile(ctx context.Context, path string) (*eventFile, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("finding %s: %w", path, err)
	}
	history, err := store.OpenHistoryFile(absolute)
	if err != nil {
		return nil, fmt.Errorf("%w: name a %s, or a capture", err, store.FileName)
	}
	journal, err := history.Journal(ctx)
	if err != nil {
		return nil, errors.Join(err, history.Close())
	}
	return &eventFile{
		cut: journal.First > 1,
		all: func(ctx context.Context, visit func(passage) error) error { return readJournal(ctx, history, visit) },
		around: func(ctx context.Context, call bridge.CallID) ([]passage, error) {
			return readAround(ctx, history, call)
		},
		close: history.Close,
	}, nil
}
