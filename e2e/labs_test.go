package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"kontur-ari/e2e/lab"
)

// labs are the exchanges that the tests of the package play on. As many labs run as
// parallel tests do (go test -parallel). A running test has a lab to itself.
var labs labPool

// kontur-ari must report calls alike with and without the channel variables that the
// documentation recommends: linkedids and the names of recordings. So the labs that start
// are of both kinds in turn.
var (
	withoutVariables     = lab.Options{}
	recommendedVariables = lab.Options{ChannelVars: lab.RecommendedVariables}
)

type labPool struct {
	mu      sync.Mutex
	idle    []*lab.Lab
	started int
	crashed []error // reports of labs that crashed while no test had them
}

// take returns a lab that no other test uses, and starts one where there is none. The lab
// has the wanted options; where wanted is nil, any will do.
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
	options := withoutVariables
	if p.started%2 == 1 {
		options = recommendedVariables
	}
	if wanted != nil {
		options = *wanted
	}
	p.started++
	p.mu.Unlock()
	return lab.Start(ctx, options)
}

// giveBack makes a lab available to the next test. Where its Asterisk has crashed, it
// returns an error, so that this test fails and not a later one.
func (p *labPool) giveBack(l *lab.Lab) error {
	if !l.Running() {
		return errors.Join(fmt.Errorf("Asterisk has crashed:\n%s", l.Report()), l.Close())
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, l)
	return nil
}

// close ends all labs, and returns an error for each that crashed while idle. Every lab must
// have been given back before.
func (p *labPool) close() error {
	errs := p.crashed
	for _, l := range p.idle {
		errs = append(errs, l.Close())
	}
	return errors.Join(errs...)
}
