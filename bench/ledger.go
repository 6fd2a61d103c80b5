package main

import (
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
)

// ledger is a file that is flushed for what a program keeps. It writes a page each time,
// whatever there is to keep, and who waits at the same time shares a flush: no program
// that keeps what it works on can do with less.
type ledger struct {
	file *os.File
	page [flushed]byte
	// asked counts those who want to keep something, kept is how many of them have.
	asked atomic.Int64
	mu    sync.Mutex
	kept  int64
	pages int64
}

// openLedger makes a file of its full length, so that a flush writes over what is there.
func openLedger(path string) (*ledger, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err == nil {
		_, err = file.WriteAt(make([]byte, flushSpan), 0)
	}
	if err == nil {
		err = file.Sync()
	}
	if err != nil {
		return nil, fmt.Errorf("making a file to flush: %w", err)
	}
	return &ledger{file: file}, nil
}

// before and after keep what a request needs kept: nothing without a ledger.
func (l *ledger) before(made directRequest) error {
	if l == nil || made.follows {
		return nil
	}
	return l.keep()
}

func (l *ledger) after() error {
	if l == nil {
		return nil
	}
	return l.keep()
}

// keep returns when a flush has ended that began after it was called.
func (l *ledger) keep() error {
	mine := l.asked.Add(1)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.kept >= mine {
		return nil
	}
	all := l.asked.Load()
	l.page[0]++
	if _, err := l.file.WriteAt(l.page[:], l.pages*flushed%flushSpan); err != nil {
		return fmt.Errorf("keeping something: %w", err)
	}
	if err := syscall.Fdatasync(int(l.file.Fd())); err != nil {
		return fmt.Errorf("keeping something: %w", err)
	}
	l.kept = all
	l.pages++
	return nil
}
