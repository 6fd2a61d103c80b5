package daemon

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"kontur-ari/bridge"
	"kontur-ari/internal/retry"
)

const (
	// pruneEvery is the pause between two removals of old entries, measureEvery that
	// between two looks at the size of the store.
	pruneEvery   = 10 * time.Minute
	measureEvery = time.Minute
	// inspectAfter is how long after the start the whole store is inspected. Reports
	// that waited since the last run go to the CRM first.
	inspectAfter = 10 * time.Second
)

// prune removes what is older than the configuration keeps it, until ctx ends.
func (d *Daemon) prune(ctx context.Context) {
	keep := d.cfg.Storage.JournalKeep
	// What may be removed later must not be forgotten before.
	keepRecordings := max(keep, d.cfg.Recordings.KeepFor()+keep)
	started := time.Now()
	clock := newHorizon(started, d.lastHeard, keep)
	for {
		if err := d.store.Prune(ctx, clock.now(time.Now(), time.Since(started)).Add(-keep)); err != nil && ctx.Err() == nil && !errors.Is(err, bridge.ErrStoreDamaged) {
			d.log.Warn("old journal entries stay", zap.Error(err))
		}
		before := clock.now(time.Now(), time.Since(started)).Add(-keepRecordings)
		if err := d.store.PruneRecordings(ctx, before, d.removedPlaces()); err != nil && ctx.Err() == nil && !errors.Is(err, bridge.ErrStoreDamaged) {
			d.log.Warn("what has become of old recordings stays", zap.Error(err))
		}
		if retry.Sleep(ctx, pruneEvery) != nil {
			return
		}
	}
}

// removedPlaces are the places whose files are removed once the CRM has them.
func (d *Daemon) removedPlaces() []bridge.RecordingPlace {
	if d.courier == nil {
		return nil
	}
	return d.courier.Removes()
}

// pruneToSize keeps the store within its largest size, until ctx ends.
func (d *Daemon) pruneToSize(ctx context.Context) {
	for {
		if err := d.store.PruneTo(ctx, d.cfg.Storage.JournalMaxSize.Bytes()); err != nil && ctx.Err() == nil && !errors.Is(err, bridge.ErrStoreDamaged) {
			d.log.Warn("the store grows beyond storage.journal_max_size", zap.Error(err))
		}
		if retry.Sleep(ctx, measureEvery) != nil {
			return
		}
	}
}

// inspect reads the whole store once, when the work of the start is done.
func (d *Daemon) inspect(ctx context.Context) {
	if retry.Sleep(ctx, inspectAfter) != nil {
		return
	}
	if err := d.store.Inspect(ctx); err != nil && ctx.Err() == nil && !errors.Is(err, bridge.ErrStoreDamaged) {
		d.log.Error("the store can't be inspected for damage", zap.Error(err))
	}
}
