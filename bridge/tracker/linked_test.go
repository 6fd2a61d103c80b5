package tracker_test

import (
	"slices"
	"testing"

	"kontur-ari/bridge"
	"kontur-ari/bridge/tracker/pbxtest"
)

// linkedTo shows a linkedid in every event of a channel, as Asterisk does where
// channelvars asks for it.
func linkedTo(events []bridge.Event, id, linked bridge.ChannelID) []bridge.Event {
	for _, event := range events {
		if event.Channel != nil && event.Channel.ID == id {
			event.Channel.LinkedID = linked
		}
	}
	return events
}

func TestALinkedidThatAgreesSaysNothing(t *testing.T) {
	events := linkedTo(linkedTo(play(t, answered), "A", "A"), "B", "A")
	l := newListener(pbxtest.Office(), allCalls)
	if err := l.hearAll(events); err != nil {
		t.Fatal(err)
	}
	if len(l.notes) != 0 {
		t.Errorf("notes: %v", l.notes)
	}
}

// The reports are the same with and without linkedids. A linkedid that disagrees is noted once.
func TestALinkedidOfAnotherCallIsNotedOnce(t *testing.T) {
	script := `
		0 new X PJSIP/trunk Ring caller=79990001122 exten=79229929292
	` + answered + `
		5 leave B br1
		6 enter B br1`
	plain, linked := newListener(pbxtest.Office(), allCalls), newListener(pbxtest.Office(), allCalls)
	if err := plain.hearAll(play(t, script)); err != nil {
		t.Fatal(err)
	}
	if err := linked.hearAll(linkedTo(play(t, script), "B", "X")); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(pbxtest.Transcript(linked.reports, pbxtest.Midnight), pbxtest.Transcript(plain.reports, pbxtest.Midnight)) {
		t.Errorf("reports differ:\n%v\n%v", linked.reports, plain.reports)
	}
	if len(linked.notes) != 1 || linked.notes[0].Call != "A" || linked.notes[0].Channel != "B" || len(plain.notes) != 0 {
		t.Errorf("notes: %v, without linkedids: %v", linked.notes, plain.notes)
	}
}
