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

type labPool struct {
	mu   sync.Mutex
	idle []*lab.Lab
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
	p.mu.Unlock()
	return lab.Start(ctx, lab.Options{})
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
