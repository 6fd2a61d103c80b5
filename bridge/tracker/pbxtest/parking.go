package pbxtest

import (
	"pgregory.net/rapid"

	"kontur-ari/bridge"
)

// lot is the bridge of parked channels.
const lot = "parking"

// park plays parking, by REFER or by the keys of the telephone, whose channel may stay for a
// while. The parked person is taken up, calls back after a time, or hangs up.
func (c *conversation) park() {
	parker, parked := c.whoTransfers()
	goes := func() {
		c.leaves(parked)
		c.x.enter(parked.id, lot, true)
		c.leg.end()
	}
	if c.chance("by keys") {
		c.then(goes)
		c.then(func() {
			c.leaves(parker)
			c.truth.gone(parker.id)
			c.waits(parker, parked)
		})
		return
	}
	c.then(func() {
		c.sendsAway(parker, parked, "700", goes)
		c.truth.gone(parker.id)
		c.waits(parker, parked)
	})
}

// waits draws what becomes of the parked person.
func (c *conversation) waits(parker, parked *person) {
	switch rapid.IntRange(0, 3).Draw(c.t, "what becomes of who is parked") {
	case 0:
		c.then(func() { c.truth.gone(parked.id) })
	case 1:
		c.then(func() {
			c.x.leave(parked.id, lot)
			c.runsDialPlan(parked)
			c.ringRounds(parked, func() {})
		})
	default:
		c.takenUp(parked)
	}
}

// takenUp plays an employee who dials the number of the parking space.
func (c *conversation) takenUp(parked *person) {
	ph := rapid.SampledFrom(desksBut(parked)).Draw(c.t, "who takes up")
	own := &person{endpoint: ph.endpoint, party: ph.party}
	c.then(func() {
		own.id = c.newID()
		c.x.create(own.id, own.endpoint, bridge.StateRing, ph.number, "701")
		c.x.state(own.id, bridge.StateUp)
	})
	c.then(func() {
		bridgeID := "taken-up-" + string(own.id)
		c.interleaved("taken up",
			[]func(){func() { c.x.leave(parked.id, lot) }, func() { c.enters(parked, bridgeID) }},
			[]func(){func() { c.enters(own, bridgeID) }},
		)
		c.truth.joins(own.id)
		// After a gap it looks like a call to the parked person.
		c.alike[c.story] = append(c.alike[c.story], own.party+">"+parked.party)
		leg := c.truth.appear(own.id, parked.party+">"+own.party)
		leg.connect()
		c.converse(parked, own, leg, [2]bridge.ChannelID{})
	})
}
