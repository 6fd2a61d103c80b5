package crmtest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	instance80d = instances + "80d"
	patchType   = "application/json-patch+json"
	switchOn    = `{"operations":[{"op":"replace","path":"/features","value":{"call":true,"hangup":true}}]}`
	addSync     = `{"operations":[{"op":"add","path":"/webHooks","value":{"id":"00000000-0000-0000-0000-000000000000",` +
		`"relativeUrl":"communications/sync","triggerType":"schedule","filter":{"items":[]},"schedule":{"period":"00:05:00"},"disabled":false}}]}`
)

// shown is an instance as GET answers it.
type shown struct {
	ID, Status, BaseURL string
	Features            Features
	WebHooks            []WebHook
}

func TestInstance(t *testing.T) {
	crm := New(Options{IntegrationID: "80d"})
	crm.SetBaseURL("https://pbx.example/kontur")
	crm.SetStatus("paused")
	s := newSender(t, crm)
	for _, patch := range []string{switchOn, addSync} {
		status, answer := s.ask("PATCH", instance80d, patchType, patch)
		var done struct {
			IsSuccessful bool
			ResponseCode string
			Result       shown
		}
		if err := json.Unmarshal(answer, &done); status != http.StatusOK || err != nil || !done.IsSuccessful || done.ResponseCode != "ok" || !done.Result.Features.Call {
			t.Errorf("%d %s", status, answer)
		}
	}
	s.key = crm.SystemKey()
	status, answer := s.ask("GET", instances+"80D", "", "")
	var got shown
	if err := json.Unmarshal(answer, &got); status != http.StatusOK || err != nil {
		t.Fatalf("%d %s", status, answer)
	}
	want := shown{"80d", "paused", "https://pbx.example/kontur", Features{Call: true, Hangup: true}, []WebHook{{
		ID: guid(2000), RelativeURL: "communications/sync", TriggerType: "schedule",
		Filter: map[string]any{"items": []any{}}, Schedule: map[string]string{"period": "00:05:00"},
	}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	wantBreaches(t, crm)
	if crm.KeysIssued() != 1 {
		t.Errorf("%d keys are said to be issued", crm.KeysIssued())
	}
	crm.RevokeKeys()
	if status, _ := s.ask("GET", instance80d, "", ""); status != http.StatusUnauthorized {
		t.Errorf("a revoked system key: %d", status)
	}
}

func TestAnotherInstanceIsNotFound(t *testing.T) {
	crm := New(Options{IntegrationID: "80d"})
	status, answer := newSender(t, crm).ask("GET", instances+"80e", "", "")
	if status != http.StatusConflict || string(answer) != `{"message":"IntegrationInstance 80e not found","status":"notFound"}` {
		t.Errorf("%d %s", status, answer)
	}
	wantBreaches(t, crm)
}

func TestChangesOfTheInstanceThatAreNone(t *testing.T) {
	tests := []struct {
		name, contentType, body string
		status                  int
		want                    Breach
	}{
		{"plain JSON", "application/json", switchOn, 415, BreachRequest},
		{"not JSON", patchType, switchOn + "}", 409, BreachBody},
		{"null", patchType, "null", 409, ""},
		{"bare operations", patchType, `[{"op":"replace","path":"/features","value":{}}]`, 409, BreachBody},
		{"no operations", patchType, `{"operations":[]}`, 409, BreachBody},
		{"no value", patchType, `{"operations":[{"op":"replace","path":"/features"}]}`, 409, BreachBody},
		{"other path", patchType, strings.Replace(switchOn, "/features", "/status", 1), 409, BreachBody},
		{"other operation", patchType, strings.Replace(switchOn, "replace", "add", 1), 409, BreachBody},
		{"other feature", patchType, strings.Replace(switchOn, "hangup", "hangUp", 1), 409, BreachBody},
		{"feature that is no boolean", patchType, strings.Replace(switchOn, "true", `"true"`, 1), 409, BreachBody},
		{"webhook with an id", patchType, strings.Replace(addSync, "0000-000000000000", "0000-000000000001", 1), 409, BreachBody},
		{"webhook of another trigger", patchType, strings.Replace(addSync, `"schedule",`, `"upgrade",`, 1), 409, BreachBody},
		{"webhook with a period in seconds", patchType, strings.Replace(addSync, "00:05:00", "300", 1), 409, BreachBody},
		{"webhook without filter", patchType, strings.Replace(addSync, `"filter":{"items":[]},`, "", 1), 409, BreachBody},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			crm := New(Options{IntegrationID: "80d"})
			status, answer := newSender(t, crm).ask("PATCH", instance80d, test.contentType, test.body)
			if status != test.status {
				t.Errorf("%d %s", status, answer)
			}
			if test.want == "" {
				test.want = BreachBody
			}
			wantBreaches(t, crm, test.want)
			if crm.Features() != (Features{}) || len(crm.WebHooks()) > 0 {
				t.Errorf("changed: %+v %+v", crm.Features(), crm.WebHooks())
			}
		})
	}
}

