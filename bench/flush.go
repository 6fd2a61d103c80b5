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
	// log grows before it starts again. Within it nothing but the data changes, which
	// is the least that a disk can be asked for: a file that grows flushes at two
	// thirds of the rate or less.
	flushSpan = 4 << 20
)

// flushRate is how often a second the disk flushes.
func flushRate(directory string, lasting time.Duration) (float64, error) {
	times, err := flushes(directory, lasting, 0)
	var total time.Duration
	for _, took := range times {
		total += took
	}
	return float64(len(times)) / total.Seconds(), err
}

// flushes writes a page and flushes it, again and again with a pause, and returns how
// long each time took.
func flushes(directory string, lasting, pause time.Duration) (times []time.Duration, err error) {
	file, err := os.OpenFile(filepath.Join(directory, "flushed"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("measuring how fast the disk flushes: %w", err)
	}
	defer func() { _ = file.Close() }()
	if _, err := file.WriteAt(make([]byte, flushSpan), 0); err != nil {
		return nil, fmt.Errorf("measuring how fast the disk flushes: %w", err)
	}
	if err := file.Sync(); err != nil {
		return nil, fmt.Errorf("measuring how fast the disk flushes: %w", err)
	}
	page := make([]byte, flushed)
	for began := now(); now()-began < moment(lasting); time.Sleep(pause) {
		last := now()
		page[0] = byte(len(times))
		if _, err := file.WriteAt(page, int64(len(times))*flushed%flushSpan); err != nil {
			return nil, fmt.Errorf("measuring how fast the disk flushes: %w", err)
		}
		if err := syscall.Fdatasync(int(file.Fd())); err != nil {
			return nil, fmt.Errorf("measuring how fast the disk flushes: %w", err)
		}
		times = append(times, time.Duration(now()-last))
	}
	return times, nil
}
