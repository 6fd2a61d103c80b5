package pbxtest

import (
	"fmt"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"kontur-ari/bridge"
)

// round is a set of phones that ring together.
type round struct {
	*plan
	caller *person
	phones []*phone
}

// phone is one of them: an endpoint with one or two devices, or a mobile phone, dialled
// directly or over a Local channel.
type phone struct {
	*plan
	caller   *person
	endpoint string
	number   string
	// party is the party of the phone, parties those of its leg.
	party, parties string
	two            bool
	local          bool
	optimise       bool
	// innerFirst: the Dial by the Local channel comes before the Dial of it.
	innerFirst bool
	// order is the order in which the channels enter their bridges on an answer.
	order []int

	leg        *legTruth
	devices    []bridge.ChannelID
	halves     [2]bridge.ChannelID
	answeredBy bridge.ChannelID
	// who is the person who has answered.
	who *person
}

// The phones that may be called.
var (
	desks = []phone{
		{endpoint: "PJSIP/101", number: "101", party: "user:u101"},
		{endpoint: "PJSIP/102", number: "102", party: "user:u102"},
		{endpoint: "PJSIP/103", number: "103", party: "user:u103"},
		{endpoint: "PJSIP/104", number: "104", party: "user"},
	}
	mobiles = []phone{
		{endpoint: "PJSIP/trunk", number: "89221112233@trunk", party: "user:u101"},
		{endpoint: "PJSIP/spare", number: "79990001122@spare", party: "client"},
	}
)

// desksBut returns the phones of the office, without those of these people.
func desksBut(others ...*person) []phone {
	return slices.DeleteFunc(slices.Clone(desks), func(ph phone) bool {
		return slices.ContainsFunc(others, func(other *person) bool { return other.endpoint == ph.endpoint })
	})
}

func (p *plan) newRound(caller *person) *round {
	known := desksBut(caller)
	if !caller.inHouse() {
		known = append(known, mobiles...)
	}
	r := &round{plan: p, caller: caller}
	order := rapid.Permutation(known).Draw(p.t, "phones")
	for _, ph := range order[:rapid.IntRange(1, 3).Draw(p.t, "phones in the round")] {
		ph.two = len(ph.number) == 3 && p.chance("two devices")
		r.phones = append(r.phones, p.reached(ph, caller))
	}
	return r
}

// reached draws how a caller reaches a phone.
func (p *plan) reached(ph phone, caller *person) *phone {
	ph.plan, ph.caller, ph.parties = p, caller, caller.party+">"+ph.party
	ph.local = p.chance("over a Local channel")
	ph.optimise = p.chance("optimised away")
	ph.innerFirst = p.chance("inner dial first")
	ph.order = rapid.Permutation([]int{0, 1, 2, 3}).Draw(p.t, "order of entering")
	return &ph
}

// ringRounds rings phones, round after round, until one answers or the caller hangs up.
func (p *plan) ringRounds(caller *person, before func()) {
	rounds := rapid.IntRange(0, 3).Draw(p.t, "rounds")
	for round := range rounds {
		r := p.newRound(caller)
		p.then(func() {
			before()
			r.ring()
		})
		p.then(func() { r.noise() })
		if round == rounds-1 && r.ends() {
			return
		}
		p.then(func() { r.endOthers(nil) })
	}
	p.then(func() { p.truth.gone(caller.id) })
}

// ends draws how the round ends, and returns whether it is the last.
func (r *round) ends() bool {
	switch rapid.IntRange(0, 5).Draw(r.t, "how it ends") {
	case 0, 1, 2:
		answering := rapid.SampledFrom(r.phones).Draw(r.t, "who answers")
		r.answered(answering, r.shuffled("answer", func() { r.endOthers(answering) }, answering.answer))
	case 3:
		return r.pickUp()
	case 4:
		r.then(func() { r.x.destroy(r.caller.id, 127) })
		r.then(func() {
			r.endOthers(nil)
			r.truth.quits(r.caller.id)
		})
	default:
		return false
	}
	return true
}

