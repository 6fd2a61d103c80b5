package bridge_test

import (
	"pgregory.net/rapid"

	"kontur-ari/bridge"
)

// outbound: an employee dials, or a machine dials for them; trunks are tried
// one after another.
func (p *plan) outbound() {
	own := new(bridge.ChannelID)
	originated := p.chance("originated")
	p.then(func() {
		*own = p.newID()
		p.truth.call = *own
		if originated {
			p.x.create(*own, "PJSIP/101", bridge.StateDown, "", "")
			p.x.dial("", *own, "101")
			return
		}
		p.x.create(*own, "PJSIP/101", bridge.StateRing, "101", "89997775533")
		p.x.callerID(*own, "79229929292")
	})
	if originated {
		// Once its phone is picked up the dial plan runs, so it calls others.
		p.then(func() {
			p.x.channels[*own].Application = ""
			p.x.state(*own, bridge.StateUp)
			p.x.callerID(*own, "79229929292")
		})
	}
	var leg *legTruth
	theLeg := func() *legTruth { return leg }
	attempts := rapid.IntRange(1, 3).Draw(p.t, "attempts")
	for attempt := range attempts {
		line := &phone{plan: p, root: own, endpoint: "PJSIP/trunk", number: "89997775533@trunk",
			local: p.chance("over a Local channel"), optimise: p.chance("optimised away"),
			innerFirst: p.chance("inner dial first"),
			order:      rapid.Permutation([]int{0, 1, 2, 3}).Draw(p.t, "order of entering")}
		p.then(func() {
			p.truth.start("outbound", "79997775533 79229929292")
			if leg == nil {
				leg = p.truth.appear(*own, "user:u101>client")
			}
			line.leg = leg
			line.ring()
		})
		if attempt == attempts-1 && p.chance("answered") {
			p.then(func() { line.answer() })
			p.talk(own, &line.answeredBy, line.hearsThrough, theLeg)
			return
		}
		p.then(func() {
			line.leg = nil
			line.endDevices()
			line.hearsThrough()
		})
	}
	p.then(func() {
		p.x.destroy(*own, 16)
		p.truth.hangUp()
	})
}
