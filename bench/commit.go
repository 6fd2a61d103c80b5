package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"kontur-ari/ari"
	"kontur-ari/bridge"
	"kontur-ari/bridge/store"
	"kontur-ari/bridge/tracker"
)

const (
	// commitsAlone and commitsTogether are calls whose events are committed in a round.
	commitsAlone, commitsTogether = 200, 1280
	// writersTogether commit at a time.
	writersTogether = 64
	flushing        = time.Second
)

// measureCommits compares durable commits with flushes of the same disk.
func (b *bench) measureCommits(ctx context.Context) error {
	db, err := store.Open(ctx, filepath.Join(b.directory, "commits"))
	if err != nil {
		return fmt.Errorf("opening a store: %w", err)
	}
	defer func() { _ = db.Close() }()
	// The log of a new store grows to its length first, once after each start.
	if _, err := b.commitRate(ctx, db, 1, commitsAlone); err != nil {
		return err
	}
	flush := func() (float64, error) { return flushRate(b.directory, flushing) }
	for _, part := range []struct {
		name           string
		writers, calls int
		aim            float64
	}{
		{"durable commit, 1 writer", 1, commitsAlone, 0.72},
		{fmt.Sprintf("durable commit, %d concurrent events", writersTogether), writersTogether, commitsTogether, 10},
	} {
		p, err := alternate(b.rounds, flush, func() (float64, error) { return b.commitRate(ctx, db, part.writers, part.calls) })
		if err != nil {
			return err
		}
		b.add(rateFigure(part.name, p, part.aim, "flush"))
	}
	return nil
}

// commitRate commits the events of calls one by one, each with the changed call and
// the reports that came of it, from a number of goroutines at a time, and returns how
// many events a second became durable.
func (b *bench) commitRate(ctx context.Context, db *store.Store, writers, calls int) (float64, error) {
	prepared := make([][]bridge.Batch, calls)
	for i := range prepared {
		var err error
		if prepared[i], err = b.batches(b.nextCall); err != nil {
			return 0, err
		}
		b.nextCall++
	}
	// As the daemon does: a commit is not called off.
	ctx = context.WithoutCancel(ctx)
	var group errgroup.Group
	began := now()
	for writer := range writers {
		group.Go(func() error {
			for call := writer; call < calls; call += writers {
				for _, batch := range prepared[call] {
					if _, err := db.Commit(ctx, batch); err != nil {
						return err
					}
				}
			}
			return nil
		})
	}
	err := group.Wait()
	return float64(calls*eventsPerCall) / seconds(began, now()), err
}

// batches are the events of a call and what comes of each, as the daemon commits them
// when events come one at a time.
func (b *bench) batches(n int) ([]bridge.Batch, error) {
	tr := tracker.New(b.office, tracker.Policy{})
	batches := make([]bridge.Batch, eventsPerCall)
	for i := range batches {
		event, err := ari.Decode(b.script.appendEvent(nil, n, i))
		if err != nil {
			return nil, fmt.Errorf("reading an event: %w", err)
		}
		outcome := tr.Apply(event)
		batch := bridge.Batch{
			Events:  []bridge.Entry{{Event: event, Received: event.Time, Call: outcome.Call}},
			Reports: outcome.Reports, Ended: outcome.Ended,
		}
		for _, call := range outcome.Touched {
			if state, open := tr.State(call); open {
				batch.Changed = append(batch.Changed, state)
			} else {
				batch.Gone = append(batch.Gone, call)
			}
		}
		batches[i] = batch
	}
	return batches, nil
}
