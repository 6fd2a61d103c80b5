package crm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"kontur-ari/bridge"
	"kontur-ari/crm/crmtest"
)

const ourInstance = "7a100000-0000-4000-8000-000000000523"

// newKnownPair is newPair with the instance configured.
func newKnownPair(t *testing.T, id string) (*Client, *crmtest.CRM, *observer.ObservedLogs) {
	t.Helper()
	simulator := crmtest.New(crmtest.Options{})
	client, logs := newClient(t, func(c *Config) { c.Transport, c.IntegrationID = direct{simulator}, id })
	t.Cleanup(client.Close)
	return client, simulator, logs
}

func wantRequestError(t *testing.T, err error, verdict bridge.Verdict, text string) {
	t.Helper()
	failed, ok := errors.AsType[*RequestError](err)
	if !ok || failed.Verdict != verdict || failed.Error() != text {
		t.Errorf("error %q (%+v), want %q, %s", err, failed, text, verdict)
	}
}

// toText is a value as a log might show it.
func toText(value any) string {
	raw, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(raw)
}

func TestCheckKey(t *testing.T) {
	for name, id := range map[string]string{"configured": strings.ToUpper(ourInstance), "learnt": ""} {
		t.Run(name, func(t *testing.T) {
			client, simulator, logs := newKnownPair(t, id)
			good := simulator.SystemKey()
			for key, want := range map[string]bool{
				good: true, good + "x": false, strings.ToUpper(good): false, "": false, "a\r\nX-Y: z": false, "ключ": false,
			} {
				if got, err := client.CheckKey(t.Context(), key); got != want || err != nil {
					t.Errorf("%q: %v %v", key, got, err)
				}
			}
			simulator.RevokeKeys()
			if got, err := client.CheckKey(t.Context(), good); got || err != nil {
				t.Errorf("revoked: %v %v", got, err)
			}
			wantAuthorisations := 0
			if id == "" {
				wantAuthorisations = 1
			}
			if simulator.KeysIssued() != wantAuthorisations || len(simulator.Violations()) > 0 {
				t.Errorf("%d keys\n%s", simulator.KeysIssued(), simulator.Summary())
			}
			if text := toText(logs.All()); simulator.LeakedIn([]byte(text)) {
				t.Errorf("a key is in the log: %s", text)
			}
		})
	}
}

func TestCheckKeyIsSureOrFails(t *testing.T) {
	const name = "crm: instance: "
	tests := []struct {
		name string
		rule crmtest.Rule
		want string // in the error; "" for false
	}{
		{"unauthorised", crmtest.Rule{Status: 401, Body: html}, ""},
		{"forbidden", crmtest.Rule{Status: 403}, ""},
		{"not there", crmtest.Rule{Status: 404}, ""},
		{"not found", crmtest.Rule{Status: 409, Body: `{"status":"notFound","message":"IntegrationInstance 7a1 not found"}`}, ""},
		{"another 409", crmtest.Rule{Status: 409, Body: `{"status":"x","message":"y"}`}, name + "HTTP 409: x: y"},
		{"400", crmtest.Rule{Status: 400}, name + "HTTP 400 Bad Request"},
		{"busy", crmtest.Rule{Status: 429}, name + "HTTP 429 Too Many Requests"},
		{"away", crmtest.Rule{Status: 503}, name + "HTTP 503 Service Unavailable"},
		{"a redirect", crmtest.Rule{Status: 302}, name + "HTTP 302 Found: redirects are not followed"},
		{"no content", crmtest.Rule{Status: 204}, name + "HTTP 204: the answer is not an integration instance"},
		{"accepted", crmtest.Rule{Status: 202, Body: `{"id":"` + ourInstance + `"}`}, name + "HTTP 202: the answer is not an integration instance"},
		{"a proxy's page", crmtest.Rule{Status: 200, Body: html}, name + "HTTP 200: the answer is not an integration instance"},
		{"OK", crmtest.Rule{Status: 200, Body: `"OK"`}, name + "HTTP 200: the answer is not an integration instance"},
		{"no id", crmtest.Rule{Status: 200, Body: `{"status":"active"}`}, name + "HTTP 200: the answer is not an integration instance"},
		{"id that is none", crmtest.Rule{Status: 200, Body: `{"id":{}}`}, name + "HTTP 200: the answer is not an integration instance"},
		{"another instance", crmtest.Rule{Status: 200, Body: `{"id":"7a100000-0000-4000-8000-000000000524"}`}, name + "HTTP 200: the answer is about another instance"},
		{"closed", crmtest.Rule{CloseConnection: true}, name + "no answer: the connection was closed"},
		{"answer lost", crmtest.Rule{DropAnswer: true}, name + "no answer: the connection was closed"},
		{"silent", crmtest.Rule{Hang: true}, name + "no answer in time"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, simulator, _ := newKnownPair(t, ourInstance)
				test.rule.Kind = crmtest.KindInstance
				simulator.Fail(test.rule)
				begin := time.Now()
				good, err := client.CheckKey(t.Context(), simulator.SystemKey())
				if good {
					t.Error("taken")
				}
				if text := fmt.Sprint(err); (err != nil) != (test.want != "") || err != nil && text != test.want {
					t.Errorf("error %v, want %q", err, test.want)
				}
				if took := time.Since(begin); took > defaultRequestTimeout {
					t.Errorf("took %s", took)
				}
			})
		})
	}
	// Other fields of an instance don't matter.
	client, simulator, _ := newKnownPair(t, ourInstance)
	simulator.Fail(crmtest.Rule{Kind: crmtest.KindInstance, Status: 200, Body: `{"id":"` + ourInstance + `","webHooks":7,"features":[]}`})
	if good, err := client.CheckKey(t.Context(), "k"); !good || err != nil {
		t.Errorf("odd fields: %v %v", good, err)
	}
}

func TestCheckKeyIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, simulator, _ := newKnownPair(t, "")
		simulator.Fail(crmtest.Rule{Kind: crmtest.KindAuthorize, Delay: 10 * time.Second})
		simulator.Fail(crmtest.Rule{Kind: crmtest.KindInstance, Hang: true})
		begin := time.Now()
		good, err := client.CheckKey(t.Context(), simulator.SystemKey())
		if took := time.Since(begin); good || took != defaultRequestTimeout || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v %v after %s", good, err, took)
		}
	})
}

func TestCheckKeyWithoutAnAuthorisation(t *testing.T) {
	client, simulator, _ := newKnownPair(t, "")
	simulator.SetInstalled(false)
	good, err := client.CheckKey(t.Context(), simulator.SystemKey())
	wantRequestError(t, err, bridge.Retry, "crm: instance: authorisation: HTTP 409: notInstalled: Integration not installed")
	if good || count(simulator, crmtest.KindInstance) > 0 {
		t.Error(simulator.Summary())
	}
	nameless, other, _ := newKnownPair(t, "")
	other.Fail(crmtest.Rule{Kind: crmtest.KindAuthorize, Status: 200, Body: `{"accessKey":"k"}`})
	_, err = nameless.CheckKey(t.Context(), "k")
	wantRequestError(t, err, bridge.Refused, "crm: instance: the CRM does not say which instance the API key belongs to; set kontur.integration_id")
}

// With a wrong kontur.integration_id every key is refused, and the log must say so once.
// Strangers who try keys must cause few questions to the CRM.
func TestAWrongInstanceIsNoticed(t *testing.T) {
	for name, rule := range map[string]crmtest.Rule{
		"as the CRM says it": {},
		"as 404":             {Kind: crmtest.KindInstance, Status: http.StatusNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				id := ourInstance
				if rule.Status == 0 {
					id = "7a100000-0000-4000-8000-000000000524"
				}
				client, simulator, logs := newKnownPair(t, id)
				repair := func() {}
				if rule.Status != 0 {
					repair = simulator.Fail(rule)
				}
				for range 100 {
					if good, err := client.CheckKey(t.Context(), simulator.SystemKey()); good || err != nil {
						t.Errorf("%v %v", good, err)
					}
					time.Sleep(2 * time.Second)
				}
				if asked := count(simulator, crmtest.KindInstance) - 100; asked < 2 || asked > 5 {
					t.Errorf("asked %d times with our own key", asked)
				}
				lines := logs.FilterLevelExact(zapcore.ErrorLevel).All()
				if len(lines) != 1 || lines[0].ContextMap()["instance"] != id || !strings.Contains(lines[0].Message, "kontur.integration_id") {
					t.Errorf("%v", lines)
				}
				if rule.Status == 0 {
					return
				}
				repair()
				if _, err := client.Instance(t.Context()); err != nil || logs.FilterMessage("the CRM knows the instance of the integration").Len() != 1 {
					t.Errorf("%v %v", err, logs.All())
				}
			})
		})
	}
}

// A stranger's key says nothing about the instance.
func TestARefusedKeyIsNoAlarm(t *testing.T) {
	client, simulator, logs := newKnownPair(t, ourInstance)
	simulator.Fail(crmtest.Rule{Kind: crmtest.KindInstance, Status: http.StatusNotFound, Times: 1})
	if good, err := client.CheckKey(t.Context(), "k"); good || err != nil {
		t.Errorf("%v %v", good, err)
	}
	if lines := logs.FilterLevelExact(zapcore.ErrorLevel).Len(); lines > 0 || count(simulator, crmtest.KindInstance) != 2 {
		t.Errorf("%v\n%s", logs.All(), simulator.Summary())
	}
}

// Whatever the CRM or a proxy answers, the key that was checked is shown nowhere.
func TestCheckedKeysAreNeverShown(t *testing.T) {
	for _, status := range []int{200, 302, 401, 404, 409, 500} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			simulator := crmtest.New(crmtest.Options{})
			client, logs := newClient(t, func(c *Config) {
				c.IntegrationID = ourInstance
				c.Transport = direct{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if strings.Contains(r.URL.Path, "authorization") {
						simulator.ServeHTTP(w, r)
						return
					}
					w.WriteHeader(status)
					fmt.Fprintf(w, `{"status":"key %[1]s","message":"of %[1]s","title":"for %[1]s"}`, r.Header.Get("X-XCOM-AccessKey"))
				})}
			})
			defer client.Close()
			// Longer words with digits in them are masked anyway.
			for _, key := range []string{simulator.SystemKey(), "crmtest-access-key-"} {
				good, err := client.CheckKey(t.Context(), key)
				_, instanceErr := client.Instance(t.Context())
				shown := fmt.Sprintf("%v %v %+v %#v %v %s", good, err, err, err, instanceErr, toText(logs.All()))
				if good || simulator.LeakedIn([]byte(shown)) {
					t.Errorf("shown: %s", shown)
				}
			}
		})
	}
}
