package commander_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"kontur-ari/bridge"
)

var errNoAnswer = errors.New("no answer in time")

// fakeSwitch is a switch with phones. It keeps the requests, and may fail
// before it carries one out, or after.
type fakeSwitch struct {
	mu       sync.Mutex
	channels map[bridge.ChannelID]*fakeChannel
	requests []string
	// contacts are the telephones of an endpoint; one that isn't there is offline.
	contacts map[string]int
	// fails says how a request goes wrong, by its name; nil: it doesn't.
	fails map[string]*fault
	// onCreate is called before a channel is made.
	onCreate func()
	// listen: a channel is made for each recording.
	listen bool
	// heard is given what the channels do.
	heard func(bridge.Event)
}

// fault is an error, given before or after the request is carried out, so often.
type fault struct {
	err   error
	done  bool
	times int
}

type fakeChannel struct {
	bridge.Channel
	dialled string
}

func newFakeSwitch() *fakeSwitch {
	return &fakeSwitch{
		channels: make(map[bridge.ChannelID]*fakeChannel),
		contacts: map[string]int{"PJSIP/101": 1, "PJSIP/102": 1, "PJSIP/107": 2},
		fails:    make(map[string]*fault),
	}
}

// do carries a request out unless it is to fail first.
func (s *fakeSwitch) do(what string, channel bridge.ChannelID, carryOut func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, what+" "+strings.TrimPrefix(string(channel), "kontur-ari~"))
	failure := s.fails[what]
	if failure != nil {
		if failure.times--; failure.times == 0 {
			delete(s.fails, what)
		}
		if !failure.done {
			return failure.err
		}
	}
	err := carryOut()
	if failure != nil {
		return failure.err
	}
	return err
}

// fail makes a request go wrong.
func (s *fakeSwitch) fail(what string, how fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fails[what] = &how
}

func (s *fakeSwitch) Create(_ context.Context, call bridge.PhoneCall) error {
	if s.onCreate != nil {
		s.onCreate()
	}
	return s.do("create", call.Channel, func() error {
		endpoint := strings.Join(strings.Split(call.Endpoint, "/")[:2], "/")
		if s.contacts[endpoint] == 0 || s.channels[call.Channel] != nil {
			return bridge.ErrDeclined
		}
		ch := &fakeChannel{Channel: bridge.Channel{ID: call.Channel, Name: fmt.Sprintf("%s-%08x", endpoint, len(s.requests)), State: bridge.StateDown, Application: "Stasis", WaitsForDial: true}}
		s.channels[call.Channel] = ch
		s.say(bridge.EventChannelCreated, ch)
		return nil
	})
}

func (s *fakeSwitch) Contacts(_ context.Context, channel bridge.ChannelID, endpoint string) ([]string, error) {
	var contacts []string
	err := s.do("contacts", channel, func() error {
		for n := range s.contacts[endpoint] {
			contacts = append(contacts, fmt.Sprintf("%s/sip:%d", endpoint, n))
		}
		return nil
	})
	return contacts, err
}

func (s *fakeSwitch) Ring(_ context.Context, channel bridge.ChannelID, _ time.Duration) error {
	return s.do("ring", channel, func() error {
		ch := s.channels[channel]
		if ch == nil {
			return bridge.ErrNoChannel
		}
		s.hear(bridge.Event{Type: bridge.EventDial, Peer: &ch.Channel})
		ch.State = bridge.StateRinging
		s.say(bridge.EventChannelStateChange, ch)
		return nil
	})
}

func (s *fakeSwitch) Dial(_ context.Context, channel bridge.ChannelID, number string) error {
	return s.do("dial", channel, func() error {
		ch := s.channels[channel]
		switch {
		case ch == nil:
			return bridge.ErrNoChannel
		case ch.dialled != "":
			return nil
		}
		ch.dialled = number
		return nil
	})
}

func (s *fakeSwitch) Hangup(_ context.Context, channel bridge.ChannelID, cause int) error {
	return s.do("hang up", channel, func() error {
		ch := s.channels[channel]
		if ch == nil {
			return bridge.ErrNoChannel
		}
		delete(s.channels, channel)
		s.hear(bridge.Event{Type: bridge.EventChannelDestroyed, Channel: &ch.Channel, Cause: cause})
		return nil
	})
}

func (s *fakeSwitch) Record(_ context.Context, channel bridge.ChannelID, name string) error {
	return s.do("record "+name, channel, func() error {
		if s.channels[channel] == nil {
			return bridge.ErrNoChannel
		}
		if s.listen {
			s.channels[bridge.ChannelID(name)] = &fakeChannel{Channel: bridge.Channel{ID: bridge.ChannelID(name), Name: "Snoop/" + string(channel) + "-00000000"}}
		}
		return nil
	})
}

func (s *fakeSwitch) State(_ context.Context, channel bridge.ChannelID) (bridge.ChannelState, error) {
	var state bridge.ChannelState
	err := s.do("state", channel, func() error {
		ch := s.channels[channel]
		if ch == nil {
			return bridge.ErrNoChannel
		}
		state = ch.State
		return nil
	})
	return state, err
}

// pickUp answers a telephone.
func (s *fakeSwitch) pickUp(channel bridge.ChannelID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.channels[channel].State = bridge.StateUp
	s.say(bridge.EventChannelStateChange, s.channels[channel])
}

func (s *fakeSwitch) say(kind bridge.EventType, ch *fakeChannel) {
	seen := ch.Channel
	s.hear(bridge.Event{Type: kind, Channel: &seen})
}

func (s *fakeSwitch) hear(event bridge.Event) {
	event.Time = time.Now()
	if s.heard != nil {
		s.heard(event)
	}
}

// history returns the requests so far, without questions.
func (s *fakeSwitch) history() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.requests), func(what string) bool {
		return strings.HasPrefix(what, "state") || strings.HasPrefix(what, "contacts")
	})
}
