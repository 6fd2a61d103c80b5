package daemon

import (
	"context"
	"time"

	"go.uber.org/zap"

	"kontur-ari/bridge/store"
)

// logDamage logs at error: an operator must check the disk, and what was lost.
func logDamage(log *zap.Logger, damage store.Damage) {
	fields := []zap.Field{zap.String("moved_to", damage.Aside), zap.Any("saved", damage.Saved), zap.Error(damage.Cause)}
	if len(damage.Unreadable) > 0 {
		fields = append(fields, zap.Strings("lost_from", damage.Unreadable))
	}
	log.Error("THE STORE WAS DAMAGED: it is moved aside, and a new one begun with what could be read; check the disk", fields...)
}

// logDamageFound logs why the daemon ends.
func logDamageFound(log *zap.Logger, cause error) {
	log.Error("THE STORE IS DAMAGED: kontur-ari ends, and its next start saves what can be read; check the disk", zap.Error(cause))
}

// watchStore returns the damage of the store's file when it is found, or nil when ctx
// ends. A restart saves what can be read.
func (d *Daemon) watchStore(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-d.store.Damaged():
		err := d.store.DamageError()
		logDamageFound(d.log.Named("store"), err)
		return err
	}
}

// damageDetails are what /readyz shows of the damages.
func damageDetails(damages []store.Damage) []map[string]any {
	details := make([]map[string]any, 0, len(damages))
	for _, damage := range damages {
		details = append(details, map[string]any{
			"found": damage.Found.UTC().Format(time.RFC3339), "reason": damage.Cause.Error(), "movedTo": damage.Aside,
			"saved": damage.Saved, "lostFrom": damage.Unreadable,
		})
	}
	return details
}
