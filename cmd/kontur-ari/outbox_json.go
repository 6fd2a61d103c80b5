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

// reportSummary is a report as the outbox commands write it in JSON. The fields have
// the names of the log's fields.
type reportSummary struct {
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
	// Returned: it was a dead letter and is to be tried again.
	Returned bool `json:"returned,omitempty"`
	// After are the dead letters that must be sent again before it.
	After []int64 `json:"after,omitempty"`
}

// reportDetails is a report with everything that is stored of it. A body that is not
// JSON is written as a string.
type reportDetails struct {
	reportSummary
	// Content is the report as kontur-ari stores it, Body the request sent for it, and
	// Answer the CRM's answer.
	Content json.RawMessage `json:"content,omitempty"`
	Body    json.RawMessage `json:"body,omitempty"`
	Answer  json.RawMessage `json:"answer,omitempty"`
}

func summaryOf(l store.ReportView) reportSummary {
	return reportSummary{
		Report: l.ID, State: l.State, Call: l.Call, Request: l.Kind, Event: l.Event, Leg: l.Leg, Made: l.Committed, Settled: l.Settled,
		Attempts: l.Attempts, Status: l.Status, Reason: l.Reason, Returned: l.Returned,
	}
}

func detailsOf(l store.ReportView) reportDetails {
	return reportDetails{reportSummary: summaryOf(l), Content: bodyJSON(l.Report), Body: bodyJSON(l.Request), Answer: bodyJSON(l.Answer)}
}

// bodyJSON returns a body that is valid JSON as it is, any other as a JSON string, and
// nil for an empty one.
func bodyJSON(body []byte) json.RawMessage {
	if len(body) == 0 || json.Valid(body) {
		return body
	}
	// Encoding a string can't fail.
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

// exportDeadLetters writes the dead letters as JSON, the oldest first.
func exportDeadLetters(ctx context.Context, o *outbox) error {
	var ids []int64
	err := o.Walk(ctx, store.ReportDead, o.filter, func(report store.ReportView) error {
		ids = append(ids, report.ID)
		return nil
	})
	if err != nil {
		return err
	}
	slices.Sort(ids)
	return o.Whole(ctx, ids, func(report store.ReportView) error { return writeJSON(o.out, detailsOf(report)) })
}