// answered plays the answer and starts the conversation.
func (r *round) answered(ph *phone, how func()) {
	r.then(func() {
		how()
		r.converse(r.caller, ph.who, ph.leg, ph.halves)
	})
}

func (r *round) ring() {
	for _, ph := range r.phones {
		ph.ring()
	}
}

func (ph *phone) ring() {
	x, caller, outer := ph.x, ph.caller.id, func() {}
	if ph.local {
		ph.halves = [2]bridge.ChannelID{ph.newID(), ph.newID()}
		pair := fmt.Sprintf("Local/%s@office-%08x", ph.number, ph.serial)
		x.create(ph.halves[0], pair+";1", bridge.StateDown, "", "")
		x.create(ph.halves[1], pair+";2", bridge.StateRing, "", "")
		outer = func() { x.dial(ph.caller.id, ph.halves[0], ph.number+"@office") }
		caller = ph.halves[1]
	}
	if !ph.innerFirst {
		outer()
	}
	ph.device(caller)
	if ph.two {
		ph.device(caller)
	}
	if ph.innerFirst {
		outer()
	}
}

func (ph *phone) device(caller bridge.ChannelID) {
	id := ph.newID()
	ph.devices = append(ph.devices, id)
	ph.x.create(id, ph.endpoint, bridge.StateDown, "", "")
	if ph.leg == nil {
		ph.leg = ph.truth.appear(id, ph.parties)
	}
	ph.x.dial(caller, id, ph.number)
	if number, _, outside := strings.Cut(ph.number, "@"); outside {
		ph.x.callerID(id, number)
	}
}

// noise sends events without news.
func (r *round) noise() {
	for _, ph := range r.phones {
		for _, id := range ph.devices {
			r.x.dialStatus(r.caller.id, id, "RINGING")
			r.x.state(id, bridge.StateRinging)
			r.x.dialStatus(r.caller.id, id, "RINGING")
		}
	}
}

// endOthers ends every phone but one.
func (r *round) endOthers(but *phone) {
	for _, ph := range r.phones {
		if ph != but {
			ph.endDevices()
			ph.hearsThrough()
		}
	}
}

func (ph *phone) endDevices() {
	for _, id := range ph.devices {
		if id != ph.answeredBy {
			ph.x.dialStatus(ph.caller.id, id, "CANCEL")
			ph.x.destroy(id, 26)
		}
	}
	if ph.answeredBy == "" && ph.leg != nil {
		ph.leg.end()
	}
}

// hearsThrough destroys the Local channel, if there is one.
func (ph *phone) hearsThrough() {
	for _, id := range ph.halves {
		if ph.x.channels[id] != nil {
			ph.x.destroy(id, 16)
		}
	}
}

// answer picks up the last device.
func (ph *phone) answer() {
	ph.answeredBy = ph.devices[len(ph.devices)-1]
	inner := "br-" + string(ph.answeredBy)
	outer := inner
	ph.who = &person{id: ph.answeredBy, endpoint: ph.endpoint, party: ph.party, bridgeID: inner}
	ph.truth.joins(ph.answeredBy)
	ph.x.state(ph.answeredBy, bridge.StateUp)
	members := []bridge.ChannelID{ph.answeredBy, ph.caller.id}
	if ph.local {
		outer = inner + "-outer"
		members = []bridge.ChannelID{ph.answeredBy, ph.caller.id, ph.halves[0], ph.halves[1]}
	}
	for _, n := range ph.order {
		if n >= len(members) {
			continue
		}
		bridgeID := inner
		if n == 1 || n == 2 {
			bridgeID = outer
		}
		ph.x.enter(members[n], bridgeID, false)
	}
	if ph.leg != nil {
		ph.leg.connect()
	}
	ph.endDevices()
	ph.caller.bridgeID = outer
	if ph.local && ph.optimise {
		ph.caller.bridgeID = inner
		ph.x.leave(ph.caller.id, outer)
		ph.x.leave(ph.halves[1], inner)
		ph.x.enter(ph.caller.id, inner, false)
		ph.hearsThrough()
	}
}
