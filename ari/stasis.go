package ari

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/CyCoreSystems/ari/v6"

	"kontur-ari/bridge"
)

// stasisApplication is the dial plan application in which a channel waits for an
// ARI application to decide about it.
const stasisApplication = "Stasis"

// StasisStart is a channel that waits for us in the dial plan: it runs
// Stasis(application,arguments...) and goes nowhere until it is told to.
//
// It is no [bridge.Event]: it says what the dial plan asks of us and nothing of
// what the call does, so that a journal replays the same with or without it.
type StasisStart struct {
	Channel bridge.Channel
	// Arguments are what follows the application's name in the dial plan.
	Arguments []string
	// Time is Asterisk's, zero where it is not known: where Found is set.
	Time time.Time
	// Found is set for a channel that was found waiting, in a list of channels:
	// it came while nobody listened, and nobody knows for how long it has waited.
	Found bool
}

// ClickToCallFor tells whether the channel is there since it was made for an order: it then
// asks nothing of us. Later the dial plan may send it here as any other.
func (s StasisStart) Ordered() bool {
	return slices.Equal(s.Arguments, []string{orderedArgument})
}

// Listens tells whether the channel is there to record another: it asks nothing of us.
func (s StasisStart) Listens() bool {
	return slices.Equal(s.Arguments, []string{listeningArgument})
}

// wireStasisStart is the event as Asterisk sends it.
type wireStasisStart struct {
	Type      string       `json:"type"`
	Timestamp string       `json:"timestamp"`
	Args      []string     `json:"args"`
	Channel   *wireChannel `json:"channel"`
}

// decodeStasisStart reads the event, as tolerantly as [Decode]; false when raw is
// another one, or names no channel.
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

// waiting lists, of channels as Asterisk shows them, those that wait in Stasis for
// an application.
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

// Waiting returns the channels that wait in Stasis for an application at this
// moment, whoever is to decide about them.
func (s *Switch) Waiting(ctx context.Context, application string) ([]StasisStart, error) {
	raw, err := s.Channels(ctx)
	if err != nil {
		return nil, err
	}
	channels := make([]wireChannel, len(raw))
	for i := range raw {
		// A channel that can't be read stays without an id and is passed over, as
		// in a snapshot.
		_ = unmarshalTolerant(raw[i], &channels[i])
	}
	return waiting(channels, application), nil
}

// doorkeeper tells of the channels that enter Stasis for us on one connection:
// those that Asterisk announces, at once, and those that the connection's snapshot
// finds there and nobody announced. Safe for concurrent use.
type doorkeeper struct {
	tell func(StasisStart)

	mu sync.Mutex
	// announced are the channels so far; nil once the snapshot was looked through.
	announced map[bridge.ChannelID]bool
}

func newDoorkeeper(tell func(StasisStart)) *doorkeeper {
	return &doorkeeper{tell: tell, announced: map[bridge.ChannelID]bool{}}
}

// announce tells of a channel that has just entered.
func (d *doorkeeper) announce(start StasisStart) {
	d.mu.Lock()
	if d.announced != nil {
		d.announced[start.Channel.ID] = true
	}
	d.mu.Unlock()
	if d.tell != nil {
		d.tell(start)
	}
}

// lookThrough tells of the channels of a snapshot that nobody announced.
func (d *doorkeeper) lookThrough(snapshot []byte, application string) {
	d.mu.Lock()
	announced := d.announced
	d.announced = nil
	d.mu.Unlock()
	var wire wireEvent
	if d.tell == nil || unmarshalTolerant(snapshot, &wire) != nil {
		return
	}
	for _, start := range waiting(wire.Channels, application) {
		if !announced[start.Channel.ID] {
			d.tell(start)
		}
	}
}
