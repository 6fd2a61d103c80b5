package ari

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/CyCoreSystems/ari/v6"
	"golang.org/x/sync/errgroup"

	"kontur-ari/bridge"
)

// variableReaders bounds how many channel variables are read at the same time.
const variableReaders = 8

// Snapshot reads all channels and bridges and returns them as one event of type
// [bridge.EventSnapshot]. Its Raw is one JSON document with Asterisk's own objects. It
// adds "linkedid" to a channel where channelvars doesn't show it. It adds "dnid"
// (CALLERID(dnid), the number that an inbound caller dialled) to a channel that was not
// itself dialled.
//
// The event's time is when reading began: events that Asterisk sends after that may
// already be in it. When a request fails, Snapshot fails. Only the variables of a channel
// that ended during the reading stay "". missedSince becomes the snapshot's MissedSince,
// unless it is zero or in the future, on a clock that was set back. missedSince is on our
// clock; the event has both times on Asterisk's, as far as that is known.
func (s *Switch) Snapshot(ctx context.Context, missedSince time.Time) (bridge.Event, error) {
	began := time.Now()
	document := snapshotDocument{
		Type:      string(bridge.EventSnapshot),
		Timestamp: s.clock.at(began).UTC().Format(ari.DateFormat),
	}
	// Between times of this process the difference is monotonic: setting our clock in
	// between does not change it.
	if missed := began.Sub(missedSince); !missedSince.IsZero() && missed >= 0 {
		document.MissedSince = s.clock.at(began).Add(-missed).UTC().Format(ari.DateFormat)
	}
	var err error
	if document.Channels, err = s.Channels(ctx); err != nil {
		return bridge.Event{}, fmt.Errorf("snapshot: %w", err)
	}
	if document.Bridges, err = s.Bridges(ctx); err != nil {
		return bridge.Event{}, fmt.Errorf("snapshot: %w", err)
	}
	readers, ctx := errgroup.WithContext(ctx)
	readers.SetLimit(variableReaders)
	for i := range document.Channels {
		readers.Go(func() error { return s.addVariables(ctx, &document.Channels[i]) })
	}
	if err := readers.Wait(); err != nil {
		return bridge.Event{}, fmt.Errorf("snapshot: %w", err)
	}
	raw, err := json.Marshal(document)
	if err != nil {
		return bridge.Event{}, fmt.Errorf("snapshot: %w", err)
	}
	event, err := Decode(raw)
	if err != nil {
		return bridge.Event{}, fmt.Errorf("snapshot: %w", err)
	}
	return event, nil
}

// snapshotDocument is the JSON of a snapshot.
type snapshotDocument struct {
	Type        string            `json:"type"`
	Timestamp   string            `json:"timestamp"`
	MissedSince string            `json:"missed_since,omitempty"`
	Channels    []json.RawMessage `json:"channels"`
	Bridges     []json.RawMessage `json:"bridges"`
}

// addVariables adds to one channel of a snapshot what its JSON doesn't show.
func (s *Switch) addVariables(ctx context.Context, raw *json.RawMessage) error {
	var wire wireChannel
	if err := unmarshalTolerant(*raw, &wire); err != nil || wire.ID == "" {
		return nil
	}
	additions := map[string]string{}
	if wire.Vars.LinkedID == "" {
		additions["linkedid"] = "CHANNEL(linkedid)"
	}
	if !wire.dialled() {
		additions["dnid"] = "CALLERID(dnid)"
	}
	for key, variable := range additions {
		value, err := s.Variable(ctx, bridge.ChannelID(wire.ID), variable)
		switch {
		case errors.Is(err, ErrNotFound), errors.Is(err, ErrFailed):
			value = ""
		case err != nil:
			return err
		}
		additions[key] = value
	}
	return addMembers(raw, additions)
}

// addMembers adds members to a JSON object.
func addMembers(raw *json.RawMessage, additions map[string]string) error {
	var object map[string]json.RawMessage
	if err := json.Unmarshal(*raw, &object); err != nil {
		return fmt.Errorf("channel is not an object: %w", err)
	}
	for key, value := range additions {
		if value == "" {
			continue
		}
		encoded, err := json.Marshal(value)
		if err != nil {
			return fmt.Errorf("encode %s: %w", key, err)
		}
		object[key] = encoded
	}
	extended, err := json.Marshal(object)
	if err != nil {
		return fmt.Errorf("encode channel: %w", err)
	}
	*raw = extended
	return nil
}
