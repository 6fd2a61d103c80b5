package pbxtest

import (
	"strings"

	"pgregory.net/rapid"

	"kontur-ari/bridge"
)

// person is a channel and the party behind it.
type person struct {
	id       bridge.ChannelID
	endpoint string
	party    string
	// bridgeID is the bridge the channel is in.
	bridgeID string
	// held: this person has put the other side on hold.
	held bool
}

// inHouse reports whether the person is an employee.
func (p *person) inHouse() bool { return strings.HasPrefix(p.endpoint, "PJSIP/1") }

// conversation is an answered call. near is an employee, or the person outside who was called.
// far is the client, or in an internal call an employee.
type conversation struct {
	*plan
	far, near *person
	leg       *legTruth
	// halves are those of the Local channel between the two, if any.
	halves [2]bridge.ChannelID
	// more counts the things that may still happen.
	more int
}

// converse starts a conversation and draws what happens in it step by step.
func (p *plan) converse(far, near *person, leg *legTruth, halves [2]bridge.ChannelID) {
	c := &conversation{plan: p, far: far, near: near, leg: leg, halves: halves}
	c.more = rapid.IntRange(0, 3).Draw(p.t, "things to happen")
	c.goesOn()
}

// goesOn plans the next thing that happens.
func (c *conversation) goesOn() {
	if c.more == 0 {
		c.end()
		return
	}
	c.more--
	happenings := []func(){c.holds, c.holds}
	if c.near.inHouse() && c.through() == nil {
		happenings = append(happenings, c.blindTransfer, c.consult, c.consultByKeys, c.park)
	}
	rapid.SampledFrom(happenings).Draw(c.t, "what happens")()
}

// through returns the halves of the Local channel in between that still exist.
func (c *conversation) through() []bridge.ChannelID {
	var halves []bridge.ChannelID
	for _, id := range c.halves {
		if c.x.channels[id] != nil {
			halves = append(halves, id)
		}
	}
	return halves
}

// holds plays holds and resumes by one side. A hold may last until the end.
func (c *conversation) holds() {
	who := rapid.SampledFrom([]*person{c.far, c.near}).Draw(c.t, "who holds")
	for range rapid.IntRange(1, 3).Draw(c.t, "holds and resumes") {
		c.then(func() { c.hold(who, !who.held) })
	}
	c.then(c.goesOn)
}

// hold plays a hold or a resume. Asterisk also sends an Unhold without a hold before.
func (c *conversation) hold(who *person, on bool) {
	who.held = on
	kind := bridge.EventChannelUnhold
	if on {
		kind = bridge.EventChannelHold
	}
	c.x.about(kind, who.id)
	c.leg.hold(c.far.held || c.near.held)
}

// leaves takes a person out of the bridge, which ends the hold.
func (c *conversation) leaves(who *person) {
	c.x.leave(who.id, who.bridgeID)
	c.x.closeEmpty(who.bridgeID)
	who.bridgeID, who.held = "", false
}

func (c *conversation) enters(who *person, bridgeID string) {
	who.bridgeID = bridgeID
	c.x.enter(who.id, bridgeID, false)
}

// end hangs up both in either order. The Local channel between them goes with the first or
// the second.
func (c *conversation) end() {
	ends := rapid.Permutation([]*person{c.far, c.near}).Draw(c.t, "who hangs up")
	between := rapid.Permutation(c.through()).Draw(c.t, "which half goes first")
	early := c.chance("the Local channel goes with the first")
	unplug := func() {
		for _, id := range between {
			c.x.destroy(id, 16)
		}
	}
	c.then(func() {
		c.leg.end()
		c.truth.gone(ends[0].id)
		if early {
			unplug()
		}
	})
	c.then(func() {
		c.truth.gone(ends[1].id)
		if !early {
			unplug()
		}
	})
}
