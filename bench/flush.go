package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

const (
	// flushed is what one flush writes: a page of the database.
	flushed = 4096
	// flushSpan is the file that is written over and over, as large as a write-ahead
	// log grows before it is begun anew. Within it nothing but the data changes, which
	// is the least that a disk can be asked for: a file that grows flushes at two
	// thirds of the rate or less.
	flushSpan = 4 << 20
)

// flushRate writes a page and flushes it, again and again, and returns how often a
// second that can be done.
func flushRate(directory string, lasting time.Duration) (_ float64, err error) {
	file, err := os.OpenFile(filepath.Join(directory, "flushed"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return 0, fmt.Errorf("measuring how fast the disk flushes: %w", err)
	}
	defer func() { _ = file.Close() }()
	if _, err := file.WriteAt(make([]byte, flushSpan), 0); err != nil {
		return 0, fmt.Errorf("measuring how fast the disk flushes: %w", err)
	}
	if err := file.Sync(); err != nil {
		return 0, fmt.Errorf("measuring how fast the disk flushes: %w", err)
	}
	page := make([]byte, flushed)
	began, count := now(), 0
	for ; now()-began < moment(lasting); count++ {
		page[0] = byte(count)
		if _, err := file.WriteAt(page, int64(count)*flushed%flushSpan); err != nil {
			return 0, fmt.Errorf("measuring how fast the disk flushes: %w", err)
		}
		if err := syscall.Fdatasync(int(file.Fd())); err != nil {
			return 0, fmt.Errorf("measuring how fast the disk flushes: %w", err)
		}
	}
	return float64(count) / seconds(began, now()), nil
}
