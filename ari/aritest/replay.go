package aritest

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"time"
)

// ReadEvents reads a capture: one event as Asterisk sent it per line, blank lines
// and lines beginning with # skipped.
func ReadEvents(path string) ([][]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read capture: %w", err)
	}
	defer file.Close()
	var events [][]byte
	lines := bufio.NewReader(file)
	for {
		line, err := lines.ReadBytes('\n')
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' {
			events = append(events, line)
		}
		if err == io.EOF {
			return events, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read capture: %w", err)
		}
	}
}

// Replay emits events at perSecond a second, 0 meaning as fast as the queue
// takes them, and returns how many were sent before they or ctx ended.
func (s *Server) Replay(ctx context.Context, events [][]byte, perSecond int) int {
	if perSecond <= 0 {
		return s.Emit(events...)
	}
	const slice = 10 * time.Millisecond
	ticker := time.NewTicker(slice)
	defer ticker.Stop()
	begun, emitted, sent := time.Now(), 0, 0
	for emitted < len(events) {
		due := min(len(events), int(time.Since(begun).Seconds()*float64(perSecond))+1)
		sent += s.Emit(events[emitted:due]...)
		emitted = due
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return sent
		}
	}
	return sent
}
