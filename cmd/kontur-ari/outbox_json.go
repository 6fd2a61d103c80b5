package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store"
)

// letterHead is a report as the outbox commands write it. The names are those of the
// log's fields.
type letterHead struct {
	Report   int64             `json:"report"`
	State    store.ReportState `json:"state"`
	Call     bridge.CallID     `json:"call"`
	Request  bridge.ReportKind `json:"request"`
	Event    bridge.LegEvent   `json:"event,omitempty"`
	Leg      bridge.LegID      `json:"leg,omitempty"`
	Made     time.Time         `json:"made"`
	Settled  time.Time         `json:"settled,omitzero"`
	Attempts int               `json:"attempts"`
	Status   int               `json:"status,omitempty"`
	Reason   string            `json:"reason,omitempty"`
	// Returned: it was a dead letter, and was not tried again yet.
	Returned bool `json:"returned,omitempty"`
	// After are the dead letters without which it can't be sent again.
	After []int64 `json:"after,omitempty"`
}

// letterWhole is a report with everything that is kept of it. What is not JSON is
// written as a string.
type letterWhole struct {
	letterHead
	// Content is the report in our own terms, Body what was sent of it, Answer what
	// the CRM said to that.
	Content json.RawMessage `json:"content,omitempty"`
	Body    json.RawMessage `json:"body,omitempty"`
	Answer  json.RawMessage `json:"answer,omitempty"`
}

func headOf(l store.ReportView) letterHead {
	return letterHead{
		Report: l.ID, State: l.State, Call: l.Call, Request: l.Kind, Event: l.Event, Leg: l.Leg, Made: l.Committed, Settled: l.Settled,
		Attempts: l.Attempts, Status: l.Status, Reason: l.Reason, Returned: l.Returned,
	}
}

func wholeOf(l store.ReportView) letterWhole {
	return letterWhole{letterHead: headOf(l), Content: bodyJSON(l.Report), Body: bodyJSON(l.Request), Answer: bodyJSON(l.Answer)}
}

// bodyJSON is a body as JSON: itself, or a string of it; nil for an empty one.
func bodyJSON(body []byte) json.RawMessage {
	if len(body) == 0 || json.Valid(body) {
		return body
	}
	// A string can always be written.
	text, _ := json.Marshal(string(body))
	return text
}

func writeJSON(out io.Writer, value any) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	return nil
}

// exportLetters writes the dead letters, the oldest first.
func exportLetters(ctx context.Context, o *outbox) error {
	var ids []int64
	err := o.Walk(ctx, store.ReportDead, o.filter, func(letter store.ReportView) error {
		ids = append(ids, letter.ID)
		return nil
	})
	if err != nil {
		return err
	}
	slices.Sort(ids)
	return o.Whole(ctx, ids, func(letter store.ReportView) error { return writeJSON(o.out, wholeOf(letter)) })
}
