package ari

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/CyCoreSystems/ari/v6"
)

// What GET /applications shows for an application that is subscribed to all
// channels and all bridges (Asterisk 22, measured).
const (
	allChannels = "__AST_CHANNEL_ALL_TOPIC"
	allBridges  = "__AST_BRIDGE_ALL_TOPIC"
)

// ApplicationState is what Asterisk knows about an application.
type ApplicationState struct {
	ari.ApplicationData
	// Allowed and Disallowed are the event filter; empty means no such filter.
	Allowed    []EventName `json:"events_allowed"`
	Disallowed []EventName `json:"events_disallowed"`
}

// EventName names an event type the way the event filter does.
type EventName struct {
	Type string `json:"type"`
}

// eventFilter is the body of PUT eventFilter.
type eventFilter struct {
	Allowed []EventName `json:"allowed"`
}

// allowedEvents returns the event filter that we set: the events that Decode interprets,
// StasisStart, and ApplicationReplaced. Asterisk 22 filters the last like any other
// event (measured: without it in the list it never comes).
func allowedEvents() []EventName {
	names := make([]EventName, 0, len(interpreted)+2)
	for _, interpretedType := range interpreted {
		names = append(names, EventName{Type: string(interpretedType)})
	}
	return append(names, EventName{Type: ari.Events.StasisStart}, EventName{Type: ari.Events.ApplicationReplaced})
}

// Application reads the state of an application. [ErrNotFound] when no websocket
// is registered for it. In a known deadlock of Asterisk (asterisk/asterisk issue 2170)
// this is the request that hangs.
func (s *Switch) Application(ctx context.Context, name string) (ApplicationState, error) {
	var state ApplicationState
	err := s.call(ctx, http.MethodGet, []string{"applications", name}, nil, nil, &state)
	return state, err
}

// SubscribeAll subscribes the application to all channels and all bridges, future ones
// included, for as long as its websocket is open. It may be repeated.
func (s *Switch) SubscribeAll(ctx context.Context, name string) error {
	query := url.Values{"eventSource": {"channel:,bridge:"}}
	return s.call(ctx, http.MethodPost, []string{"applications", name, "subscription"}, query, nil, nil)
}

// Filter makes Asterisk send the application only the events that [Decode]
// interprets, StasisStart and ApplicationReplaced, for as long as its websocket is
// open.
func (s *Switch) Filter(ctx context.Context, name string) error {
	return s.call(ctx, http.MethodPut, []string{"applications", name, "eventFilter"}, nil,
		eventFilter{Allowed: allowedEvents()}, nil)
}

// check returns errDeaf with the reason when the application doesn't receive all the
// events that it should.
func (a ApplicationState) check() error {
	if !slices.Contains(a.ChannelIDs, allChannels) || !slices.Contains(a.BridgeIDs, allBridges) {
		return fmt.Errorf("%w: the subscription to all channels and bridges is gone", errDeaf)
	}
	for _, name := range allowedEvents() {
		if !slices.Contains(a.Allowed, name) || slices.Contains(a.Disallowed, name) {
			return fmt.Errorf("%w: the event filter does not let %s through", errDeaf, name.Type)
		}
	}
	return nil
}
