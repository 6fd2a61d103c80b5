package pbxtest

import (
	"fmt"
	"time"

	"pgregory.net/rapid"

	"kontur-ari/bridge"
)

// Traffic is a set of calls that were played in an exchange at the same time, with the truth
// about each. See [AnyTraffic].
type Traffic struct {
	t           *rapid.T
	x           *exchange
	internalToo bool
	truths      []*truth
	serial      int
	// stories is the story of each channel. A story is a call with all consultations about
	// it and all people who join it. current is the story that is being played.
	stories map[bridge.ChannelID]int
	current int
	// alike are the parties that reports of a story may name beside the true ones.
	alike map[int][]string
	// served counts, by channel, the legs of reported calls that have its id.
	served map[bridge.ChannelID]int
	// moments are the snapshots of the exchange: one before every event, and one
	// after the last.
	moments []bridge.Event
}

// plan is the steps that one call still has to go.
type plan struct {
	*Traffic
	steps []func()
	truth *truth
	story int
}

func (p *plan) then(step func()) { p.steps = append(p.steps, step) }

// AnyTraffic draws 1 to most calls and plays them to their ends, interleaved. internalToo says
// whether internal calls are reported ([Traffic.Want]).
func AnyTraffic(t *rapid.T, internalToo bool, most int) *Traffic {
	m := &Traffic{t: t, x: newExchange(), internalToo: internalToo, served: make(map[bridge.ChannelID]int), stories: make(map[bridge.ChannelID]int), alike: make(map[int][]string)}
	plans := make([]*plan, rapid.IntRange(1, most).Draw(t, "calls"))
	for i := range plans {
		plans[i] = m.anyCall()
		plans[i].story = i
	}
	for len(plans) > 0 {
		i := rapid.IntRange(0, len(plans)-1).Draw(t, "whose turn")
		m.x.now = m.x.now.Add(time.Duration(rapid.IntRange(0, 3000).Draw(t, "ms")) * time.Millisecond)
		m.current = plans[i].story
		plans[i].steps[0]()
		m.keepMoments()
		if plans[i].steps = plans[i].steps[1:]; len(plans[i].steps) == 0 {
			plans = append(plans[:i], plans[i+1:]...)
		}
	}
	m.keepMoments()
	m.moments = append(m.moments, m.x.snapshot())
	return m
}

// keepMoments stores the snapshot of now for all events of the last step: ARI's lists run ahead
// of its events.
func (m *Traffic) keepMoments() {
	if len(m.moments) < len(m.x.events) {
		now := m.x.snapshot()
		for len(m.moments) < len(m.x.events) {
			m.moments = append(m.moments, now)
		}
	}
}

// newTruth returns the truth about a new call.
func (m *Traffic) newTruth() *truth {
	c := &truth{Traffic: m}
	m.truths = append(m.truths, c)
	return c
}

func (m *Traffic) anyCall() *plan {
	p := &plan{Traffic: m, truth: m.newTruth()}
	switch rapid.IntRange(0, 7).Draw(m.t, "kind of call") {
	case 0, 1, 2:
		p.inbound()
	case 3, 4:
		p.outbound()
	case 5:
		p.internal()
	case 6:
		p.conference()
	default:
		p.echoTest()
	}
	return p
}

func (m *Traffic) chance(label string) bool { return rapid.Bool().Draw(m.t, label) }

// newID returns the next unique id. It must be called when the channel is created.
func (m *Traffic) newID() bridge.ChannelID {
	m.serial++
	id := bridge.ChannelID(fmt.Sprintf("1795401475.%d", m.serial))
	m.stories[id] = m.current
	return id
}

// interleaved runs several sequences in a random interleaving.
func (m *Traffic) interleaved(label string, each ...[]func()) {
	for len(each) > 0 {
		i := rapid.IntRange(0, len(each)-1).Draw(m.t, label)
		each[i][0]()
		if each[i] = each[i][1:]; len(each[i]) == 0 {
			each = append(each[:i], each[i+1:]...)
		}
	}
}

// shuffled returns a function that does things in a random order.
func (m *Traffic) shuffled(label string, things ...func()) func() {
	order := rapid.Permutation(things).Draw(m.t, label)
	return func() {
		for _, thing := range order {
			thing()
		}
	}
}

// Events returns what the exchange has sent, in order.
func (m *Traffic) Events() []bridge.Event { return m.x.events }

// Snapshot returns the snapshot that a connect just before the n-th event would
// get; n may be the number of events.
func (m *Traffic) Snapshot(n int) bridge.Event { return m.moments[n] }

// Calls returns how many calls there were, reported or not.
func (m *Traffic) Calls() int { return len(m.truths) }

// Want returns what must be reported of each call, in the form of a Transcript.
func (m *Traffic) Want() map[string][]string {
	lines := make(map[string][]string)
	for _, c := range m.truths {
		if c.started {
			lines[string(c.call)] = c.lines
		}
	}
	return lines
}
