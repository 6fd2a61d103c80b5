package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
)

// ledger is the file of a program that only flushes. Each flush writes one page, whatever
// there is to keep. Callers that wait at the same time share a flush.
type ledger struct {
	file *os.File
	page [flushed]byte
	// asked counts the calls of keep, kept how many of them a flush has served.
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

// keep waits for a flush that begins after the call of keep. If the flush fails, the
// program ends: without it, it is no yardstick.
func (l *ledger) keep() {
	mine := l.asked.Add(1)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.kept >= mine {
		return
	}
	all := l.asked.Load()
	l.page[0]++
	_, err := l.file.WriteAt(l.page[:], l.pages*flushed%flushSpan)
	if err == nil {
		err = syscall.Fdatasync(int(l.file.Fd()))
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "keeping something: %v\n", err)
		os.Exit(1)
	}
	l.kept = all
	l.pages++
}

// begin keeps something while its caller goes on, and closes the channel then. Without a
// ledger there is nothing to wait for.
func (l *ledger) begin() <-chan struct{} {
	if l == nil {
		return nil
	}
	durable := make(chan struct{})
	go func() {
		l.keep()
		close(durable)
	}()
	return durable
}

// keeping makes requests as lanes do, but that each waits until its event is kept, and
// until the answer to the one before is. No call waits for the flush of another's.
type keeping struct {
	ctx         context.Context
	crm         string
	client      *http.Client
	ledger      *ledger
	connections chan struct{}
	calls       map[string]chan directRequest
}

func startKeeping(ctx context.Context, crm string, connections int, kept *ledger) *keeping {
	return &keeping{
		ctx: ctx, crm: crm, client: &http.Client{Transport: transport()}, ledger: kept,
		connections: make(chan struct{}, connections), calls: make(map[string]chan directRequest),
	}
}

// send is called by one goroutine.
func (k *keeping) send(made directRequest) {
	call := k.calls[made.call]
	if call == nil {
		call = make(chan directRequest, requestsPerCall)
		k.calls[made.call] = call
		go k.report(call)
	}
	call <- made
	if made.kind == registered {
		close(call)
		delete(k.calls, made.call)
	}
}

// report makes the requests of one call.
func (k *keeping) report(call <-chan directRequest) {
	known := make(map[string]directIdentity)
	for made := range call {
		<-made.durable
		k.connections <- struct{}{}
		// The bench notices a request that fails: the CRM lacks it.
		_ = post(k.ctx, k.client, k.crm, made, known)
		<-k.connections
		k.ledger.keep()
	}
}
