package pbxtest

import (
	"pgregory.net/rapid"

	"kontur-ari/bridge"
)

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

// comesIn plays a client's channel that calls in.
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
