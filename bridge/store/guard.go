package store

import (
	"context"
	"fmt"
	"sync"
	"syscall"
)

// guard keeps everybody from SQLite while the file system is frozen, as it is when a
// virtual machine is backed up.
//
// SQLite's write-ahead log has an index in memory that is a mapped file. Writing there
// while the file system is frozen is a page fault that lasts until it thaws, and Go
// can't stop a goroutine in one: the next garbage collection would wait for it, and all
// of the process with that. A system call, on the other hand, holds up nobody else. So
// each use of SQLite begins with one that a frozen file system holds up: a write of
// nothing. A commit makes one before it begins to write, and one after its flush. What
// remains is a freeze in the few microseconds between such a call and what follows it.
type guard struct {
	// descriptor is of a file that is open for writing.
	descriptor int

	mu sync.Mutex
	// asking is closed when the call under way has returned; nil when there is none.
	asking chan struct{}
}

// wait returns when the file system takes writes, or fails to in another way, which
// SQLite will say; the error is that ctx has ended before.
func (g *guard) wait(ctx context.Context) error {
	g.mu.Lock()
	asking := g.asking
	if asking == nil {
		asking = make(chan struct{})
		g.asking = asking
		go g.ask(asking)
	}
	g.mu.Unlock()
	select {
	case <-asking:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting for the file system: %w", context.Cause(ctx))
	}
}

// hold is wait for whoever writes anyway and can't be called off: it holds up its caller's
// thread, which costs less than to have another wait for it.
func (g *guard) hold() { _, _ = syscall.Pwrite(g.descriptor, nil, 0) }

// ask writes nothing. Everybody who waits waits for the same call, so that a freeze
// holds up no more than one thread, and that of whoever writes.
func (g *guard) ask(asking chan struct{}) {
	// What is wrong with the disk otherwise, the use that follows is told by SQLite.
	_, _ = syscall.Pwrite(g.descriptor, nil, 0)
	g.mu.Lock()
	g.asking = nil
	g.mu.Unlock()
	close(asking)
}
