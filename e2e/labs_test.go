package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"kontur-ari/e2e/lab"
)

// labs are the exchanges that the tests of the package play on. As many run as
// tests do at a time (go test -parallel); each is one test's alone while it runs.
var labs labPool

// Calls must be told the same whether Asterisk says linkedids and the names of recordings,
// as the documentation recommends, or does not: labs are of both kinds in turn.
var (
	sayingNothing = lab.Options{}
	sayingAll     = lab.Options{ChannelVars: lab.RecommendedVariables}
)

type labPool struct {
	mu      sync.Mutex
	idle    []*lab.Lab
	started int
	crashed []error // what a lab was like that crashed when no test had it
}

// take returns a lab that no other test uses, started where there is none: of the kind
// that is wanted, or any where that is nil.
func (p *labPool) take(ctx context.Context, wanted *lab.Options) (*lab.Lab, error) {
	p.mu.Lock()
	for n := len(p.idle) - 1; n >= 0; n-- {
		l := p.idle[n]
		if wanted != nil && l.Options != *wanted {
			continue
		}
		p.idle = slices.Delete(p.idle, n, n+1)
		if l.Running() {
			p.mu.Unlock()
			return l, nil
		}
		p.crashed = append(p.crashed, fmt.Errorf("Asterisk has crashed after a test:\n%s", l.Report()), l.Close())
	}
	options := sayingNothing
	if p.started%2 == 1 {
		options = sayingAll
	}
	if wanted != nil {
		options = *wanted
	}
	p.started++
	p.mu.Unlock()
	return lab.Start(ctx, options)
}

// giveBack hands a lab to the next test. An Asterisk that has crashed is an error
// of this one, and of none that comes after it.
func (p *labPool) giveBack(l *lab.Lab) error {
	if !l.Running() {
		return errors.Join(fmt.Errorf("Asterisk has crashed:\n%s", l.Report()), l.Close())
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, l)
	return nil
}

// close ends all labs, every one of which must have been given back, and tells of
// those that have crashed.
func (p *labPool) close() error {
	errs := p.crashed
	for _, l := range p.idle {
		errs = append(errs, l.Close())
	}
	return errors.Join(errs...)
}
