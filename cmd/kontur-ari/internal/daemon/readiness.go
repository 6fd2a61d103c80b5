package daemon

import (
	"context"
	"fmt"
	"time"

	"kontur-ari/ari"
)

// countWithin bounds how long the readiness waits for the store.
const countWithin = 200 * time.Millisecond

// probes are what the health endpoints ask of the daemon.
func (d *Daemon) probes() probes {
	return probes{healthy: d.healthy, missing: d.missing, details: d.details}
}

// missing names what keeps events from flowing.
func (d *Daemon) missing() []string {
	status := d.source.Status()
	if status.State == ari.Flowing {
		return nil
	}
	return []string{fmt.Sprintf("events from Asterisk (%s): %s", status.State, status.Reason)}
}

// details are what /readyz shows of the daemon.
func (d *Daemon) details() map[string]any {
	taken, delivered, crmState := d.intake.Stats(), d.dispatcher.Stats(), d.client.State()
	heard := d.source.Stats()
	return map[string]any{
		"asterisk": map[string]any{"connections": heard.Connections, "malformed": heard.Malformed, "unknown": heard.UnknownTypes, "clockAhead": d.source.ClockAhead().Round(time.Millisecond).String()},
		"crm":      map[string]any{"authorised": crmState.Authorised, "reason": crmState.Reason},
		"events":   taken.Events, "reports": taken.Reports, "openCalls": taken.OpenCalls,
		"delivered": delivered.Delivered, "refused": delivered.Refused, "retried": delivered.Retried,
		"collapsed":    delivered.Collapsed,
		"deadLetters":  d.deadLetters(),
		"gate":         delivered.Gate,
		"waitingCalls": delivered.Waiting, "notUnderstood": taken.NotUnderstood,
		"damaged":    damageDetails(d.store.Rescued()),
		"memory":     map[string]any{"events": taken.Waiting, "bytes": taken.Memory, "most": taken.MemoryMost, "dropped": taken.Dropped, "dropping": taken.Dropping},
		"commands":   d.commandDetails(),
		"redirect":   redirectDetails(d.redirector.Stats()),
		"recordings": d.recordingDetails(),
	}
}

// deadLetters is how many there are; nil while the store doesn't answer.
func (d *Daemon) deadLetters() *int {
	ctx, cancel := context.WithTimeout(context.Background(), countWithin)
	defer cancel()
	letters, err := d.store.DeadLetters(ctx)
	if err != nil {
		return nil
	}
	return &letters
}
