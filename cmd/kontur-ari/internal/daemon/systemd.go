package daemon

import (
	"context"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"go.uber.org/zap"
)

// notifySystemd sends a state to systemd (sd_notify(3)). It does nothing where systemd
// did not start the process.
func notifySystemd(log *zap.Logger, state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		log.Warn("systemd can't be told", zap.String("state", state), zap.Error(err))
	}
}

// watchdog reports to systemd that the process lives, twice in the time it allows,
// each time after passLocks has returned. It returns when ctx ends, or at once where
// systemd watches nothing.
func watchdog(ctx context.Context, log *zap.Logger, passLocks func()) {
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
			passLocks()
			notifySystemd(log, daemon.SdNotifyWatchdog)
		}
	}
}
