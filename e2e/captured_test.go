package e2e_test

import (
	"errors"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"kontur-ari/ari"
	"kontur-ari/ari/aritest"
	"kontur-ari/bridge"
	"kontur-ari/bridge/directory"
	"kontur-ari/bridge/tracker"
	"kontur-ari/crm/crmtest"
	"kontur-ari/e2e/lab"
)

// Every capture is told as its scenario is: what is kept for the tests of package
// bridge is what people did, and not some other call.
func TestEveryCaptureGivesTheStoriesOfItsScenario(t *testing.T) {
	people := labDirectory(t)
	for _, scenario := range scenarios {
		t.Run(scenario.name, func(t *testing.T) {
			raws, err := aritest.ReadEvents(filepath.Join("testdata", "captures", scenario.name+".jsonl"))
			if err != nil {
				t.Fatal(err)
			}
			calls, notes := trackAll(t, people, raws)
			if len(notes) > 0 {
				t.Errorf("not understood: %v", notes)
			}
			if len(calls) != len(scenario.stories) {
				t.Fatalf("%d calls were told, not %d", len(calls), len(scenario.stories))
			}
			for i, call := range calls {
				// The client of a capture has a number of its own.
				told := story(call, clientOf(scenario.stories[i], call))
				if !sameStory(told, scenario.stories[i]) {
					t.Errorf("call %d was told as\n  %s\nand should have been\n  %s", i+1,
						strings.Join(told, "\n  "), strings.Join(scenario.stories[i], "\n  "))
				}
			}
		})
	}
}

// clientOf is the number that a story calls the client's: none where the story
// names the number itself.
func clientOf(story []string, call crmtest.Call) string {
	number := call.Requests[0].Body.ClientPhone
	if strings.Contains(story[0], number) {
		return ""
	}
	return number
}

// labDirectory is who is who in the lab.
func labDirectory(t *testing.T) *directory.Directory {
	t.Helper()
	numbers, err := directory.NewNumbers("RU", regexp.MustCompile(`\d{2,5}`), "anonymous")
	if err != nil {
		t.Fatal(err)
	}
	var users []directory.User
	for _, extension := range (lab.DaemonConfig{}).Users() {
		users = append(users, directory.User{
			ID: lab.UserID(extension), Extension: extension, Endpoint: "PJSIP/" + extension, Mobile: lab.Mobile(extension),
		})
	}
	trunks := []directory.Trunk{{Endpoint: "PJSIP/trunk", Number: lab.OutsideNumber}, {Endpoint: "PJSIP/trunk2", Number: lab.OutsideNumber}}
	people, err := directory.New(users, trunks, numbers)
	if err != nil {
		t.Fatal(err)
	}
	return people
}

// trackAll gives events to a Tracker and returns what it reports, a call at a time
// in the order in which they begin.
func trackAll(t *testing.T, people *directory.Directory, raws [][]byte) (calls []crmtest.Call, notes []tracker.Note) {
	t.Helper()
	tr := tracker.New(people, tracker.Policy{ReportInternal: true})
	var ids []bridge.CallID
	for _, raw := range raws {
		event, err := ari.Decode(raw)
		if _, unknown := errors.AsType[*ari.UnknownTypeError](err); unknown {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		outcome := tr.Apply(event)
		notes = append(notes, outcome.Notes...)
		for _, report := range outcome.Reports {
			i := slices.Index(ids, report.Call)
			if i < 0 {
				i = len(ids)
				ids, calls = append(ids, report.Call), append(calls, crmtest.Call{})
			}
			calls[i].Requests = append(calls[i].Requests, asRequest(report))
		}
	}
	return calls, notes
}

// asRequest is a report in the form in which the CRM has seen it, as far as a
// story needs it.
func asRequest(report bridge.Report) crmtest.Request {
	body := crmtest.Body{
		Direction: string(report.Direction), ClientPhone: report.ClientPhone, ExternalVatsPhone: report.VatsPhone,
		ExternalCallItemID: string(report.Leg), Type: string(report.Event),
	}
	if report.From != nil {
		body.From, body.To = asParty(*report.From), asParty(*report.To)
	}
	for _, item := range report.Items {
		body.Items = append(body.Items, crmtest.Item{
			ID: string(item.ID), From: asParty(item.From), To: asParty(item.To), StartedAt: item.StartedAt,
		})
	}
	return crmtest.Request{Kind: crmtest.Kind(report.Kind), Body: body}
}

func asParty(party bridge.Party) crmtest.Party {
	return crmtest.Party{Type: string(party.Type), UserID: party.UserID}
}
