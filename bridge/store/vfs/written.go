package vfs

import "sync"

// Written is how many bytes this process has written to the write-ahead log of the
// database at a path, which SQLite names by the path without symbolic links. A log that
// was begun anew goes on counting. It may be called at any time.
func Written(database string) int64 { return logs.written(database + "-wal") }

// written counts what was written to each log. SQLite keeps the number of a log beside
// the open file, where no pointer of Go's may be.
type written struct {
	mu      sync.Mutex
	numbers map[string]int32
	bytes   []int64
}

var logs = written{numbers: make(map[string]int32)}

// number is that of the log at a path.
func (w *written) number(path string) int32 {
	w.mu.Lock()
	defer w.mu.Unlock()
	number, known := w.numbers[path]
	if !known {
		number = int32(len(w.bytes))
		w.numbers[path] = number
		w.bytes = append(w.bytes, 0)
	}
	return number
}

func (w *written) add(number, length int32) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.bytes[number] += int64(length)
}

func (w *written) written(path string) int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	if number, known := w.numbers[path]; known {
		return w.bytes[number]
	}
	return 0
}
