package crm

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap/zapcore"

	"kontur-ari/bridge"
	"kontur-ari/crm/crmtest"
	"kontur-ari/internal/secret"
)

func TestKeyIsKeptForAQuarterOfAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, simulator, logs := newPair(t, crmtest.Options{})
		defer client.Close()
		if state := client.State(); state.Authorised || state.Reason != "" {
			t.Errorf("before the first request: %+v", state)
		}
		for i, step := range []struct {
			pause time.Duration
			keys  int
		}{{0, 1}, {14*time.Minute + 59*time.Second, 1}, {time.Second, 2}, {10 * time.Minute, 2}, {5 * time.Minute, 3}, {time.Hour, 4}} {
			time.Sleep(step.pause)
			wantResult(t, client.Send(t.Context(), startOf(fmt.Sprint(i)), bridge.Identity{}), bridge.Delivered, "")
			synctest.Wait()
			if got := simulator.KeysIssued(); got != step.keys {
				t.Errorf("step %d: %d keys, want %d", i, got, step.keys)
			}
		}
		if n := logs.FilterMessage("authorised").Len(); n != 1 {
			t.Errorf("%d times authorised in the log", n)
		}
		for _, request := range simulator.Requests() {
			if request.Status != http.StatusOK {
				t.Errorf("%s: %d", request.Kind, request.Status)
			}
		}
		want := State{Authorised: true, Workspace: "my-workspace", Instance: Instance{ID: "7a100000-0000-4000-8000-000000000523", Status: "active"}}
		if state := client.State(); state != want {
			t.Errorf("%+v", state)
		}
	})
}

func TestOldKeyServesWhileRenewalFails(t *testing.T) {
	for name, rule := range map[string]crmtest.Rule{
		"refused": {Kind: crmtest.KindAuthorize, Status: 503},
		"hanging": {Kind: crmtest.KindAuthorize, Hang: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, simulator, logs := newPair(t, crmtest.Options{})
				defer client.Close()
				if err := client.Authorise(t.Context()); err != nil {
					t.Fatal(err)
				}
				repair := simulator.Fail(rule)
				begin := time.Now()
				for i := 0; time.Since(begin) < 19*time.Minute+44*time.Second; i++ {
					sent := time.Now()
					result := client.Send(t.Context(), startOf(fmt.Sprint(i)), bridge.Identity{})
					if result.Verdict != bridge.Delivered || time.Since(sent) > 0 {
						t.Fatalf("after %s: %+v, in %s", time.Since(begin), result, time.Since(sent))
					}
					time.Sleep(10 * time.Second)
				}
				time.Sleep(10 * time.Second)
				if result := client.Send(t.Context(), startOf("late"), bridge.Identity{}); result.Verdict != bridge.Retry || !strings.HasPrefix(result.Reason, "authorisation: ") {
					t.Errorf("with the key too old: %+v", result)
				}
				if n := logs.FilterMessage("authorisation failing").Len(); n != 1 || client.State().Authorised {
					t.Errorf("%d times failing in the log; %+v", n, client.State())
				}
				repair()
				time.Sleep(longestAuthPause)
				wantResult(t, client.Send(t.Context(), startOf("late"), bridge.Identity{}), bridge.Delivered, "")
				if n := logs.FilterMessage("authorised").Len(); n != 2 {
					t.Errorf("%d times authorised in the log", n)
				}
			})
		})
	}
}

func TestRefusedKeyIsRenewedOnceForAll(t *testing.T) {
	for name, spoil := range map[string]func(*crmtest.CRM){
		"revoked":         (*crmtest.CRM).RevokeKeys,
		"expired early":   func(*crmtest.CRM) { time.Sleep(5 * time.Minute) },
		"refused at once": func(c *crmtest.CRM) { c.RevokeKeys(); time.Sleep(time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, simulator, _ := newPair(t, crmtest.Options{KeyLifetime: 5 * time.Minute})
				defer client.Close()
				if err := client.Authorise(t.Context()); err != nil {
					t.Fatal(err)
				}
				spoil(simulator)
				sendMany(t, client, 50, func(result bridge.Result) { wantResult(t, result, bridge.Delivered, "") })
				if simulator.KeysIssued() != 2 || count(simulator, crmtest.KindStarted) > 100 {
					t.Errorf("%d keys for %d requests", simulator.KeysIssued(), len(simulator.Requests()))
				}
			})
		})
	}
}

// sendMany sends the call-started of n calls at once.
func sendMany(t *testing.T, client *Client, n int, check func(bridge.Result)) {
	t.Helper()
	var all sync.WaitGroup
	results := make([]bridge.Result, n)
	for i := range n {
		all.Go(func() { results[i] = client.Send(t.Context(), startOf(fmt.Sprint("many-", i)), bridge.Identity{}) })
	}
	all.Wait()
	for _, result := range results {
		check(result)
	}
}

