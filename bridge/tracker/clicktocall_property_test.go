package tracker_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kontur-ari/bridge"
)

// orderedCall draws what a switch says of a call that the CRM has ordered: how many
// phones ring, which of them is picked up, whom it reaches, and how it ends.
func orderedCall(t *rapid.T, communication string) []bridge.Event {
	x := newExchange()
	pass := func() { x.now = x.now.Add(time.Duration(rapid.IntRange(0, 900).Draw(t, "ms")) * time.Millisecond) }
	order := bridge.ClickToCall{Application: "kontur-ari", CommunicationID: communication, From: "u101", Number: "79997775533"}
	if rapid.Bool().Draw(t, "internal") {
		order.To, order.Number = "u102", "102"
	}
	x.events = append(x.events, bridge.NewClickToCallEvent(order, x.now))
	phones := rapid.IntRange(0, 3).Draw(t, "phones")
	if phones == 0 {
		pass()
		refusal := &bridge.Refusal{Status: bridge.RefusedOffline, Message: "offline"}
		x.events = append(x.events, bridge.NewClickRefusedEvent(order, refusal, rapid.Bool().Draw(t, "told"), x.now))
		return x.events
	}
	for n := 1; n <= phones; n++ {
		x.create(order.Channel(n), "PJSIP/101", bridge.StateDown, "101", "s")
	}
	for n := 1; n <= phones; n++ {
		x.dial("", order.Channel(n), "101")
		x.channels[order.Channel(n)].Application = "Stasis"
	}
	var rung []bridge.ChannelID
	for n := 1; n <= phones; n++ {
		rung = append(rung, order.Channel(n))
	}
	x.events = append(x.events, bridge.NewClickPlacedEvent(order, rung, x.now))
	for n := 1; n <= phones; n++ {
		pass()
		x.state(order.Channel(n), bridge.StateRinging)
	}
	picked := rapid.IntRange(0, phones).Draw(t, "picked up")
	if picked > 0 {
		x.state(order.Channel(picked), bridge.StateUp)
	}
	for n := 1; n <= phones; n++ {
		if n != picked {
			pass()
			if picked > 0 && rapid.Bool().Draw(t, "picked up too") {
				x.state(order.Channel(n), bridge.StateUp)
			}
			x.destroy(order.Channel(n), rapid.SampledFrom([]int{16, 17, 19, 21, 26}).Draw(t, "cause"))
		}
	}
	if picked > 0 {
		talkAsOrdered(t, x, order.Channel(picked), order, bridge.ChannelID("B"+communication), pass)
	}
	return x.events
}

// talkAsOrdered has a phone that was picked up dial on.
func talkAsOrdered(t *rapid.T, x *exchange, own bridge.ChannelID, order bridge.ClickToCall, peer bridge.ChannelID, pass func()) {
	endpoint := "PJSIP/trunk"
	if order.To != "" {
		endpoint = "PJSIP/102"
	}
	if rapid.Bool().Draw(t, "dials") {
		x.create(peer, endpoint, bridge.StateDown, "", "")
		x.dial(own, peer, order.Number+"@trunk")
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

// Whatever the switch says of an ordered call, and whatever of it is lost, comes twice
// or late: what is told of it is in order, it is told to its end once, no phone is told
// to dial beside another, and nothing is remembered.
func TestOrderedCallsAreReportedInOrder(t *testing.T) {
	directory := office(t)
	rapid.Check(t, func(t *rapid.T) {
		given := orderedCall(t, "O")
		disturbed := rapid.Bool().Draw(t, "disturbed")
		events := given
		if disturbed {
			events = disturbOrder(t, given)
		}
		l := newListener(directory, anyPolicy.Draw(t, "policy"))
		at := rapid.IntRange(0, len(events)).Draw(t, "restart")
		if err := l.hearAll(events[:at]); err != nil {
			t.Fatalf("%v\n%s", err, narrate(events))
		}
		if err := l.restart(); err != nil {
			t.Fatal(err)
		}
		if err := l.hearAll(events[at:]); err != nil {
			t.Fatalf("%v\n%s", err, narrate(events))
		}
		if err := l.hangUp(); err != nil {
			t.Fatalf("%v\n%s", err, narrate(events))
		}
		dialling := make(map[bridge.ChannelID]bool)
		for _, action := range l.actions {
			if action.Kind == bridge.ActionDial {
				dialling[action.Channel] = true
			}
		}
		if len(dialling) > 1 {
			t.Fatalf("%d phones are told to dial\n%s", len(dialling), narrate(events))
		}
		if got := ends(l.reports); got > 1 || got == 0 && !refusedAtOnce(given) {
			t.Fatalf("the CRM is told %d ends\n%s", got, narrate(events))
		}
	})
}

// disturbOrder loses, doubles and moves the switch's events. What we say ourselves
// comes once, and in order.
func disturbOrder(t *rapid.T, events []bridge.Event) []bridge.Event {
	var disturbed []bridge.Event
	for i, event := range events {
		if event.ClickToCall != nil {
			disturbed = append(disturbed, event)
			continue
		}
		switch rapid.SampledFrom([]string{"as it is", "as it is", "lost", "twice", "late"}).Draw(t, fmt.Sprintf("event %d", i)) {
		case "as it is":
			disturbed = append(disturbed, event)
		case "twice":
			disturbed = append(disturbed, event, event)
		case "late":
			disturbed = slices.Insert(disturbed, max(0, len(disturbed)-rapid.IntRange(0, 3).Draw(t, "before")), event)
		}
	}
	// The order comes before anything of its phones.
	return slices.Concat(events[:1], slices.DeleteFunc(disturbed, func(e bridge.Event) bool { return e.Type == bridge.EventClickToCall }))
}

// ends counts the reports that end a call.
func ends(reports []bridge.Report) int {
	count := 0
	for _, report := range reports {
		if report.Kind == bridge.ReportFailed || report.Kind == bridge.ReportRegister {
			count++
		}
	}
	return count
}

// refusedAtOnce tells whether the CRM was told by the answer that there is no call.
func refusedAtOnce(events []bridge.Event) bool {
	return slices.ContainsFunc(events, func(event bridge.Event) bool {
		return event.ClickToCall != nil && event.ClickToCall.Result == bridge.ClickRefused
	})
}
