package faults_test

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"kontur-ari/ari/aritest"
)

// traffic plays the calls of an office, several at a time, each from a tape. It pauses
// while no daemon listens to Asterisk's events. So a fault cuts out only the events that
// were on their way.
type traffic struct {
	server *aritest.Server
	tapes  []*tape
	random *rand.Rand
	copies copies
	// going are the calls that are up, atOnce at most.
	going  []*performance
	atOnce int
	// performances are the calls that began since the last take.
	performances []*performance
}

func newTraffic(server *aritest.Server, tapes []*tape, random *rand.Rand, atOnce int) *traffic {
	return &traffic{server: server, tapes: tapes, random: random, atOnce: atOnce}
}

// goOn plays perSecond events a second until ctx ends, which is no error. When a call
// ends, it begins a new one.
func (f *traffic) goOn(ctx context.Context, perSecond int) error {
	pace := time.NewTicker(time.Second / time.Duration(perSecond))
	defer pace.Stop()
	for ctx.Err() == nil {
		for len(f.going) < f.atOnce {
			f.begin()
		}
		if err := f.playAny(ctx, pace.C); err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

// finish plays the calls that are up to their ends, and begins no new ones.
func (f *traffic) finish(ctx context.Context, perSecond int) error {
	pace := time.NewTicker(time.Second / time.Duration(perSecond))
	defer pace.Stop()
	for len(f.going) > 0 {
		if err := f.playAny(ctx, pace.C); err != nil {
			return err
		}
	}
	return nil
}

// rush plays a number of events as fast as the daemon takes them.
func (f *traffic) rush(ctx context.Context, events int) error {
	always := make(chan time.Time)
	close(always)
	for range events {
		for len(f.going) < f.atOnce {
			f.begin()
		}
		if err := f.playAny(ctx, always); err != nil {
			return err
		}
	}
	return nil
}

func (f *traffic) begin() {
	p := f.copies.of(f.tapes[f.random.IntN(len(f.tapes))], time.Now())
	f.going = append(f.going, p)
	f.performances = append(f.performances, p)
}

// playAny waits for pace and for a listener, and plays the next event of a random call.
func (f *traffic) playAny(ctx context.Context, pace <-chan time.Time) error {
	select {
	case <-pace:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	i := f.random.IntN(len(f.going))
	for ok := false; !ok; {
		if err := f.server.AwaitListening(ctx); err != nil {
			return err
		}
		var err error
		if ok, err = f.going[i].play(f.server); err != nil {
			return err
		}
	}
	if f.going[i].over() {
		f.going = slices.Delete(f.going, i, i+1)
	}
	return nil
}

// take returns the calls that began since the last take, in that order.
func (f *traffic) take() []*performance {
	taken := f.performances
	f.performances = nil
	return taken
}