func TestReasonsOfFailedAuthorisation(t *testing.T) {
	answer := func(status int, body string) func(*crmtest.CRM) {
		return func(c *crmtest.CRM) {
			c.Fail(crmtest.Rule{Kind: crmtest.KindAuthorize, Status: status, Body: body, Header: http.Header{"Retry-After": {"90"}}})
		}
	}
	tests := []struct {
		name   string
		spoil  func(*crmtest.CRM)
		reason string
		after  time.Duration
	}{
		{"wrong key", answer(401, `"Unauthorized"`), "authorisation: HTTP 401: the CRM does not accept the API key (or the integration's secret)", time.Second},
		{"not installed", func(c *crmtest.CRM) { c.SetInstalled(false) }, "authorisation: HTTP 409: notInstalled: Integration not installed", time.Second},
		{"404", answer(404, ""), "authorisation: HTTP 404 Not Found", 90 * time.Second},
		{"429", answer(429, ""), "authorisation: HTTP 429 Too Many Requests", 90 * time.Second},
		{"302", answer(302, ""), "authorisation: HTTP 302 Found", 90 * time.Second},
		{"login page", answer(200, html), "authorisation: the answer holds no access key", time.Second},
		{"no key", answer(200, `{"accessKey":""}`), "authorisation: the answer holds no access key", time.Second},
		{"odd key", answer(200, `{"accessKey":"a\r\nb"}`), "authorisation: the answer holds no access key", time.Second},
		{"a proxy that shows the key", answer(409, `{"status":"badKey","message":"key test-api-key is bad"}`), "authorisation: HTTP 409: badKey: key [secret] is bad", 90 * time.Second},
		{"closed", func(c *crmtest.CRM) { c.Fail(crmtest.Rule{Kind: crmtest.KindAuthorize, CloseConnection: true}) }, "authorisation: no answer: the connection was closed", time.Second},
		{"hanging", func(c *crmtest.CRM) { c.Fail(crmtest.Rule{Kind: crmtest.KindAuthorize, Hang: true}) }, "authorisation: no answer in time", time.Second},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, simulator, _ := newPair(t, crmtest.Options{})
				defer client.Close()
				test.spoil(simulator)
				sendMany(t, client, 100, func(result bridge.Result) {
					wantResult(t, result, bridge.Retry, test.reason)
					if result.RetryAfter != test.after || len(result.Request) == 0 {
						t.Errorf("RetryAfter %s, want %s; %s", result.RetryAfter, test.after, result.Request)
					}
				})
				if n := len(simulator.Requests()); n != 1 {
					t.Errorf("%d requests", n)
				}
				if state := client.State(); state.Authorised || state.Reason != test.reason {
					t.Errorf("%+v", state)
				}
			})
		})
	}
}

func TestFailingAuthorisationIsTriedLessAndLess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, simulator, logs := newPair(t, crmtest.Options{})
		defer client.Close()
		simulator.SetDown(true)
		begin := time.Now()
		for time.Since(begin) < 2*time.Minute {
			client.Send(t.Context(), startOf("1"), bridge.Identity{})
			time.Sleep(100 * time.Millisecond)
		}
		var tries []time.Duration
		for _, request := range simulator.Requests() {
			tries = append(tries, request.Received.Sub(begin))
		}
		want := []time.Duration{0, 1 * time.Second, 3 * time.Second, 7 * time.Second, 15 * time.Second, 31 * time.Second, 61 * time.Second, 91 * time.Second}
		if !slices.Equal(tries, want) {
			t.Errorf("tried at %v, want %v", tries, want)
		}
		if n := logs.FilterMessage("authorisation failing").Len(); n != 1 {
			t.Errorf("%d times failing in the log", n)
		}
	})
}

// A CRM that gives keys and refuses them must not be asked for more and more.
func TestNewKeysThatAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, simulator, logs := newPair(t, crmtest.Options{})
		defer client.Close()
		repair := simulator.Fail(crmtest.Rule{Status: 401, Body: `"Unauthorized"`})
		begin := time.Now()
		for time.Since(begin) < 5*time.Minute {
			sendMany(t, client, 5, func(result bridge.Result) {
				if result.Verdict != bridge.Retry || result.Reason == "" {
					t.Errorf("%+v", result)
				}
			})
			time.Sleep(500 * time.Millisecond)
		}
		if n := simulator.KeysIssued(); n < 10 || n > 40 {
			t.Errorf("%d keys in 5 minutes", n)
		}
		if failing, well := logs.FilterMessage("authorisation failing").Len(), logs.FilterMessage("authorised").Len(); failing != 1 || well != 1 {
			t.Errorf("%d times failing and %d times authorised in the log", failing, well)
		}
		if client.State().Authorised {
			t.Error("authorised, it says")
		}
		repair()
		time.Sleep(longestAuthPause)
		wantResult(t, client.Send(t.Context(), startOf("1"), bridge.Identity{}), bridge.Delivered, "")
		if well := logs.FilterMessage("authorised").Len(); well != 2 || !client.State().Authorised {
			t.Errorf("%d times authorised in the log; %+v", well, client.State())
		}
	})
}

