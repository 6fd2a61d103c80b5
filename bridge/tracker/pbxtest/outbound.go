package pbxtest

import (
	"pgregory.net/rapid"

	"kontur-ari/bridge"
)

// outbound plays an outbound call, dialled or originated. It tries trunks one after another.
func (p *plan) outbound() {
	own := &person{endpoint: "PJSIP/101", party: "user:u101"}
	originated := p.chance("originated")
	p.then(func() {
		own.id = p.newID()
		p.truth.call = own.id
		p.truth.joins(own.id)
		// If the Dial is lost, the two seem to have met without one.
		p.alike[p.story] = append(p.alike[p.story], "client>"+own.party)
		if originated {
			p.x.create(own.id, "PJSIP/101", bridge.StateDown, "", "")
			p.x.dial("", own.id, "101")
			return
		}
		p.x.create(own.id, "PJSIP/101", bridge.StateRing, "101", "89997775533")
		p.x.callerID(own.id, "79229929292")
	})
	if originated {
		// Once the phone is picked up, its channel runs the dial plan.
		p.then(func() {
			p.x.channels[own.id].Application = ""
			p.x.state(own.id, bridge.StateUp)
			p.x.callerID(own.id, "79229929292")
		})
	}
	var leg *legTruth
	attempts := rapid.IntRange(1, 3).Draw(p.t, "attempts")
	for attempt := range attempts {
		line := p.reached(phone{endpoint: "PJSIP/trunk", number: "89997775533@trunk", party: "client"}, own)
		p.then(func() {
			p.truth.start("outbound", "79997775533 79229929292")
			if leg == nil {
				leg = p.truth.appear(own.id, "user:u101>client")
			}
			line.leg = leg
			line.ring()
		})
		if attempt == attempts-1 && p.chance("answered") {
			p.then(func() {
				line.answer()
				p.converse(line.who, own, leg, line.halves)
			})
			return
		}
		p.then(func() {
			line.leg = nil
			line.endDevices()
			line.hearsThrough()
		})
	}
	p.then(func() { p.truth.gone(own.id) })
}
