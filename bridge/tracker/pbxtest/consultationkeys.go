package pbxtest

import (
	"fmt"

	"pgregory.net/rapid"

	"kontur-ari/bridge"
)

// consulting begins the names of the bridges of consultations by keys.
const consulting = "consulting-"

// consultByKeys plays a consultation by keys (*2 and a number). Asterisk puts the employee
// into a bridge with a Local channel that calls the third person.
func (c *conversation) consultByKeys() {
	transferer, _ := c.whoTransfers()
	c.turn(transferer)
	k := c.newConsultation(&person{id: transferer.id, endpoint: transferer.endpoint, party: transferer.party})
	k.phone.local = false
	home := transferer.bridgeID
	c.then(func() { c.hold(transferer, true) })
	c.then(func() { k.ringByKeys() })
	if c.chance("no answer") {
		c.then(func() {
			k.phone.endDevices()
			k.goesHome(home)
			k.unplug()
			c.takesBack(transferer)
		})
		return
	}
	c.then(func() {
		k.x.dialStatus("", k.phone.halves[0], "RINGING")
		k.phone.answer()
		k.x.dialStatus("", k.phone.halves[0], "ANSWER")
		k.halves = k.phone.halves
	})
	switch rapid.IntRange(0, 2).Draw(c.t, "how the consultation ends") {
	case 0:
		c.then(func() {
			k.comesBack(home)
			c.takesBack(transferer)
		})
	default:
		c.then(func() { k.handOverByKeys(home) })
	}
}

// ringByKeys makes the Local channel call while the employee moves to its bridge.
func (k *consultation) ringByKeys() {
	k.phone.halves = [2]bridge.ChannelID{k.newID(), k.newID()}
	first, second := k.phone.halves[0], k.phone.halves[1]
	pair := fmt.Sprintf("Local/%s@from-internal-%08x", k.phone.number, k.serial)
	k.x.create(first, pair+";1", bridge.StateDown, "", "600")
	k.x.channels[first].LinkedID = k.x.channels[k.near.id].LinkedID
	k.x.create(second, pair+";2", bridge.StateRing, "", "600")
	truth := k.call.truth
	truth.call = first
	truth.joins(k.near.id)
	k.begins(k.near.id)
	k.phone.caller = &person{id: second, endpoint: "Local", party: k.near.party}
	k.interleaved("consultation by keys",
		[]func(){func() { k.x.enter(first, consulting+string(first), false) }},
		[]func(){func() { k.leaves(k.near) }, func() { k.enters(k.near, consulting+string(first)) }},
		[]func(){func() { k.phone.ring() }},
	)
}

// goesHome moves the employee back to the bridge of the first call.
func (k *consultation) goesHome(home string) {
	k.leaves(k.near)
	k.enters(k.near, home)
	k.call.truth.quits(k.near.id)
}

// calleeGone hangs up the person who was asked.
func (k *consultation) calleeGone() {
	k.phone.leg.end()
	k.call.truth.gone(k.phone.answeredBy)
}

// comesBack ends the consultation, by the employee or by the person who was asked.
func (k *consultation) comesBack(home string) {
	first := k.chance("who was asked hangs up")
	if first {
		k.calleeGone()
	}
	k.goesHome(home)
	if !first {
		k.calleeGone()
	}
	k.unplug()
}

// unplug ends the Local channel.
func (k *consultation) unplug() {
	k.interleaved("the Local channel goes",
		[]func(){func() { k.x.destroy(k.phone.halves[0], 16) }},
		[]func(){func() { k.x.destroy(k.phone.halves[1], 16) }},
	)
}

// handOverByKeys hangs up the employee. The half of the Local channel moves to the person who
// waits, and the Local channel stays.
func (k *consultation) handOverByKeys(home string) {
	near, waiting, half := k.near, k.far, k.phone.halves[0]
	truth, leg, place := k.truth, k.leg, k.near.bridgeID
	k.leaves(near)
	k.call.truth.quits(near.id)
	k.x.leave(half, place)
	k.x.enter(half, home, false)
	k.meets(false)
	k.x.attendedTransfer(near.id, near.id, waiting.id, half)
	k.meets(true)
	leg.end()
	k.x.closeEmpty(place)
	truth.gone(near.id)
	k.afterwards()
}
