package ari

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/CyCoreSystems/ari/v6"

	"kontur-ari/bridge"
	"kontur-ari/internal/retry"
)

// stasisApplication is the dial plan application in which a channel waits for an
// ARI application to decide about it.
const stasisApplication = "Stasis"

// StasisStart is a channel that waits for us in the dial plan: it runs
// Stasis(application,arguments...) until a request lets it continue.
//
// It is no [bridge.Event]: it says what the dial plan asks for and nothing about the
// call, so that a journal replays the same with or without it.
type StasisStart struct {
	Channel bridge.Channel
	// Arguments are what follows the application's name in the dial plan.
	Arguments []string
	// Time is on Asterisk's clock; zero where Found is set.
	Time time.Time
	// Found is set for a channel from a list of channels: it entered while there was no
	// connection, so it is unknown how long it has waited.
	Found bool
}

// IsClickToCall reports whether [Phones.Create] made the channel for a click-to-call and
// put it here: it asks for nothing. Later the dial plan may send the same channel here
// like any other.
func (s StasisStart) IsClickToCall() bool {
	return slices.Equal(s.Arguments, []string{clickToCallArgument})
}

// IsSnoop reports whether the channel is the snoop channel of [Phones.Record], which
// records another channel: it asks for nothing.
func (s StasisStart) IsSnoop() bool {
	return slices.Equal(s.Arguments, []string{snoopArgument})
}

// wireStasisStart is the event as Asterisk sends it.
type wireStasisStart struct {
	Type      string       `json:"type"`
	Timestamp string       `json:"timestamp"`
	Args      []string     `json:"args"`
	Channel   *wireChannel `json:"channel"`
}

// decodeStasisStart reads the event as tolerantly as [Decode]. It returns false when raw
// is another event, or has no channel.
func decodeStasisStart(raw []byte) (StasisStart, bool) {
	var wire wireStasisStart
	if unmarshalTolerant(raw, &wire) != nil || wire.Type != ari.Events.StasisStart {
		return StasisStart{}, false
	}
	channel := wire.Channel.channel()
	if channel == nil {
		return StasisStart{}, false
	}
	return StasisStart{Channel: *channel, Arguments: wire.Args, Time: parseTime(wire.Timestamp)}, true
}

// waiting returns those of Asterisk's channels that wait in Stasis for an application.
func waiting(channels []wireChannel, application string) []StasisStart {
	var found []StasisStart
	for i := range channels {
		channel := channels[i].channel()
		if channel == nil || channel.Application != stasisApplication {
			continue
		}
		parts := strings.Split(channels[i].Dialplan.AppData, ",")
		if strings.TrimSpace(parts[0]) == application {
			found = append(found, StasisStart{Channel: *channel, Arguments: parts[1:], Found: true})
		}
	}
	return found
}

// Waiting returns the channels that wait in Stasis for an application at this moment,
// those of clicks and snoops included.
func (s *Switch) Waiting(ctx context.Context, application string) ([]StasisStart, error) {
	raw, err := s.Channels(ctx)
	if err != nil {
		return nil, err
	}
	channels := make([]wireChannel, len(raw))
	for i := range raw {
		// An unreadable channel stays without an id and is skipped, as in a snapshot.
		_ = unmarshalTolerant(raw[i], &channels[i])
	}
	return waiting(channels, application), nil
}

// A new channel enters Stasis within a millisecond or two.
const (
	stasisAttempts = 20
	stasisPause    = 10 * time.Millisecond
)

// onceInStasis sends a request for a channel that was created a moment ago. Asterisk 22
// answers 409 and does nothing while the channel has not entered Stasis, so the request
// is repeated until it is answered otherwise, 20 times at most. When ctx ends it returns
// the last conflict.
func onceInStasis(ctx context.Context, request func() error) error {
	for attempt := 1; ; attempt++ {
		err := request()
		if attempt == stasisAttempts || !isConflict(err) || retry.Sleep(ctx, stasisPause) != nil {
			return err
		}
	}
}
