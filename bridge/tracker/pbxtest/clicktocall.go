package pbxtest

import (
	"strconv"
	"time"

	"pgregory.net/rapid"

	"kontur-ari/bridge"
)

// order sends the event of a click-to-call, settle that of its result.
func (x *exchange) order(communication, from, number, to string) {
	x.events = append(x.events, bridge.NewClickToCallEvent(bridge.ClickToCall{Application: "kontur-ari", CommunicationID: communication, From: from, To: to, Number: number}, 0, x.now))
}

func (x *exchange) settle(communication string, result bridge.ClickToCallResult, status string) {
	click := bridge.ClickToCall{Application: "kontur-ari", CommunicationID: communication}
	if phones, err := strconv.Atoi(status); result == bridge.ClickPlaced && err == nil {
		var rung []bridge.ChannelID
		for n := range phones {
			rung = append(rung, click.Channel(n+1))
		}
		x.events = append(x.events, bridge.NewClickPlacedEvent(click, rung, x.now))
		return
	}
	refusal := &bridge.Refusal{Status: bridge.RefusalStatus(status), Message: "a message"}
	x.events = append(x.events, bridge.NewClickRefusedEvent(click, refusal, result == bridge.ClickRefused, x.now))
}

// AnyClickToCall draws the events of one click-to-call, from the command to the end. It draws
// how many phones ring, which of them is picked up, and how the call ends.
func AnyClickToCall(t *rapid.T, communication string) []bridge.Event {
	x := newExchange()
	pass := func() { x.now = x.now.Add(time.Duration(rapid.IntRange(0, 900).Draw(t, "ms")) * time.Millisecond) }
	click := bridge.ClickToCall{Application: "kontur-ari", CommunicationID: communication, From: "u101", Number: "79997775533"}
	if rapid.Bool().Draw(t, "internal") {
		click.To, click.Number = "u102", "102"
	}
	x.events = append(x.events, bridge.NewClickToCallEvent(click, 0, x.now))
	phones := rapid.IntRange(0, 3).Draw(t, "phones")
	if phones == 0 {
		pass()
		refusal := &bridge.Refusal{Status: bridge.RefusedOffline, Message: "offline"}
		x.events = append(x.events, bridge.NewClickRefusedEvent(click, refusal, rapid.Bool().Draw(t, "answered so"), x.now))
		return x.events
	}
	for n := 1; n <= phones; n++ {
		x.create(click.Channel(n), "PJSIP/101", bridge.StateDown, "101", "s")
	}
	for n := 1; n <= phones; n++ {
		x.dial("", click.Channel(n), "101")
		x.channels[click.Channel(n)].Application = "Stasis"
	}
	var rung []bridge.ChannelID
	for n := 1; n <= phones; n++ {
		rung = append(rung, click.Channel(n))
	}
	x.events = append(x.events, bridge.NewClickPlacedEvent(click, rung, x.now))
	for n := 1; n <= phones; n++ {
		pass()
		x.state(click.Channel(n), bridge.StateRinging)
	}
	picked := rapid.IntRange(0, phones).Draw(t, "picked up")
	if picked > 0 {
		x.state(click.Channel(picked), bridge.StateUp)
	}
	for n := 1; n <= phones; n++ {
		if n != picked {
			pass()
			if picked > 0 && rapid.Bool().Draw(t, "picked up too") {
				x.state(click.Channel(n), bridge.StateUp)
			}
			x.destroy(click.Channel(n), rapid.SampledFrom([]int{16, 17, 19, 21, 26}).Draw(t, "cause"))
		}
	}
	if picked > 0 {
		dialFromPhone(t, x, click.Channel(picked), click, bridge.ChannelID("B"+communication), pass)
	}
	return x.events
}

// dialFromPhone makes the phone that was picked up dial the other party.
func dialFromPhone(t *rapid.T, x *exchange, own bridge.ChannelID, click bridge.ClickToCall, peer bridge.ChannelID, pass func()) {
	endpoint := "PJSIP/trunk"
	if click.To != "" {
		endpoint = "PJSIP/102"
	}
	if rapid.Bool().Draw(t, "dials") {
		x.create(peer, endpoint, bridge.StateDown, "", "")
		x.dial(own, peer, click.Number+"@trunk")
		pass()
		if rapid.Bool().Draw(t, "answered") {
			x.dialStatus(own, peer, "ANSWER")
			x.enter(peer, "br"+string(peer), false)
			x.enter(own, "br"+string(peer), false)
			pass()
		}
		x.destroy(peer, 16)
	}
	pass()
	x.destroy(own, 16)
}
