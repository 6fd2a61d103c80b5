package commander

import (
	"strings"
	"sync"
	"time"

	"kontur-ari/bridge"
	"kontur-ari/bridge/directory"
	"kontur-ari/bridge/tracker"
)

// read makes an order of a command, and finds the phones to ring for it; or says why
// it can't be obeyed.
func (c *Commander) read(command bridge.CallCommand) (bridge.ClickToCall, []directory.User, *bridge.Refusal) {
	click := bridge.ClickToCall{Application: c.config.Application, CommunicationID: strings.ToLower(command.CommunicationID)}
	if click.CommunicationID == "" {
		return click, nil, &bridge.Refusal{Status: bridge.RefusedInvalid, Message: "communicationId: is missing."}
	}
	entries := c.config.Directory.Entries(command.FromUserID)
	if len(entries) == 0 {
		return click, nil, &bridge.Refusal{Status: bridge.RefusedUser, Message: "fromUserId: this user is not in the telephone exchange's directory."}
	}
	click.From = entries[0].ID
	phones := withPhone(entries)
	if len(phones) == 0 {
		return click, nil, &bridge.Refusal{Status: bridge.RefusedUser, Message: "fromUserId: this user has no telephone in the exchange's directory."}
	}
	refusal := c.readTarget(&click, command)
	return click, phones, refusal
}

// readTarget finds who is to be dialled. Where toUserId is there it decides: the
// contract's example carries a clientPhone beside it.
func (c *Commander) readTarget(click *bridge.ClickToCall, command bridge.CallCommand) *bridge.Refusal {
	if command.ToUserID == "" {
		number := c.config.Numbers.Normalise(command.ClientPhone)
		if number == "" {
			return &bridge.Refusal{Status: bridge.RefusedNumber, Message: "clientPhone: is no telephone number."}
		}
		if !c.config.Allowed(number) {
			return &bridge.Refusal{Status: bridge.RefusedNumber, Message: "clientPhone: calls.allowed_numbers of the telephone exchange doesn't allow this number."}
		}
		click.Number = number
		return nil
	}
	entries := c.config.Directory.Entries(command.ToUserID)
	if len(entries) == 0 {
		return &bridge.Refusal{Status: bridge.RefusedUser, Message: "toUserId: this user is not in the telephone exchange's directory."}
	}
	click.To = entries[0].ID
	if click.To == click.From {
		return &bridge.Refusal{Status: bridge.RefusedInvalid, Message: "toUserId: is the user who calls."}
	}
	for _, entry := range entries {
		if entry.Extension != "" {
			click.Number = entry.Extension
			return nil
		}
	}
	return &bridge.Refusal{Status: bridge.RefusedUser, Message: "toUserId: this user has no extension in the telephone exchange's directory."}
}

func withPhone(entries []directory.User) []directory.User {
	var phones []directory.User
	for _, entry := range entries {
		if entry.Endpoint != "" {
			phones = append(phones, entry)
		}
	}
	return phones
}

// limits are how much one user may order. Users are those of the directory, so their
// number is bounded.
type limits struct {
	perMinute, atOnce int

	mu sync.Mutex
	// given are the moments of a user's orders in the last minute; admitted those of
	// them that the Tracker may not know yet.
	given    map[string][]time.Time
	admitted map[string]map[string]bool
}

func newLimits(perMinute, atOnce int) *limits {
	return &limits{
		perMinute: perMinute, atOnce: atOnce,
		given: make(map[string][]time.Time), admitted: make(map[string]map[string]bool),
	}
}

// admit counts an order against the limits of its user, until release is called and
// the Tracker knows of it.
func (c *Commander) admit(click bridge.ClickToCall) (release func(), refusal *bridge.Refusal) {
	l := c.limits
	l.mu.Lock()
	defer l.mu.Unlock()
	going := make(map[string]bool)
	for communication := range l.admitted[click.From] {
		going[communication] = true
	}
	c.tracking.Look(func(t *tracker.Tracker) {
		open, _ := t.OpenClickToCalls()
		for _, other := range open {
			if other.From == click.From {
				going[other.CommunicationID] = true
			}
		}
	})
	if len(going) >= l.atOnce {
		return nil, &bridge.Refusal{Status: bridge.RefusedRate, Message: "This user has as many calls going on as the telephone exchange allows at a time."}
	}
	if !l.count(click.From, time.Now()) {
		return nil, &bridge.Refusal{Status: bridge.RefusedRate, Message: "This user has ordered as many calls in the last minute as the telephone exchange allows."}
	}
	if l.admitted[click.From] == nil {
		l.admitted[click.From] = make(map[string]bool)
	}
	l.admitted[click.From][click.CommunicationID] = true
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.admitted[click.From], click.CommunicationID)
	}, nil
}

// count notes an order of a user, unless there were enough in the minute before. The
// caller holds the lock.
func (l *limits) count(user string, now time.Time) bool {
	recent := l.given[user]
	for len(recent) > 0 && now.Sub(recent[0]) >= time.Minute {
		recent = recent[1:]
	}
	if len(recent) >= l.perMinute {
		l.given[user] = recent
		return false
	}
	l.given[user] = append(recent, now)
	return true
}
