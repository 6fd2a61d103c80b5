package crm

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kontur-ari/bridge"
	"kontur-ari/crm/crmtest"
)

var syncHook = WebHook{RelativeURL: "communications/sync", TriggerType: "schedule", Schedule: Schedule{Period: "00:05:00"}}

func TestInstanceIsConfigured(t *testing.T) {
	client, simulator, _ := newKnownPair(t, "")
	simulator.SetBaseURL("https://pbx.example/kontur")
	simulator.SetFeatures(crmtest.Features{SendSMS: true})
	before, err := client.Instance(t.Context())
	want := Installation{Instance: Instance{ID: ourInstance, Status: "active", BaseURL: "https://pbx.example/kontur", Features: Features{SendSMS: true}}, WebHooks: []WebHook{}}
	if diff := cmp.Diff(want, before); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	after, err := client.Configure(t.Context(), SwitchFeatures(before.Features, true), AddWebHook(syncHook))
	want.Features = Features{Call: true, Hangup: true, SendSMS: true}
	want.WebHooks = []WebHook{syncHook}
	if err != nil || len(after.WebHooks) != 1 || after.WebHooks[0].ID == "" {
		t.Fatalf("%+v %v", after, err)
	}
	want.WebHooks[0].ID = after.WebHooks[0].ID
	if diff := cmp.Diff(want, after); diff != "" {
		t.Error(diff)
	}
	if again, err := client.Instance(t.Context()); err != nil || !cmp.Equal(again, after) {
		t.Errorf("%+v %v", again, err)
	}
	if _, err := client.Configure(t.Context(), SwitchFeatures(after.Features, false)); err != nil || simulator.Features() != (crmtest.Features{SendSMS: true}) {
		t.Errorf("%v %+v", err, simulator.Features())
	}
	if len(simulator.Violations()) > 0 {
		t.Error(simulator.Summary())
	}
}

func TestOperationsAreTheDocumentedOnes(t *testing.T) {
	raw, err := json.Marshal(map[string]any{"operations": []Operation{SwitchFeatures(Features{}, true), AddWebHook(syncHook)}})
	if err != nil {
		t.Fatal(err)
	}
	var got, want any
	const documented = `{"operations":[
		{"op":"replace","path":"/features","value":{"call":true,"hangup":true}},
		{"op":"add","path":"/webHooks","value":{"id":"00000000-0000-0000-0000-000000000000","relativeUrl":"communications/sync","triggerType":"schedule","filter":{"items":[]},"schedule":{"period":"00:05:00"},"disabled":false}}]}`
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(documented), &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestInstanceWhenTheCRMFails(t *testing.T) {
	const refusal = `{"errorInfo":{"invalidPaths":[{"op":"add","path":"/webHooks","value":{"id":"1"}},"/features",7],"status":"invalidArgs","message":"Patch contains invalid operations"},"isSuccessful":false,"responseCode":"conflict"}`
	const reason = "invalidArgs: Patch contains invalid operations: add /webHooks, /features, ?"
	tests := []struct {
		name      string
		rule      crmtest.Rule
		verdict   bridge.Verdict
		get, send string // the errors
	}{
		{"invalid paths", crmtest.Rule{Status: 409, Body: refusal}, bridge.Refused, "HTTP 409: " + reason, "HTTP 409: " + reason},
		{"not successful", crmtest.Rule{Status: 200, Body: refusal}, bridge.Refused, "", "HTTP 200: " + reason + ": isSuccessful is false"},
		{"no paths", crmtest.Rule{Status: 409, Body: `{"errorInfo":{"status":"invalidArgs","message":"m"}}`}, bridge.Refused, "HTTP 409: invalidArgs: m", "HTTP 409: invalidArgs: m"},
		{"no error info", crmtest.Rule{Status: 409, Body: `{"errorInfo":null,"status":"a","message":"b"}`}, bridge.Refused, "HTTP 409: a: b", "HTTP 409: a: b"},
		{"away", crmtest.Rule{Status: 502, Body: html}, bridge.Retry, "HTTP 502 Bad Gateway", "HTTP 502 Bad Gateway"},
		{"nothing in it", crmtest.Rule{Status: 200, Body: `{}`}, bridge.Retry, "HTTP 200: the answer is not an integration instance", "HTTP 200: the answer does not show the instance"},
		{"an array", crmtest.Rule{Status: 200, Body: `[]`}, bridge.Retry, "HTTP 200: the answer is not an integration instance", "HTTP 200: the answer is not that to a change of the instance"},
		{"webhooks that can't be read", crmtest.Rule{Status: 200, Body: `{"id":"1","webHooks":["x"],"result":{"id":"1","webHooks":["x"]}}`}, bridge.Retry,
			"HTTP 200: the answer is not an integration instance", "HTTP 200: the answer does not show the instance"},
		{"answer lost", crmtest.Rule{DropAnswer: true}, bridge.Retry, "no answer: the connection was closed", "no answer: the connection was closed"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			client, simulator, _ := newKnownPair(t, ourInstance)
			test.rule.Kind = crmtest.KindInstance
			simulator.Fail(test.rule)
			if _, err := client.Instance(t.Context()); test.get != "" {
				wantRequestError(t, err, test.verdict, "crm: instance: "+test.get)
			}
			_, err := client.Configure(t.Context(), SwitchFeatures(Features{}, true))
			wantRequestError(t, err, test.verdict, "crm: instance: "+test.send)
		})
	}
}

// A change is asked for again only where the CRM has refused the key and so done
// nothing: a webhook that is added twice is there twice.
func TestChangesAreNotRepeated(t *testing.T) {
	client, simulator, _ := newKnownPair(t, ourInstance)
	if err := client.Authorise(t.Context()); err != nil {
		t.Fatal(err)
	}
	simulator.RevokeKeys()
	if _, err := client.Configure(t.Context(), AddWebHook(syncHook)); err != nil || len(simulator.WebHooks()) != 1 {
		t.Errorf("%v %+v", err, simulator.WebHooks())
	}
	for _, status := range []int{500, 503, 429, 408} {
		before := count(simulator, crmtest.KindInstance)
		simulator.Fail(crmtest.Rule{Kind: crmtest.KindInstance, Status: status, Times: 1})
		if _, err := client.Configure(t.Context(), AddWebHook(syncHook)); err == nil || count(simulator, crmtest.KindInstance) != before+1 {
			t.Errorf("%d: %v", status, err)
		}
	}
}

// The instance holds the secrets of the integration; nothing of them is kept.
func TestSecretsOfTheInstanceAreNotKept(t *testing.T) {
	client, simulator, logs := newKnownPair(t, "")
	installation, err := client.Instance(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprintf("%+v %s %s", installation, toText(installation), toText(logs.All())); simulator.LeakedIn([]byte(text)) {
		t.Error(text)
	}
	if simulator.LeakedIn([]byte(toText(simulator.Requests()))) {
		t.Error("the simulator keeps them")
	}
}

func TestIDsAreEscapedInPaths(t *testing.T) {
	var path string
	client, _ := newClient(t, func(c *Config) {
		c.IntegrationID = "../a b"
		c.Transport = direct{http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { path = r.URL.EscapedPath() })}
	})
	defer client.Close()
	if _, err := client.CheckKey(t.Context(), "k"); err == nil || path != "/api/v1/my-workspace/integrations/instances/..%2Fa%20b" {
		t.Errorf("%v %s", err, path)
	}
}
