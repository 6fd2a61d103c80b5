package main

import (
	"context"
	"fmt"
	"time"

	"kontur-ari/ari"
)

// countWithin bounds what the readiness may wait for the store.
const countWithin = 200 * time.Millisecond

// admin is what the health endpoints ask of the line.
func (l *line) admin() *admin {
	return &admin{healthy: l.healthy, missing: l.missing, details: l.details}
}

// missing says what the line is without.
func (l *line) missing() []string {
	status := l.source.Status()
	if status.State == ari.Flowing {
		return nil
	}
	return []string{fmt.Sprintf("events from Asterisk (%s): %s", status.State, status.Reason)}
}

// details are what /readyz shows of the line.
func (l *line) details() map[string]any {
	taken, delivered, crmState := l.intake.Stats(), l.dispatcher.Stats(), l.client.State()
	heard := l.source.Stats()
	return map[string]any{
		"asterisk": map[string]any{"connections": heard.Connections, "malformed": heard.Malformed, "unknown": heard.UnknownTypes, "clockAhead": l.source.ClockAhead().Round(time.Millisecond).String()},
		"crm":      map[string]any{"authorised": crmState.Authorised, "reason": crmState.Reason},
		"events":   taken.Events, "reports": taken.Reports, "openCalls": taken.OpenCalls,
		"delivered": delivered.Delivered, "refused": delivered.Refused, "retried": delivered.Retried,
		"collapsed":    delivered.Collapsed,
		"deadLetters":  l.deadLetters(),
		"gate":         delivered.Gate,
		"waitingCalls": delivered.Waiting, "notUnderstood": taken.NotUnderstood,
		"damaged":    damageDetails(l.db.Damages()),
		"memory":     map[string]any{"events": taken.Waiting, "bytes": taken.Memory, "most": taken.MemoryMost, "dropped": taken.Dropped, "dropping": taken.Dropping},
		"commands":   l.commandDetails(),
		"redirect":   redirectDetails(l.redirector.Stats()),
		"recordings": l.recordingDetails(),
	}
}

// deadLetters is how many there are; nil while the store can't tell.
func (l *line) deadLetters() *int {
	ctx, cancel := context.WithTimeout(context.Background(), countWithin)
	defer cancel()
	letters, err := l.db.DeadLetters(ctx)
	if err != nil {
		return nil
	}
	return &letters
}
