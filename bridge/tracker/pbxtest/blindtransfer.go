package pbxtest

import "kontur-ari/bridge"

// blindTransfer plays a blind transfer, by REFER or by the keys of the telephone, which hold
// first. The phones that ring next may not answer.
func (c *conversation) blindTransfer() {
	transferer, transferee := c.whoTransfers()
	if c.chance("by keys") {
		c.then(func() { c.hold(transferer, true) })
	}
	c.then(func() {
		c.sendsAway(transferer, transferee, "600", func() { c.leaves(transferee) })
		c.truth.gone(transferer.id)
		c.runsDialPlan(transferee)
		if !transferee.inHouse() && c.chance("to a conference") {
			c.confer(transferee)
			return
		}
		c.ringRounds(transferee, func() {})
	})
}

// whoTransfers draws which employee transfers the other person.
func (c *conversation) whoTransfers() (transferer, transferee *person) {
	if c.far.inHouse() && c.chance("who called transfers") {
		return c.far, c.near
	}
	return c.near, c.far
}

// sendsAway plays the moment of a blind transfer: its event and the moves of the channels come
// in any order.
func (c *conversation) sendsAway(transferer, transferee *person, exten string, goes func()) {
	c.hold(transferer, false)
	c.interleaved("blind transfer",
		[]func(){goes},
		[]func(){func() { c.leaves(transferer) }},
		[]func(){func() {
			c.x.blindTransfer(transferer.id, transferee.id, exten)
			c.leg.end()
		}},
	)
}

// runsDialPlan makes a channel that was called, or whose call is over, a caller.
func (c *conversation) runsDialPlan(who *person) {
	ch := c.x.channels[who.id]
	ch.Application, ch.State = "Dial", bridge.StateUp
}