// FuzzPatch looks for a change that makes the simulator itself fail, or that is done
// although it is refused.
func FuzzPatch(f *testing.F) {
	for _, body := range []string{switchOn, addSync, "null", `{"operations":[{"op":"add","path":"/webHooks","value":null}]}`, `{"operations":[{}]}`} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		crm := New(Options{IntegrationID: "80d"})
		status, answer := newSender(t, crm).ask("PATCH", instance80d, patchType, string(body))
		changed := crm.Features() != (Features{}) || len(crm.WebHooks()) > 0
		if refused := len(crm.Violations()) > 0; refused != (status == http.StatusConflict) || refused && changed || !json.Valid(answer) {
			t.Errorf("%d %s, changed: %v\n%s", status, answer, changed, crm.Summary())
		}
	})
}

func TestAWebHookThatIsThereIsNotAddedAgain(t *testing.T) {
	crm := New(Options{IntegrationID: "80d"})
	crm.AddWebHook(WebHook{RelativeURL: "/communications/sync"})
	both := strings.Replace(switchOn, `"operations":[`, `"operations":[`+addSync[len(`{"operations":[`):len(addSync)-2]+",", 1)
	status, answer := newSender(t, crm).ask("PATCH", instance80d, patchType, both)
	var refusal struct {
		ErrorInfo struct {
			InvalidPaths    []struct{ Op, Path string }
			Status, Message string
		}
		IsSuccessful bool
		ResponseCode string
	}
	if err := json.Unmarshal(answer, &refusal); err != nil {
		t.Fatal(err)
	}
	if paths := refusal.ErrorInfo.InvalidPaths; status != http.StatusConflict || refusal.ErrorInfo.Status != "invalidArgs" ||
		refusal.ResponseCode != "conflict" || len(paths) != 1 || paths[0].Path != "/webHooks" {
		t.Errorf("%d %s", status, answer)
	}
	wantBreaches(t, crm, BreachRepeat)
	if crm.Features() != (Features{}) || len(crm.WebHooks()) != 1 {
		t.Errorf("half of it was done: %+v %+v", crm.Features(), crm.WebHooks())
	}
}

func TestRedirect(t *testing.T) {
	crm := New(Options{})
	crm.SetResponsible("79997775533", "user-1", "user-2")
	crm.SetResponsibleForCall("1.1", "user-3")
	crm.SetResponsibleForCall("1.2", "user-4")
	s := newSender(t, crm)
	s.send(started("1.1", "inbound", 0))
	const notFound = `{"message":"Communication Xcom.Api.Models.Communications.CallRedirectRequest not found","status":"notFound"}`
	tests := []struct {
		query  string
		status int
		answer string
		want   []Breach
	}{
		{"phoneNumber=79997775533", 200, `{"userIds":["user-1","user-2"]}`, nil},
		{"phoneNumber=79997775534", 409, notFound, nil},
		{"externalId=1.1", 200, `{"userIds":["user-3"]}`, nil},
		{"externalId=Asterisk%2F1.1", 200, `{"userIds":["user-3"]}`, []Breach{BreachIdentity}},
		{"externalId=1.2", 409, notFound, nil}, // a call that is not known yet
		{"", 409, "", []Breach{BreachRequest}},
		{"phoneNumber=", 409, "", []Breach{BreachRequest}},
		{"phoneNumber=%2B79997775533", 409, "", []Breach{BreachRequest}},
		{"phoneNumber=anonymous", 409, "", []Breach{BreachRequest}},
		{"phoneNumber=79997775533&phoneNumber=79997775533", 409, "", []Breach{BreachRequest}},
		{"phoneNumber=79997775533&externalId=1.1", 409, "", []Breach{BreachRequest}},
		{"phoneNumber=79997775533&from=1", 409, "", []Breach{BreachRequest}},
		{"phoneNumber=%zz", 409, "", []Breach{BreachRequest}},
	}
	for _, test := range tests {
		t.Run(test.query, func(t *testing.T) {
			before := len(crm.Violations())
			status, answer := s.ask("GET", callbacks+"call-redirect?"+test.query, "", "")
			if status != test.status || test.answer != "" && string(answer) != test.answer {
				t.Errorf("%d %s", status, answer)
			}
			var got []Breach
			for _, violation := range crm.Violations()[before:] {
				got = append(got, violation.Breach)
			}
			if got = slices.Compact(got); !slices.Equal(got, test.want) {
				t.Errorf("broken rules %q, want %q", got, test.want)
			}
		})
	}
	for _, other := range [][2]string{{"POST", ""}, {"GET", "{}"}} {
		before := len(crm.Violations())
		s.ask(other[0], callbacks+"call-redirect?phoneNumber=79997775533", "", other[1])
		if len(crm.Violations()) != before+1 {
			t.Errorf("%q is no violation", other)
		}
	}
}
