package crm

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kontur-ari/bridge"
	"kontur-ari/crm/crmtest"
)

func TestResponsible(t *testing.T) {
	simulator := crmtest.New(crmtest.Options{})
	client, _ := newClient(t, func(c *Config) { c.Transport, c.NodePrefix = direct{simulator}, "pbx1" })
	defer client.Close()
	simulator.SetResponsible("79997775533", "user-1", "user-2")
	simulator.SetResponsibleForCall("pbx1-1.5", "user-3")
	if started := client.Send(t.Context(), startOf("1.5"), bridge.Identity{}); started.Verdict != bridge.Delivered {
		t.Fatalf("%+v", started)
	}
	tests := []struct {
		name  string
		query RedirectQuery
		want  []string
	}{
		{"by number", RedirectQuery{PhoneNumber: "79997775533"}, []string{"user-1", "user-2"}},
		{"by an unknown number", RedirectQuery{PhoneNumber: "79997775534"}, nil},
		{"by a call that the CRM has answered", RedirectQuery{Call: "1.5"}, []string{"user-3"}},
		{"by a call that it does not know", RedirectQuery{Call: "1.6"}, nil},
		{"the number wins", RedirectQuery{PhoneNumber: "79997775533", Call: "1.5"}, []string{"user-1", "user-2"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := client.Responsible(t.Context(), test.query)
			if err != nil || !slices.Equal(got, test.want) {
				t.Errorf("%q %v", got, err)
			}
		})
	}
	requests := simulator.Requests()
	if query := requests[len(requests)-3].Query; query != "externalId=pbx1-1.5" {
		t.Errorf("our own id, which the CRM has answered in its form, is sent as %s", query)
	}
	if query := requests[len(requests)-2].Query; query != "externalId=pbx1-1.6" {
		t.Errorf("our own id is sent as %s", query)
	}
	if len(simulator.Violations()) > 0 {
		t.Error(simulator.Summary())
	}
}

func TestResponsibleAboutNothing(t *testing.T) {
	client, simulator, _ := newPair(t, crmtest.Options{})
	defer client.Close()
	_, err := client.Responsible(t.Context(), RedirectQuery{})
	wantRequestError(t, err, bridge.Refused, "crm: call-redirect: neither a phone number nor a call is given")
	if len(simulator.Requests()) > 0 {
		t.Error(simulator.Summary())
	}
}

func TestResponsibleWhenTheCRMFails(t *testing.T) {
	const name = "crm: call-redirect: "
	tests := []struct {
		name    string
		rule    crmtest.Rule
		verdict bridge.Verdict
		want    string
	}{
		{"away", crmtest.Rule{Status: 503}, bridge.Retry, name + "HTTP 503 Service Unavailable"},
		{"busy", crmtest.Rule{Status: 429}, bridge.Retry, name + "HTTP 429 Too Many Requests"},
		{"closed", crmtest.Rule{CloseConnection: true}, bridge.Retry, name + "no answer: the connection was closed"},
		{"silent", crmtest.Rule{Hang: true}, bridge.Retry, name + "no answer in time"},
		{"a proxy's page", crmtest.Rule{Status: 200, Body: html}, bridge.Retry, name + "HTTP 200 OK: the answer is not the CRM's (it is not JSON)"},
		{"no users", crmtest.Rule{Status: 200, Body: `{}`}, bridge.Retry, name + "HTTP 200: the answer holds no userIds"},
		{"null", crmtest.Rule{Status: 200, Body: `{"userIds":null}`}, bridge.Retry, name + "HTTP 200: the answer holds no userIds"},
		{"users that are none", crmtest.Rule{Status: 200, Body: `{"userIds":[7]}`}, bridge.Retry, name + "HTTP 200: the answer holds no userIds"},
		{"another refusal", crmtest.Rule{Status: 409, Body: `{"status":"notSupported","message":"no"}`}, bridge.Refused, name + "HTTP 409: notSupported: no"},
		{"not there", crmtest.Rule{Status: 404, Body: `{"status":"notFound","message":"no"}`}, bridge.Refused, name + "HTTP 404: notFound: no"},
		{"key refused", crmtest.Rule{Status: 401, Body: `"Unauthorized"`}, bridge.Retry, name + "HTTP 401: Unauthorized"},
		{"shows what it was asked", crmtest.Rule{Status: 500, Body: `"call-redirect?phoneNumber=79997775533"`}, bridge.Retry, name + "HTTP 500: call-redirect?phoneNumber=…"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, simulator, logs := newPair(t, crmtest.Options{})
				defer client.Close()
				test.rule.Kind = crmtest.KindRedirect
				simulator.Fail(test.rule)
				users, err := client.Responsible(t.Context(), RedirectQuery{PhoneNumber: "79997775533"})
				wantRequestError(t, err, test.verdict, test.want)
				if len(users) > 0 {
					t.Errorf("%q", users)
				}
				for _, entry := range logs.All() {
					if strings.Contains(entry.Message+" "+toText(entry.ContextMap()), "9997775533") {
						t.Errorf("the caller's number is in the log: %v", entry)
					}
				}
			})
		})
	}
}

// The caller hears silence until the answer.
func TestResponsibleKeepsItsBudget(t *testing.T) {
	rules := map[string][]crmtest.Rule{
		"silent":                   {{Kind: crmtest.KindRedirect, Hang: true}},
		"slow to renew":            {{Kind: crmtest.KindRedirect, Status: 401}, {Kind: crmtest.KindAuthorize, Hang: true}},
		"refuses after a while":    {{Kind: crmtest.KindRedirect, Status: 401, Delay: time.Second}},
		"refuses, and then silent": {{Kind: crmtest.KindRedirect, Status: 401, Times: 1}, {Kind: crmtest.KindRedirect, Hang: true}},
	}
	for name, rules := range rules {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, simulator, _ := newPair(t, crmtest.Options{})
				defer client.Close()
				if err := client.Authorise(t.Context()); err != nil {
					t.Fatal(err)
				}
				for _, rule := range rules {
					simulator.Fail(rule)
				}
				const budget = 1500 * time.Millisecond
				ctx, cancel := context.WithTimeout(t.Context(), budget)
				defer cancel()
				begin := time.Now()
				_, err := client.Responsible(ctx, RedirectQuery{PhoneNumber: "79997775533"})
				if took := time.Since(begin); took != budget || !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%v after %s", err, took)
				}
			})
		})
	}
}

func TestResponsibleRenewsARefusedKeyOnce(t *testing.T) {
	client, simulator, _ := newPair(t, crmtest.Options{})
	defer client.Close()
	simulator.SetResponsible("79997775533", "user-1")
	for range 2 {
		simulator.RevokeKeys()
		if users, err := client.Responsible(t.Context(), RedirectQuery{PhoneNumber: "79997775533"}); err != nil || len(users) != 1 {
			t.Errorf("%q %v", users, err)
		}
	}
	if simulator.KeysIssued() != 2 {
		t.Errorf("%d keys", simulator.KeysIssued())
	}
	simulator.Fail(crmtest.Rule{Kind: crmtest.KindRedirect, Status: http.StatusUnauthorized})
	before := count(simulator, crmtest.KindRedirect)
	if _, err := client.Responsible(t.Context(), RedirectQuery{PhoneNumber: "79997775533"}); err == nil {
		t.Error("no error")
	}
	if tries := count(simulator, crmtest.KindRedirect) - before; tries != 2 {
		t.Errorf("%d tries", tries)
	}
}
