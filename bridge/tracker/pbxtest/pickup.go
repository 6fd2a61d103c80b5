package pbxtest

import (
	"slices"

	"pgregory.net/rapid"

	"kontur-ari/bridge"
)

// pickUp plays an employee who picks up the call of a phone that rings. It returns false if
// all employees are called already.
func (r *round) pickUp() bool {
	taken := rapid.SampledFrom(r.phones).Draw(r.t, "whose call is picked up")
	free := slices.DeleteFunc(desksBut(r.caller), func(ph phone) bool {
		return slices.ContainsFunc(r.phones, func(other *phone) bool { return other.endpoint == ph.endpoint })
	})
	if len(free) == 0 {
		return false
	}
	by := r.reached(rapid.SampledFrom(free).Draw(r.t, "who picks up"), r.caller)
	by.local, by.optimise = taken.local, taken.optimise
	r.then(func() {
		by.devices = []bridge.ChannelID{r.newID()}
		r.x.create(by.devices[0], by.endpoint, bridge.StateRing, by.number, "*8")
		r.x.state(by.devices[0], bridge.StateUp)
	})
	r.answered(by, func() { r.takes(by, taken) })
	return true
}

// ringsNoLonger ends the legs of the round: the call is answered.
func (r *round) ringsNoLonger() {
	for _, leg := range r.truth.legs {
		if slices.ContainsFunc(r.phones, func(ph *phone) bool { return ph.leg == leg }) {
			leg.end()
		}
	}
}

// takes plays the pickup itself: the phone that rang goes without the end of its dial, and by
// answers a dial without a start.
func (r *round) takes(by, taken *phone) {
	caller := r.caller.id
	if taken.local {
		caller = taken.halves[1]
	}
	by.halves, taken.halves = taken.halves, [2]bridge.ChannelID{}
	rang := taken.devices
	ended := func() {
		if !slices.ContainsFunc(rang, func(id bridge.ChannelID) bool { return r.x.channels[id] != nil }) {
			taken.leg.end()
		}
	}
	r.interleaved("picked up",
		[]func(){func() {
			r.x.destroy(rang[0], 16)
			ended()
		}},
		[]func(){
			func() {
				r.x.pickUp(caller, by.devices[0])
				r.ringsNoLonger()
				by.leg = r.truth.appear(by.devices[0], by.parties)
			},
			func() {
				for _, id := range rang[1:] {
					r.x.dialStatus(caller, id, "CANCEL")
					r.x.destroy(id, 26)
				}
				ended()
			},
			func() { r.endOthers(taken) },
			by.answer,
		},
	)
}
