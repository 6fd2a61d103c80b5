package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

const (
	// uploaded is the size of the recording whose upload is measured. mostUploadMemory is
	// how much the daemon's memory may grow.
	uploaded         = 200 << 20
	mostUploadMemory = 8 << 20
)

// measureUpload measures how much the daemon's memory grows while it uploads a large
// recording. It uploads a small one first, so that one-time allocations don't count.
func (b *bench) measureUpload(ctx context.Context) error {
	daemon, err := b.startDaemon(ctx, "upload")
	if err != nil {
		return err
	}
	defer daemon.close()
	if err := daemon.record(ctx, 1<<20, 1); err != nil {
		return err
	}
	if err := daemon.process.forgetPeak(); err != nil {
		return err
	}
	before, err := daemon.process.memory()
	if err != nil {
		return err
	}
	if err := daemon.record(ctx, uploaded, 2); err != nil {
		return err
	}
	after, err := daemon.process.memory()
	if err != nil {
		return err
	}
	grown := after.most - before.resident
	b.add(figure{"memory for the upload of a recording of 200 MiB, at its peak", "+ " + megabytes(grown), "before " + megabytes(before.resident), "",
		"≤ + " + megabytes(mostUploadMemory), grown <= mostUploadMemory})
	return nil
}

// record plays a call with a recording of the given size. It waits until the daemon has
// uploaded the given number of recordings in all.
func (s *subject) record(ctx context.Context, size int64, uploads int64) error {
	e := s.expect(1)
	path := filepath.Join(s.monitor(), epoch+strconv.Itoa(2*e.from)+".mp3")
	if err := os.MkdirAll(s.monitor(), 0o750); err != nil {
		return fmt.Errorf("making a recording: %w", err)
	}
	if err := os.WriteFile(path, nil, 0o640); err != nil {
		return fmt.Errorf("making a recording: %w", err)
	}
	// A sparse file takes no room on the disk. The daemon does not convert this format.
	if err := os.Truncate(path, size); err != nil {
		return fmt.Errorf("making a recording: %w", err)
	}
	var event []byte
	for i := range eventsPerCall {
		event = s.bench.recorded.appendEvent(event[:0], e.from, i)
		if err := s.asterisk.send(ctx, event); err != nil {
			return err
		}
	}
	return s.until(ctx, "the recording is uploaded", func(d details) bool { return d.Recordings.Now.Uploads == uploads })
}

// monitor is the directory of the recordings.
func (s *subject) monitor() string { return filepath.Join(s.directory, "monitor") }
