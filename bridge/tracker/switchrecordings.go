package tracker

import (
	"slices"
	"strings"
	"time"

	"kontur-ari/bridge"
	"kontur-ari/bridge/directory"
)

// snoopPrefix begins the names of snoop channels. The id of the channel that they listen to
// follows, then a serial (Asterisk 22, res_stasis_snoop).
const snoopPrefix = "Snoop/"

// snooped returns the channel that a snoop channel of that name listens to; "" for other
// channels.
func snooped(name string) bridge.ChannelID {
	rest, isSnoop := strings.CutPrefix(name, snoopPrefix)
	dash := strings.LastIndexByte(rest, '-')
	if !isSnoop || dash < 0 {
		return ""
	}
	return bridge.ChannelID(rest[:dash])
}

// recordingFinished reports a recording that another program has made over ARI. Our own are
// reported when their channel goes ([Tracker.leaveMade]).
func (t *Tracker) recordingFinished(event bridge.Event) {
	finished := event.Recording
	if finished == nil || finished.Name == "" || !t.policy.Recordings || t.isMade(finished.Name) {
		return
	}
	ch := t.channels[finished.Channel]
	if finished.Bridge != "" {
		ch = firstHeard(t.byBridge[finished.Bridge])
	}
	stored := []bridge.StoredFile{finished.StoredFile}
	if ch == nil {
		// The event often comes after all channels have gone.
		if r, known := t.recentlyGone.find(recentlyGoneKey(finished.Channel, finished.Bridge)); known {
			r.To, r.Stored = laterOf(r.From, t.now), stored
			t.outcome.Recorded = append(t.outcome.Recorded, r)
		}
		return
	}
	r := bridge.Recorded{Channel: ch.ID, Name: ch.Name, From: t.born(ch), To: t.now, Stored: stored}
	switch of := ch.Heard; {
	case of != nil:
		r.Call, r.Leg, r.Since = of.Call, of.Leg, of.Since
		t.outcome.Recorded = append(t.outcome.Recorded, r)
	case ch.side != directory.Plumbing || snooped(ch.Name) == "":
		t.leaveFor(ch.call, r)
	}
}

func laterOf(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// recentlyGone holds the owners of recordings for a fixed number of channels and bridges that
// were connected last. It is not saved: a recording that another program has made, and
// that is reported just after a restart, may have no owner.
type recentlyGone struct {
	keys  []string
	whose map[string]bridge.Recorded
}

const mostRecentlyGone = 256

func recentlyGoneKey(channel bridge.ChannelID, bridgeID string) string {
	if bridgeID != "" {
		return "bridge:" + bridgeID
	}
	return "channel:" + string(channel)
}

// remember stores the owner for a key, unless it has one.
func (l *recentlyGone) remember(key string, r bridge.Recorded) {
	if _, known := l.whose[key]; known {
		return
	}
	if l.whose == nil {
		l.whose = make(map[string]bridge.Recorded)
	}
	if l.keys = append(l.keys, key); len(l.keys) > mostRecentlyGone {
		delete(l.whose, l.keys[0])
		l.keys = l.keys[1:]
	}
	l.whose[key] = r
}

func (l *recentlyGone) find(key string) (bridge.Recorded, bool) {
	r, known := l.whose[key]
	return r, known
}

// firstHeard returns the channel that was connected first, or the oldest if none was; nil for
// no channels.
func firstHeard(channels []*channel) *channel {
	if len(channels) == 0 {
		return nil
	}
	return slices.MinFunc(channels, func(a, b *channel) int {
		switch {
		case a.Heard != nil && b.Heard != nil && !a.Heard.Since.Equal(b.Heard.Since):
			return a.Heard.Since.Compare(b.Heard.Since)
		case (a.Heard == nil) != (b.Heard == nil):
			return map[bool]int{true: -1, false: 1}[a.Heard != nil]
		}
		return byBirth(a, b)
	})
}
