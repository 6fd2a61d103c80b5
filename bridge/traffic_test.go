package bridge_test

import (
	"fmt"
	"time"

	"pgregory.net/rapid"

	"kontur-ari/bridge"
)

// traffic makes calls go through an exchange, many at a time, the way Asterisk
// plays them, and keeps the truth about each.
type traffic struct {
	t      *rapid.T
	x      *exchange
	policy bridge.Policy
	truths []*truth
	serial int
	// moments are the snapshots of the exchange: one before every event, and one
	// after the last.
	moments []bridge.Event
}

// plan is what one call will do, step by step.
type plan struct {
	*traffic
	steps []func()
	truth *truth
}

func (p *plan) then(step func()) { p.steps = append(p.steps, step) }

// anyTraffic plays up to that many calls to their ends.
func anyTraffic(t *rapid.T, policy bridge.Policy, most int) *traffic {
	m := &traffic{t: t, x: newExchange(), policy: policy}
	plans := make([]*plan, rapid.IntRange(1, most).Draw(t, "calls"))
	for i := range plans {
		plans[i] = m.anyCall()
	}
	for len(plans) > 0 {
		i := rapid.IntRange(0, len(plans)-1).Draw(t, "whose turn")
		m.x.now = m.x.now.Add(time.Duration(rapid.IntRange(0, 3000).Draw(t, "ms")) * time.Millisecond)
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
func (m *traffic) keepMoments() {
	if len(m.moments) < len(m.x.events) {
		now := m.x.snapshot()
		for len(m.moments) < len(m.x.events) {
			m.moments = append(m.moments, now)
		}
	}
}

func (m *traffic) anyCall() *plan {
	p := &plan{traffic: m, truth: &truth{x: m.x}}
	m.truths = append(m.truths, p.truth)
	switch rapid.IntRange(0, 6).Draw(m.t, "kind of call") {
	case 0, 1, 2:
		p.inbound()
	case 3, 4:
		p.outbound()
	case 5:
		p.internal()
	default:
		p.echoTest()
	}
	return p
}

func (m *traffic) chance(label string) bool { return rapid.Bool().Draw(m.t, label) }

// newID gives the next unique id. It is called when the channel is made.
func (m *traffic) newID() bridge.ChannelID {
	m.serial++
	return bridge.ChannelID(fmt.Sprintf("1795401475.%d", m.serial))
}

// shuffled does things that happen in one moment, in any order.
func (m *traffic) shuffled(label string, things ...func()) func() {
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
	caller := rapid.SampledFrom([][2]string{{"+7(999)777-55-33", "79997775533"}, {"", "anonymous"}, {"442079460958", "442079460958"}}).Draw(p.t, "caller")
	did := rapid.SampledFrom([]string{"+79229929292", "s"}).Draw(p.t, "did")
	root := new(bridge.ChannelID)
	p.then(func() {
		*root = p.newID()
		p.truth.call = *root
		p.x.create(*root, "PJSIP/trunk", bridge.StateRing, caller[0], did)
		p.truth.start("inbound", caller[1]+" 79229929292")
	})
	p.then(func() { p.x.state(*root, bridge.StateUp) })
	p.ringRounds(root, "client", true, func() {})
}

func (p *plan) internal() {
	root := new(bridge.ChannelID)
	p.then(func() {
		*root = p.newID()
		p.truth.call = *root
		p.x.create(*root, "PJSIP/103", bridge.StateRing, "103", "600")
	})
	p.ringRounds(root, "user:u103", false, func() { p.truth.start("internal", "- -") })
}

// ringRounds: phones ring, round after round, until one answers or the caller
// has enough.
func (p *plan) ringRounds(root *bridge.ChannelID, from string, mobiles bool, before func()) {
	rounds := rapid.IntRange(0, 3).Draw(p.t, "rounds")
	for round := range rounds {
		r := p.newRound(root, from, mobiles)
		p.then(func() {
			if p.policy.ReportInternal || from == "client" {
				before()
			}
			r.ring()
		})
		p.then(func() { r.noise() })
		if round == rounds-1 && p.chance("answered") {
			answering := rapid.SampledFrom(r.phones).Draw(p.t, "who answers")
			p.then(p.shuffled("answer", func() { r.endOthers(answering) }, func() { answering.answer() }))
			p.talk(root, &answering.answeredBy, answering.hearsThrough, func() *legTruth { return answering.leg })
			return
		}
		if round == rounds-1 && p.chance("caller gives up first") {
			p.then(func() { p.x.destroy(*root, 127) })
			p.then(func() {
				r.endOthers(nil)
				p.truth.hangUp()
			})
			return
		}
		p.then(func() { r.endOthers(nil) })
	}
	p.then(func() {
		p.x.destroy(*root, 16)
		p.truth.hangUp()
	})
}

// talk: holds and resumes, and then both hang up, in either order.
func (p *plan) talk(root, other *bridge.ChannelID, plumbing func(), leg func() *legTruth) {
	for range rapid.IntRange(0, 2).Draw(p.t, "holds") {
		holder := rapid.SampledFrom([]*bridge.ChannelID{root, other}).Draw(p.t, "who holds")
		p.then(func() {
			p.x.about(bridge.EventChannelUnhold, *holder)
			p.x.about(bridge.EventChannelHold, *holder)
			leg().is("paused")
		})
		p.then(func() {
			p.x.about(bridge.EventChannelUnhold, *holder)
			leg().is("connected")
		})
	}
	ends := rapid.Permutation([]*bridge.ChannelID{root, other}).Draw(p.t, "who hangs up")
	p.then(func() {
		p.x.destroy(*ends[0], 16)
		leg().end()
	})
	p.then(func() {
		p.x.destroy(*ends[1], 16)
		p.truth.hangUp()
		plumbing()
	})
}
