package pbxtest

import (
	"fmt"
	"time"

	"pgregory.net/rapid"

	"kontur-ari/bridge"
)

// Traffic makes calls go through an exchange, many at a time, the way Asterisk
// plays them, and keeps the truth about each.
type Traffic struct {
	t           *rapid.T
	x           *exchange
	internalToo bool
	truths      []*truth
	serial      int
	// stories tell which channels have to do with each other: those of a call, of the
	// consultations about it and of whoever joins it.
	stories map[bridge.ChannelID]int
	current int
	// alike are the parties that a consultation in a story may be told to have.
	alike map[int][]string
	// served is how many legs of reported calls have been named after a channel.
	served map[bridge.ChannelID]int
	// moments are the snapshots of the exchange: one before every event, and one
	// after the last.
	moments []bridge.Event
}

// plan is what one call will do, step by step.
type plan struct {
	*Traffic
	steps []func()
	truth *truth
	story int
}

func (p *plan) then(step func()) { p.steps = append(p.steps, step) }

// AnyTraffic plays up to that many calls to their ends.
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

// keepMoments takes the snapshot that a connect would get now. Within a step it
// is the truth after the step that is kept: ARI's lists run ahead of its events.
func (m *Traffic) keepMoments() {
	if len(m.moments) < len(m.x.events) {
		now := m.x.snapshot()
		for len(m.moments) < len(m.x.events) {
			m.moments = append(m.moments, now)
		}
	}
}

// newTruth is the truth about a call that may come to be.
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

// newID gives the next unique id. It is called when the channel is made.
func (m *Traffic) newID() bridge.ChannelID {
	m.serial++
	id := bridge.ChannelID(fmt.Sprintf("1795401475.%d", m.serial))
	m.stories[id] = m.current
	return id
}

// interleaved does what several do at once: each of them one thing after another.
func (m *Traffic) interleaved(label string, each ...[]func()) {
	for len(each) > 0 {
		i := rapid.IntRange(0, len(each)-1).Draw(m.t, label)
		each[i][0]()
		if each[i] = each[i][1:]; len(each[i]) == 0 {
			each = append(each[:i], each[i+1:]...)
		}
	}
}

// shuffled does things that happen in one moment, in any order.
func (m *Traffic) shuffled(label string, things ...func()) func() {
	order := rapid.Permutation(things).Draw(m.t, label)
	return func() {
		for _, thing := range order {
			thing()
		}
	}
}

func (p *plan) echoTest() {
	var own bridge.ChannelID
	p.then(func() {
		own = p.newID()
		p.x.create(own, "PJSIP/101", bridge.StateRing, "101", "*43")
	})
	p.then(func() { p.x.state(own, bridge.StateUp) })
	p.then(func() { p.x.destroy(own, 16) })
}

func (p *plan) inbound() {
	client := &person{endpoint: "PJSIP/trunk", party: "client"}
	p.comesIn(client)
	p.then(func() { p.x.state(client.id, bridge.StateUp) })
	p.ringRounds(client, func() {})
}

// comesIn: somebody outside calls.
func (p *plan) comesIn(client *person) {
	caller := rapid.SampledFrom([][2]string{{"+7(999)777-55-33", "79997775533"}, {"", "anonymous"}, {"442079460958", "442079460958"}}).Draw(p.t, "caller")
	did := rapid.SampledFrom([]string{"+79229929292", "s"}).Draw(p.t, "did")
	p.then(func() {
		client.id = p.newID()
		p.truth.call = client.id
		p.truth.joins(client.id)
		p.x.create(client.id, client.endpoint, bridge.StateRing, caller[0], did)
		p.truth.start("inbound", caller[1]+" 79229929292")
	})
}

func (p *plan) internal() {
	caller := &person{endpoint: "PJSIP/103", party: "user:u103"}
	p.then(func() {
		caller.id = p.newID()
		p.truth.call = caller.id
		p.truth.joins(caller.id)
		p.x.create(caller.id, caller.endpoint, bridge.StateRing, "103", "600")
	})
	p.ringRounds(caller, func() {
		if p.internalToo {
			p.truth.start("internal", "- -")
		}
	})
}

// ringRounds: phones ring, round after round, until one answers or the caller
// has enough.
func (p *plan) ringRounds(caller *person, before func()) {
	rounds := rapid.IntRange(0, 3).Draw(p.t, "rounds")
	for round := range rounds {
		r := p.newRound(caller)
		p.then(func() {
			before()
			r.ring()
		})
		p.then(func() { r.noise() })
		if round == rounds-1 && r.ends() {
			return
		}
		p.then(func() { r.endOthers(nil) })
	}
	p.then(func() { p.truth.gone(caller.id) })
}

// ends tells whether this round is the last, by being answered or otherwise.
func (r *round) ends() bool {
	switch rapid.IntRange(0, 5).Draw(r.t, "how it ends") {
	case 0, 1, 2:
		answering := rapid.SampledFrom(r.phones).Draw(r.t, "who answers")
		r.answered(answering, r.shuffled("answer", func() { r.endOthers(answering) }, answering.answer))
	case 3:
		return r.pickUp()
	case 4:
		r.then(func() { r.x.destroy(r.caller.id, 127) })
		r.then(func() {
			r.endOthers(nil)
			r.truth.quits(r.caller.id)
		})
	default:
		return false
	}
	return true
}

// answered: it is one of the phones that the caller talks to now.
func (r *round) answered(ph *phone, how func()) {
	r.then(func() {
		how()
		r.converse(r.caller, ph.who, ph.leg, ph.halves)
	})
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
