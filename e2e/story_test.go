package e2e_test

import (
	"fmt"
	"slices"
	"strings"

	"kontur-ari/crm/crmtest"
	"kontur-ari/e2e/lab"
)

// A story is what the CRM has received of one call: one line for each request, with the
// parties instead of ids.
//
//	call-started inbound client at 78005550101
//	client>101 appeared
//	client>101 disconnected
//	client>101 finished
//	call-finished
//	register-call client>101 missed
//
// A leg is named after its parties; a second one of the same parties has "#2".
// An employee whom the CRM doesn't know has the name "somebody" in the stories.
//
// In an expected story, the line "A & B & C" stands for A, B and C in any order. The line
// "A | B" stands for either one.

// story returns a call's story; client is the client's number.
func story(call crmtest.Call, client string) []string {
	legs := legNames(call)
	var lines []string
	for _, request := range call.Requests {
		body := request.Body
		switch request.Kind {
		case crmtest.KindStarted:
			lines = append(lines, "call-started "+described(body, client))
		case crmtest.KindEvent:
			lines = append(lines, legs[body.ExternalCallItemID]+" "+body.Type)
		case crmtest.KindRegister:
			lines = append(lines, "register-call "+registered(body.Items))
		case crmtest.KindRecording:
			// A recording arrives at any time, so recordings_test.go compares it apart.
		default:
			lines = append(lines, string(request.Kind))
		}
	}
	return lines
}

// described returns the direction of a call, the client's number and ours.
func described(body crmtest.Body, client string) string {
	if body.Direction == "internal" {
		return "internal"
	}
	phone := body.ClientPhone
	if phone == client {
		phone = "client"
	}
	if body.Direction == "inbound" {
		return fmt.Sprintf("inbound %s at %s", phone, body.ExternalVatsPhone)
	}
	return fmt.Sprintf("%s %s from %s", body.Direction, phone, body.ExternalVatsPhone)
}

// legNames returns the name of every leg of a call, by the leg's id.
func legNames(call crmtest.Call) map[string]string {
	names, times := make(map[string]string), make(map[string]int)
	for _, request := range call.Requests {
		body := request.Body
		if request.Kind != crmtest.KindEvent || names[body.ExternalCallItemID] != "" {
			continue
		}
		name := parties(body.From, body.To)
		if times[name]++; times[name] > 1 {
			name = fmt.Sprintf("%s#%d", name, times[name])
		}
		names[body.ExternalCallItemID] = name
	}
	return names
}

func parties(from, to crmtest.Party) string { return who(from) + ">" + who(to) }

func who(party crmtest.Party) string {
	if party.Type == "client" {
		return "client"
	}
	for _, extension := range (lab.DaemonConfig{}).Users() {
		if party.UserID == lab.UserID(extension) {
			return extension
		}
	}
	if party.UserID == "" {
		return "somebody"
	}
	return party.UserID
}

// registered lists the legs of a register-call. They are sorted, because their order
// means nothing.
func registered(items []crmtest.Item) string {
	lines := make([]string, 0, len(items))
	for _, item := range items {
		outcome := " answered"
		if item.StartedAt.IsZero() {
			outcome = " missed"
		}
		lines = append(lines, parties(item.From, item.To)+outcome)
	}
	slices.Sort(lines)
	return strings.Join(lines, ", ")
}

// sameStory reports whether a received story is the expected one.
func sameStory(received, expected []string) bool {
	for _, place := range expected {
		alternatives := strings.Split(place, " & ")
		if len(received) < len(alternatives) {
			return false
		}
		if len(alternatives) == 1 && slices.Contains(strings.Split(place, " | "), received[0]) {
			received = received[1:]
			continue
		}
		here := slices.Sorted(slices.Values(received[:len(alternatives)]))
		slices.Sort(alternatives)
		if !slices.Equal(here, alternatives) {
			return false
		}
		received = received[len(alternatives):]
	}
	return len(received) == 0
}

// answeredLeg is the story of a call with a single leg that is answered.
func answeredLeg(started, leg string) []string {
	return []string{
		"call-started " + started, leg + " appeared", leg + " connected", leg + " disconnected", leg + " finished",
		"call-finished", "register-call " + leg + " answered",
	}
}

// missedLeg is the story of a call with a single leg that is never answered.
func missedLeg(started, leg string) []string {
	return []string{
		"call-started " + started, leg + " appeared", leg + " disconnected", leg + " finished",
		"call-finished", "register-call " + leg + " missed",
	}
}
