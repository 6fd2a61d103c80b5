package casebook

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

// Source is a capture or a store's journal, open for reading. A capture can be read
// once only.
type Source struct {
	// cut: the oldest events of the journal were removed.
	cut bool
	// all visits every passage in order, until visit fails.
	all func(ctx context.Context, visit func(Passage) error) error
	// around returns at least the passages that a call's story is in.
	around func(ctx context.Context, call bridge.CallID) ([]Passage, error)
	close  func() error
}

// OpenSource opens a capture or a store and detects which it is. The path "-" is a
// capture read from in. The caller closes the source.
func OpenSource(ctx context.Context, path string, in io.Reader) (*Source, error) {
	if path == "-" {
		return captureSource(bufio.NewReader(in), path, func() error { return nil })
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
	// A damaged store may lack the header, so its name counts too.
	if string(begin) != sqliteHeader && !strings.HasPrefix(filepath.Base(path), store.FileName) {
		return captureSource(content, path, file.Close)
	}
	if err := file.Close(); err != nil {
		return nil, err
	}
	return storeSource(ctx, path)
}

// Close closes the file behind the source.
func (s *Source) Close() error { return s.close() }

// captureSource reads a capture.
func captureSource(content *bufio.Reader, path string, closeFile func() error) (*Source, error) {
	if begin, _ := content.Peek(len(sqliteHeader)); string(begin) == sqliteHeader {
		return nil, errors.Join(fmt.Errorf("%s is a store, which can't be read from standard input: name its file", path), closeFile())
	}
	all := func(_ context.Context, visit func(Passage) error) error {
		reader := newCaptureReader(content)
		for {
			raw, line, err := reader.next()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if _, bad := errors.AsType[*badLineError](err); err != nil && !bad {
				return fmt.Errorf("%s: %w", path, err)
			}
			if err := visit(Passage{Where: fmt.Sprintf("line %d", line), Raw: raw, Err: err}); err != nil {
				return err
			}
		}
	}
	// A capture has no index of calls, so around returns all of it.
	around := func(ctx context.Context, _ bridge.CallID) (passages []Passage, err error) {
		err = all(ctx, func(p Passage) error {
			passages = append(passages, p)
			return nil
		})
		return passages, err
	}
	return &Source{all: all, around: around, close: closeFile}, nil
}

// storeSource reads the journal of a store.
func storeSource(ctx context.Context, path string) (*Source, error) {
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
	return &Source{
		cut: journal.First > 1,
		all: func(ctx context.Context, visit func(Passage) error) error { return readJournal(ctx, history, visit) },
		around: func(ctx context.Context, call bridge.CallID) ([]Passage, error) {
			return ReadAround(ctx, history, call)
		},
		close: history.Close,
	}, nil
}
