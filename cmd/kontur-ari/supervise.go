package main

import (
	"context"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"go.uber.org/zap"
)

// tellSystemd sends a state to systemd (sd_notify(3)); it does nothing where
// systemd did not start us.
func tellSystemd(log *zap.Logger, state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		log.Warn("systemd can't be told", zap.String("state", state), zap.Error(err))
	}
}

// watchdog tells systemd that the process lives, twice in the time it allows,
// each time after alive has returned: it must go through every lock that a stuck
// process would hold. It returns when ctx ends.
func watchdog(ctx context.Context, log *zap.Logger, alive func()) {
	interval, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		log.Warn("systemd's watchdog can't be read", zap.Error(err))
	}
	if interval <= 0 {
		return
	}
	ticker := time.NewTicker(interval / 2)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			alive()
			tellSystemd(log, daemon.SdNotifyWatchdog)
		}
	}
}
