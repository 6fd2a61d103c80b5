package daemon

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"kontur-ari/bridge"
	"kontur-ari/bridge/delivery"
	"kontur-ari/configs"
	"kontur-ari/internal/retry"
)

const (
	// settlePause is the pause before the store is asked again.
	settlePause = time.Second
	// authoriseEvery is the pause between two attempts to reach the CRM at the start.
	authoriseEvery = 30 * time.Second
)

func deliveryConfig(cfg configs.Config) delivery.Config {
	return delivery.Config{
		Connections: cfg.Kontur.Connections, FirstPause: cfg.Delivery.FirstPause,
		LongestPause: cfg.Delivery.LongestPause, CollapseAfter: cfg.Delivery.CollapseAfter,
	}
}

// deliver delivers until ctx ends. It begins when the store knows which requests the
// last process left in flight. Events are stored all the while.
func (d *Daemon) deliver(ctx context.Context) error {
	// A request takes a few others at most: for an access key, and once more with that.
	within := d.cfg.Delivery.CollapseAfter + 4*d.cfg.Kontur.RequestTimeout
	for cause := ""; ; {
		err := d.store.MarkUncertain(ctx, within)
		if err == nil {
			return d.deliverUntilStopped(ctx)
		}
		if errors.Is(err, bridge.ErrStoreDamaged) {
			return err
		}
		if ctx.Err() != nil {
			return nil
		}
		if err.Error() != cause {
			cause = err.Error()
			d.log.Error("the CRM is told nothing yet", zap.Error(err))
		}
		if retry.Sleep(ctx, settlePause) != nil {
			return nil
		}
	}
}

// deliverUntilStopped notes after an orderly end that no request is in flight. If the
// note fails, the next process sends some calls in full that it could collapse.
func (d *Daemon) deliverUntilStopped(ctx context.Context) error {
	if err := d.dispatcher.Run(ctx); err != nil {
		return err
	}
	noting, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteWithin)
	defer cancel()
	_ = d.store.MarkStopped(noting)
	return nil
}

// drain delivers what is ready, until ctx ends. A damaged store has nothing to read.
func (d *Daemon) drain(ctx context.Context) error {
	if d.store.DamageError() == nil {
		d.dispatcher.Drain(ctx)
	}
	return nil
}

// authorise gets a key of the CRM before there is a call to report, so that a wrong
// configuration shows at the start of the service and not with the first call.
func (d *Daemon) authorise(ctx context.Context) {
	for d.client.Authorise(ctx) != nil {
		if retry.Sleep(ctx, authoriseEvery) != nil {
			return
		}
	}
}
