package tracker_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"kontur-ari/bridge"
	"kontur-ari/bridge/tracker/pbxtest"
)

// Events of an ordered call may be lost, come twice or come late. Its reports are in order all
// the same, and its end is reported once. No two phones are asked to dial, and nothing is
// remembered.
func TestOrderedCallsAreReportedInOrder(t *testing.T) {
	directory := pbxtest.Office()
	rapid.Check(t, func(t *rapid.T) {
		given := pbxtest.AnyClickToCall(t, "O")
		disturbed := rapid.Bool().Draw(t, "disturbed")
		events := given
		if disturbed {
			events = disturbOrder(t, given)
		}
		l := newListener(directory, anyPolicy.Draw(t, "policy"))
		at := rapid.IntRange(0, len(events)).Draw(t, "restart")
		if err := l.hearAll(events[:at]); err != nil {
			t.Fatalf("%v\n%s", err, pbxtest.ScriptOf(events))
		}
		if err := l.restart(); err != nil {
			t.Fatal(err)
		}
		if err := l.hearAll(events[at:]); err != nil {
			t.Fatalf("%v\n%s", err, pbxtest.ScriptOf(events))
		}
		if err := l.hangUp(); err != nil {
			t.Fatalf("%v\n%s", err, pbxtest.ScriptOf(events))
		}
		dialling := make(map[bridge.ChannelID]bool)
		for _, action := range l.actions {
			if action.Kind == bridge.ActionDial {
				dialling[action.Channel] = true
			}
		}
		if len(dialling) > 1 {
			t.Fatalf("%d phones dial\n%s", len(dialling), pbxtest.ScriptOf(events))
		}
		if got := ends(l.reports); got > 1 || got == 0 && !refusedAtOnce(given) {
			t.Fatalf("%d ends are reported\n%s", got, pbxtest.ScriptOf(events))
		}
	})
}

// disturbOrder loses, doubles and moves the switch's events. Our own events come once, and in
// order.
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

// refusedAtOnce reports whether the answer to the command has refused the call.
func refusedAtOnce(events []bridge.Event) bool {
	return slices.ContainsFunc(events, func(event bridge.Event) bool {
		return event.ClickToCall != nil && event.ClickToCall.Result == bridge.ClickRefused
	})
}