func TestOneCallerWhoGivesUpDoesNotSpoilItForOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, simulator, _ := newPair(t, crmtest.Options{})
		defer client.Close()
		simulator.Fail(crmtest.Rule{Kind: crmtest.KindAuthorize, Delay: 5 * time.Second})
		impatient, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		gaveUp := make(chan bridge.Result, 1)
		go func() { gaveUp <- client.Send(impatient, startOf("1"), bridge.Identity{}) }()
		synctest.Wait()
		wantResult(t, client.Send(t.Context(), startOf("2"), bridge.Identity{}), bridge.Delivered, "")
		wantResult(t, <-gaveUp, bridge.Retry, "authorisation: no answer in time")
		if simulator.KeysIssued() != 1 {
			t.Errorf("%d keys", simulator.KeysIssued())
		}
	})
}

func TestCloseEndsAnAuthorisation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, simulator, _ := newPair(t, crmtest.Options{})
		simulator.Fail(crmtest.Rule{Kind: crmtest.KindAuthorize, Hang: true})
		result := make(chan error, 1)
		go func() { result <- client.Authorise(t.Context()) }()
		synctest.Wait()
		begin := time.Now()
		client.Close()
		if err := <-result; err == nil || time.Since(begin) > 0 {
			t.Errorf("%v, after %s", err, time.Since(begin))
		}
	})
}

func TestPublicIntegration(t *testing.T) {
	simulator := crmtest.New(crmtest.Options{IntegrationSecret: "name=s3cr3t"})
	client, logs := newClient(t, func(c *Config) {
		c.Transport, c.IntegrationSecret = direct{simulator}, secret.New("name=s3cr3t")
	})
	defer client.Close()
	wantResult(t, client.Send(t.Context(), startOf("1"), bridge.Identity{}), bridge.Delivered, "")
	if n := len(simulator.Violations()); n != 0 || simulator.LeakedIn(fmt.Append(nil, logs.All())) {
		t.Errorf("%s%v", simulator.Summary(), logs.All())
	}
}

func TestAnotherWorkspacesKeyIsNoticed(t *testing.T) {
	client, simulator, logs := newPair(t, crmtest.Options{})
	defer client.Close()
	simulator.Fail(crmtest.Rule{Kind: crmtest.KindAuthorize, Status: 200, Body: `{"accessKey":"k","workspace":{"name":"other"},"integrationInstance":7}`})
	if err := client.Authorise(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := logs.FilterLevelExact(zapcore.WarnLevel).Len(); n != 1 || client.State().Workspace != "other" {
		t.Errorf("%d warnings; %+v", n, client.State())
	}
}

// echo is a proxy that answers reports itself, by showing what it was sent.
type echo struct {
	direct
	status int
}

func (e echo) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.Contains(r.URL.Path, "authorization") {
		return e.direct.RoundTrip(r)
	}
	return direct{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(e.status)
		fmt.Fprintf(w, "%q", r.Header)
	})}.RoundTrip(r)
}

// Nothing that the client hands out or writes holds a key, whatever goes wrong.
func TestKeysAreNeverShown(t *testing.T) {
	for _, status := range []int{200, 302, 401, 409, 500} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			simulator := crmtest.New(crmtest.Options{})
			client, logs := newClient(t, func(c *Config) { c.Transport = echo{direct{simulator}, status} })
			defer client.Close()
			result := client.Send(t.Context(), startOf("1"), bridge.Identity{})
			if !strings.Contains(string(result.Answer), "Accesskey") {
				t.Errorf("the proxy showed no header: %+v", result)
			}
			simulator.Fail(crmtest.Rule{Kind: crmtest.KindAuthorize, Status: 200, Body: `{"accessKey":"crmtest-access-key-\n"}`})
			other, _ := newClient(t, func(c *Config) { c.Transport = direct{simulator} })
			defer other.Close()
			shown := []any{result, client.State(), other.Authorise(t.Context()), other.State(), string(result.Answer), string(result.Request)}
			for _, entry := range logs.All() {
				shown = append(shown, entry.Message, entry.ContextMap())
			}
			for _, value := range shown {
				raw, err := json.Marshal(value)
				if err != nil {
					t.Fatal(err)
				}
				if text := fmt.Appendf(raw, "%+v %#v", value, value); simulator.LeakedIn(text) {
					t.Errorf("shown: %s", text)
				}
			}
		})
	}
}
