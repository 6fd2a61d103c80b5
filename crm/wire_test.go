package crm

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kontur-ari/bridge"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const userPetrova = "ae9c0d0e-0000-4000-8000-00000000053d"

var (
	// known is how the CRM has answered to call-started.
	known  = bridge.Identity{ExternalID: "Asterisk/1795401475.25", CommunicationID: "184f0000-0000-4000-8000-000000000bcd"}
	moment = time.Date(2026, 3, 17, 10, 19, 5, 510e6, time.UTC)
)

func startedReport() bridge.Report {
	return bridge.Report{
		Kind: bridge.ReportStarted, Call: "1795401475.25", Time: moment,
		Direction: bridge.Inbound, ClientPhone: "79997775533", VatsPhone: "79229929292",
	}
}

func eventReport() bridge.Report {
	return bridge.Report{
		Kind: bridge.ReportEvent, Call: "1795401475.25", Time: moment, Leg: "1795401475.26", Event: bridge.LegAppeared,
		From: &bridge.Party{Type: bridge.PartyClient}, To: &bridge.Party{Type: bridge.PartyUser, UserID: userPetrova},
	}
}

func registerReport() bridge.Report {
	return bridge.Report{
		Kind: bridge.ReportRegister, Call: "1795401475.25", Time: moment, CreatedAt: moment,
		Direction: bridge.Inbound, ClientPhone: "79997775533", VatsPhone: "79229929292",
		Items: []bridge.Item{
			{ID: "1795401475.26", From: bridge.Party{Type: bridge.PartyClient}, To: bridge.Party{Type: bridge.PartyUser}, FinishedAt: moment.Add(5 * time.Second)},
			{ID: "1795401475.27", From: bridge.Party{Type: bridge.PartyClient}, To: bridge.Party{Type: bridge.PartyUser, UserID: userPetrova},
				StartedAt: moment.Add(5 * time.Second), FinishedAt: moment.Add(65123 * time.Millisecond)},
		},
	}
}

// recorded gives the answered leg of a register-call a recording, as one from history has.
func recorded(r *bridge.Report) {
	r.Items[1].Recordings = []bridge.UploadedFile{{
		FileID: "ceb40000-0000-4000-8000-00000000045e", Name: "in-101.mp3", ContentType: "audio/mpeg", Size: 9216,
	}}
}

func recordingReport() bridge.Report {
	return bridge.Report{
		Kind: bridge.ReportRecording, Call: "1795401475.25", Time: moment, Leg: "1795401475.26",
		FileID: "a7500000-0000-4000-8000-000000000f3a",
	}
}

// changed returns the report after a change.
func changed(report bridge.Report, change func(*bridge.Report)) bridge.Report {
	change(&report)
	return report
}

func TestBodiesAreTheContracts(t *testing.T) {
	internal := func(r *bridge.Report) { r.Direction, r.ClientPhone, r.VatsPhone = bridge.Internal, "", "" }
	ordered := func(r *bridge.Report) { r.CommunicationID = "30a00000-0000-4000-8000-000000000b4e" }
	kind := func(kind bridge.ReportKind) func(*bridge.Report) {
		return func(r *bridge.Report) { r.Kind = kind }
	}
	tests := []struct {
		name     string
		report   bridge.Report
		identity bridge.Identity
		prefix   string
	}{
		{"call-started", startedReport(), bridge.Identity{}, ""},
		{"call-started-known", startedReport(), known, ""},
		{"call-started-node", startedReport(), bridge.Identity{}, "pbx1"},
		{"call-started-internal", changed(startedReport(), internal), bridge.Identity{}, ""},
		{"call-started-ordered", changed(startedReport(), ordered), known, ""},
		{"call-event", eventReport(), known, ""},
		{"call-event-unknown", eventReport(), bridge.Identity{}, "pbx1"},
		{"call-event-offset", changed(eventReport(), func(r *bridge.Report) {
			r.Time = moment.In(time.FixedZone("", -(3*3600 + 30*60)))
			r.Event, r.To = bridge.LegFinished, &bridge.Party{Type: bridge.PartyUser}
		}), known, ""},
		{"call-finished", changed(startedReport(), kind(bridge.ReportFinished)), known, ""},
		{"call-finished-unknown", changed(startedReport(), kind(bridge.ReportFinished)), bridge.Identity{}, ""},
		{"call-failed", changed(changed(startedReport(), kind(bridge.ReportFailed)), ordered), bridge.Identity{}, ""},
		{"call-failed-known", changed(startedReport(), kind(bridge.ReportFailed)), known, "pbx1"},
		{"call-recording", recordingReport(), known, ""},
		{"call-recording-unknown", recordingReport(), bridge.Identity{}, "pbx1"},
		{"register-call", registerReport(), known, ""},
		{"register-call-unknown", registerReport(), bridge.Identity{}, "pbx1"},
		{"register-call-recordings", changed(registerReport(), recorded), known, ""},
		{"register-call-internal", changed(registerReport(), internal), known, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path, body, err := encode(test.report, test.identity, test.prefix)
			if err != nil {
				t.Fatal(err)
			}
			if want := "communications/callbacks/telephony/" + string(test.report.Kind); path != want {
				t.Errorf("path %s, want %s", path, want)
			}
			compareGolden(t, test.name+".json", body)
		})
	}
}

// compareGolden compares a body with a golden file, which holds it indented.
func compareGolden(t *testing.T, name string, body []byte) {
	t.Helper()
	var indented bytes.Buffer
	if err := json.Indent(&indented, body, "", "  "); err != nil {
		t.Fatal(err)
	}
	indented.WriteByte('\n')
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, indented.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), indented.String()); diff != "" {
		t.Error(diff)
	}
}

func TestReportsThatCannotBeSent(t *testing.T) {
	kind := func(kind bridge.ReportKind) func(*bridge.Report) {
		return func(r *bridge.Report) { r.Kind = kind }
	}
	tests := []struct {
		name   string
		report bridge.Report
	}{
		{"call id", changed(startedReport(), func(r *bridge.Report) { r.Call = "" })},
		{"direction", changed(startedReport(), func(r *bridge.Report) { r.Direction = "" })},
		{"moment", changed(startedReport(), func(r *bridge.Report) { r.Time = time.Time{} })},
		{"leg", changed(eventReport(), func(r *bridge.Report) { r.Leg = "" })},
		{"leg or file", changed(recordingReport(), func(r *bridge.Report) { r.Leg = "" })},
		{"leg or file", changed(recordingReport(), func(r *bridge.Report) { r.FileID = "" })},
		{"event", changed(eventReport(), func(r *bridge.Report) { r.Event = "" })},
		{"parties", changed(eventReport(), func(r *bridge.Report) { r.From = nil })},
		{"parties", changed(eventReport(), func(r *bridge.Report) { r.To = &bridge.Party{} })},
		{"communicationId", changed(startedReport(), kind(bridge.ReportFailed))},
		{"items", changed(registerReport(), func(r *bridge.Report) { r.Items = nil })},
		{"moment", changed(registerReport(), func(r *bridge.Report) { r.Items = []bridge.Item{{ID: "1"}} })},
		{"request of that name", changed(startedReport(), kind("call-billed"))},
	}
	for _, test := range tests {
		if _, body, err := encode(test.report, bridge.Identity{}, ""); err == nil || !strings.Contains(err.Error(), test.name) {
			t.Errorf("without %s: %v, %s", test.name, err, body)
		}
	}
}
