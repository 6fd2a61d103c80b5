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

// The Tracker reports every capture as its scenario's stories say. So the captures that the
// tests of bridge/tracker read are of these scenarios, and of no other calls.
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
				t.Fatalf("%d calls were reported, not %d", len(calls), len(scenario.stories))
			}
			for i, call := range calls {
				// The client of a capture has a number of its own.
				reported := story(call, clientOf(scenario.stories[i], call))
				if !sameStory(reported, scenario.stories[i]) {
					t.Errorf("call %d was reported as\n  %s\nand should have been\n  %s", i+1,
						strings.Join(reported, "\n  "), strings.Join(scenario.stories[i], "\n  "))
				}
			}
		})
	}
}

// clientOf returns the client's number of a call, or "" where the story names the number
// itself.
func clientOf(story []string, call crmtest.Call) string {
	number := call.Requests[0].Body.ClientPhone
	if strings.Contains(story[0], number) {
		return ""
	}
	return number
}

// labDirectory returns the directory of the lab's users and trunks.
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

// trackAll applies events to a Tracker and returns its reports by call, in the order in
// which the calls began.
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

// asRequest returns the request that a report becomes at the CRM, with the fields that a
// story needs.
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
