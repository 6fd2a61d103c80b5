package pbxtest

import (
	"strings"

	"pgregory.net/rapid"

	"kontur-ari/bridge"
)

// person is a channel and who is behind it.
type person struct {
	id       bridge.ChannelID
	endpoint string
	party    string
	// bridge is the bridge the channel is in.
	bridgeID string
	// held: this one has put the other side on hold.
	held bool
}

// inHouse tells a phone of the house from somebody outside.
func (p *person) inHouse() bool { return strings.HasPrefix(p.endpoint, "PJSIP/1") }

// conversation is a call once it is answered: somebody near, an employee but for
// those who were called outside, talks with somebody far, the client but for
// internal calls.
type conversation struct {
	*plan
	far, near *person
	leg       *legTruth
	// halves are the Local channel that the two hear each other through, if any.
	halves [2]bridge.ChannelID
	// more is how many things may still happen.
	more int
}

// converse: two have begun to talk. What happens next is decided as they go.
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

// through are the halves of the Local channel in between that are there still.
func (c *conversation) through() []bridge.ChannelID {
	var halves []bridge.ChannelID
	for _, id := range c.halves {
		if c.x.channels[id] != nil {
			halves = append(halves, id)
		}
	}
	return halves
}

// holds: either side holds, or takes back; it may stay so until they part.
func (c *conversation) holds() {
	who := rapid.SampledFrom([]*person{c.far, c.near}).Draw(c.t, "who holds")
	for range rapid.IntRange(1, 3).Draw(c.t, "holds and resumes") {
		c.then(func() { c.hold(who, !who.held) })
	}
	c.then(c.goesOn)
}

// hold: one side presses hold or takes it back. An Unhold where there was no hold
// is something Asterisk sends.
func (c *conversation) hold(who *person, on bool) {
	who.held = on
	kind := bridge.EventChannelUnhold
	if on {
		kind = bridge.EventChannelHold
	}
	c.x.about(kind, who.id)
	c.leg.hold(c.far.held || c.near.held)
}

// leaves takes somebody out of the bridge he is in. A hold does not outlast that.
func (c *conversation) leaves(who *person) {
	c.x.leave(who.id, who.bridgeID)
	c.x.closeEmpty(who.bridgeID)
	who.bridgeID, who.held = "", false
}

func (c *conversation) enters(who *person, bridgeID string) {
	who.bridgeID = bridgeID
	c.x.enter(who.id, bridgeID, false)
}

// end: both hang up, in either order, and the Local channel between them goes
// before, after or with the second.
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
