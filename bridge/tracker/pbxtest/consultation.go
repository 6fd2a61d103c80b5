package pbxtest

import (
	"strings"

	"pgregory.net/rapid"

	"kontur-ari/bridge"
)

// consultation is a call in which an employee asks a third person about a first call.
type consultation struct {
	// conversation is the first call, which waits.
	*conversation
	// call is the plan of the consultation. Its steps are those of the first call.
	call *plan
	// asks is the employee's second channel, phone the one that is asked.
	asks  *person
	phone *phone
	// again is the leg between the person who was asked and the one who waited.
	again *legTruth
}

// consult plays a consultation over a second line of the telephone. Then the employee joins
// the two by REFER with Replaces, or comes back to the first call.
func (c *conversation) consult() {
	transferer, transferee := c.whoTransfers()
	c.turn(transferer)
	k := c.newConsultation(&person{endpoint: transferer.endpoint, party: transferer.party})
	if !c.chance("without hold") {
		c.then(func() { c.hold(transferer, true) })
	}
	c.then(k.ring)
	if c.chance("no answer") {
		c.then(func() {
			k.phone.endDevices()
			k.phone.hearsThrough()
			k.call.truth.gone(k.asks.id)
		})
		c.then(func() { c.takesBack(transferer) })
		return
	}
	c.then(func() { k.phone.answer() })
	for range rapid.IntRange(0, 2).Draw(c.t, "alternations") {
		c.then(func() { k.alternate(transferer) })
	}
	switch rapid.IntRange(0, 3).Draw(c.t, "how the consultation ends") {
	case 0:
		k.isOver()
		c.then(func() { c.takesBack(transferer) })
	case 1:
		// The person who waits hangs up.
		c.then(func() {
			c.leg.end()
			c.truth.gone(transferee.id)
			c.truth.gone(transferer.id)
		})
		k.isOver()
	default:
		c.then(k.handOver)
	}
}

// turn makes the transferer the near person.
func (c *conversation) turn(transferer *person) {
	if transferer == c.far {
		c.far, c.near = c.near, c.far
	}
}

// newConsultation draws who is asked.
func (c *conversation) newConsultation(asks *person) *consultation {
	k := &consultation{conversation: c, call: &plan{Traffic: c.Traffic, truth: c.newTruth()}, asks: asks}
	known := append(desksBut(c.far, c.near), mobiles...)
	k.phone = k.call.reached(rapid.SampledFrom(known).Draw(c.t, "who is asked"), k.asks)
	// A report that takes the consultation for a part of the first call still has the
	// right parties.
	c.alike[c.story] = append(c.alike[c.story], asks.party+">"+k.phone.party, asks.party+">client")
	return k
}

// inHouse reports whether a colleague is asked.
func (k *consultation) inHouse() bool { return len(k.phone.number) == 3 }

// ring makes the employee's second channel call the third person.
func (k *consultation) ring() {
	k.asks.id = k.newID()
	truth := k.call.truth
	truth.call = k.asks.id
	truth.joins(k.asks.id)
	number, _, _ := strings.Cut(k.phone.number, "@")
	k.x.create(k.asks.id, k.asks.endpoint, bridge.StateRing, "100", number)
	if !k.inHouse() {
		k.x.callerID(k.asks.id, "79229929292")
	}
	k.begins(k.asks.id)
	k.phone.ring()
}

// begins starts the truth about the consultation. The leg is the colleague's, or with an
// outside person that of the employee who asks.
func (k *consultation) begins(own bridge.ChannelID) {
	truth := k.call.truth
	if k.inHouse() {
		if k.internalToo {
			truth.start("internal", "- -")
		}
		return
	}
	number, shown := "79221112233", "79229929292"
	if k.phone.endpoint == "PJSIP/spare" {
		number = "79990001122"
		if k.x.channels[own].CallerNumber != shown {
			shown = "78005553535"
		}
	}
	truth.start("outbound", number+" "+shown)
	k.phone.leg = truth.appear(own, k.asks.party+">client")
}

// alternate plays the employee going back to the first call and again to the second.
func (k *consultation) alternate(transferer *person) {
	k.x.about(bridge.EventChannelHold, k.asks.id)
	k.phone.leg.hold(true)
	k.hold(transferer, false)
	k.hold(transferer, true)
	k.x.about(bridge.EventChannelUnhold, k.asks.id)
	k.phone.leg.hold(false)
}

// isOver plays the end of the consultation: both hang up.
func (k *consultation) isOver() {
	first := k.chance("the employee hangs up first")
	k.then(func() {
		k.phone.leg.end()
		ends := []bridge.ChannelID{k.phone.answeredBy, k.asks.id}
		if first {
			ends[0], ends[1] = ends[1], ends[0]
		}
		k.call.truth.gone(ends[0])
		k.call.truth.gone(ends[1])
		k.phone.hearsThrough()
	})
}

// takesBack plays the employee's return to the first call.
func (c *conversation) takesBack(transferer *person) {
	c.hold(transferer, false)
	c.goesOn()
}

// handOver puts the person who waits in the employee's place. The moves come first and in
// order. The event of the transfer comes before the end of the employee's channels.
func (k *consultation) handOver() {
	near, waiting, place := k.near, k.far, k.asks.bridgeID
	truth, leg := k.truth, k.leg
	k.hold(near, false)
	k.x.about(bridge.EventChannelUnhold, k.asks.id)
	k.leaves(waiting)
	k.leaves(k.asks)
	k.enters(waiting, place)
	k.meets(false)
	k.interleaved("attended transfer",
		[]func(){func() { k.leaves(near) }},
		[]func(){func() {
			k.x.attendedTransfer(near.id, k.asks.id, waiting.id, k.phone.answeredBy)
			k.meets(true)
			leg.end()
		}},
	)
	k.interleaved("the employee's channels",
		[]func(){func() { truth.gone(near.id) }},
		[]func(){func() { k.call.truth.gone(k.asks.id) }},
	)
	k.afterwards()
}

// meets connects the person who waited and the one who was asked. If both are outside, only
// the event of the transfer shows that (understood).
func (k *consultation) meets(understood bool) {
	if k.again != nil || !understood && !k.inHouse() && !k.far.inHouse() {
		return
	}
	far, asked, from, into := k.far, k.phone.who, k.call.truth, k.truth
	parties := far.party + ">" + asked.party
	if far.inHouse() && !asked.inHouse() {
		// The outside person is a client, so the call is the client's.
		asked.party = "client"
		far, asked, from, into = asked, far, into, from
		parties = "client>" + asked.party
		k.leg.end()
		// After a gap it looks like an outbound call.
		k.alike[k.story] = append(k.alike[k.story], asked.party+">client")
	}
	// The events that show which call was first may be lost.
	k.alike[k.story] = append(k.alike[k.story], asked.party+">"+far.party, "client>"+far.party)
	k.again = into.appear(asked.id, parties)
	k.again.joined = !far.inHouse() && !asked.inHouse()
	k.again.connect()
	k.again.hold(far.held || asked.held)
	k.phone.leg.end()
	into.joins(asked.id)
	from.quits(asked.id)
	k.far, k.near = far, asked
}

// afterwards lets the two talk as if one had called the other.
func (k *consultation) afterwards() {
	k.plan.truth = k.again.of
	k.leg, k.halves = k.again, k.phone.halves
	k.goesOn()
}
