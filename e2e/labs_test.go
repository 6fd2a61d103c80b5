package e2e_test

import (
	"context"
	"errors"
	"sync"

	"kontur-ari/e2e/lab"
)

// labs are the exchanges that the tests of the package play on. As many run as
// tests do at a time (go test -parallel); each is one test's alone while it runs.
var labs labPool

// Calls must be told the same whether Asterisk says linkedids, as the documentation
// recommends, or does not: labs are of both kinds in turn.
var withoutLinkedID, withLinkedID = lab.Options{}, lab.Options{ChannelVars: "CHANNEL(linkedid)"}

type labPool struct {
	mu      sync.Mutex
	idle    []*lab.Lab
	started int
}

// take returns a lab that no other test uses, started where there is none.
func (p *labPool) take(ctx context.Context) (*lab.Lab, error) {
	p.mu.Lock()
	if n := len(p.idle); n > 0 {
		l := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		return l, nil
	}
	options := withoutLinkedID
	if p.started%2 == 1 {
		options = withLinkedID
	}
	p.started++
	p.mu.Unlock()
	return lab.Start(ctx, options)
}

func (p *labPool) giveBack(l *lab.Lab) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, l)
}

// close ends all labs. Every one of them must have been given back.
func (p *labPool) close() error {
	var errs []error
	for _, l := range p.idle {
		errs = append(errs, l.Close())
	}
	return errors.Join(errs...)
}
