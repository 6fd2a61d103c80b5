package daemon

import (
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
