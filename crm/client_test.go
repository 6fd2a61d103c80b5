package crm

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"pgregory.net/rapid"

	"kontur-ari/bridge"
	"kontur-ari/crm/crmtest"
)

// wholeCall is every report of an answered inbound call.
func wholeCall(id bridge.CallID) []bridge.Report {
	leg := bridge.LegID(id + "1")
	from, to := bridge.Party{Type: bridge.PartyClient}, bridge.Party{Type: bridge.PartyUser, UserID: userPetrova}
	call := func(kind bridge.ReportKind, second time.Duration) bridge.Report {
		return changed(startedReport(), func(r *bridge.Report) { r.Kind, r.Call, r.Time = kind, id, moment.Add(second*time.Second) })
	}
	event := func(kind bridge.LegEvent, second time.Duration) bridge.Report {
		return bridge.Report{
			Kind: bridge.ReportEvent, Call: id, Time: moment.Add(second * time.Second),
			Leg: leg, Event: kind, From: &from, To: &to,
		}
	}
	register := call(bridge.ReportRegister, 60)
	register.CreatedAt = moment
	register.Items = []bridge.Item{{ID: leg, From: from, To: to, StartedAt: moment.Add(5 * time.Second), FinishedAt: moment.Add(60 * time.Second)}}
	return []bridge.Report{
		call(bridge.ReportStarted, 0), event(bridge.LegAppeared, 1), event(bridge.LegConnected, 5),
		event(bridge.LegDisconnected, 60), event(bridge.LegFinished, 60), call(bridge.ReportFinished, 60), register,
	}
}

// deliver sends reports in order, each until it is settled, as the outbox does.
func deliver(ctx context.Context, client *Client, reports []bridge.Report) (refused []bridge.Result) {
	var identity bridge.Identity
	for _, report := range reports {
		for ctx.Err() == nil {
			result := client.Send(ctx, report, identity)
			if result.Learnt != (bridge.Identity{}) {
				identity = result.Learnt
			}
			if result.Verdict == bridge.Refused {
				refused = append(refused, result)
			}
			if result.Verdict != bridge.Retry {
				break
			}
			select {
			case <-time.After(max(result.RetryAfter, 10*time.Millisecond)):
			case <-ctx.Done():
			}
		}
	}
	return refused
}

// newRealPair returns a simulator that listens and a client that talks to it
// over its own connection pool.
func newRealPair(t *testing.T, options crmtest.Options, change func(*Config)) (*Client, *crmtest.Server) {
	t.Helper()
	server := crmtest.NewServer(options)
	t.Cleanup(server.Close)
	client, _ := newClient(t, func(c *Config) {
		c.BaseURL = server.URL
		change(c)
	})
	t.Cleanup(client.Close)
	return client, server
}

func TestManyWholeCallsOverSockets(t *testing.T) {
	client, server := newRealPair(t, crmtest.Options{}, func(*Config) {})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	const calls = 40
	var all sync.WaitGroup
	for i := range calls {
		all.Go(func() {
			for _, result := range deliver(ctx, client, wholeCall(bridge.CallID(fmt.Sprintf("%d.5", i)))) {
				t.Errorf("refused: %s %s", result.Reason, result.Answer)
			}
		})
	}
	if err := server.WaitRegistered(ctx, calls); err != nil {
		t.Error(err)
	}
	all.Wait()
	if len(server.Violations()) > 0 || server.Repeats() > 0 || server.KeysIssued() != 1 {
		t.Errorf("%d keys\n%s", server.KeysIssued(), server.Summary())
	}
}

func TestWholeCallInSpiteOfEverything(t *testing.T) {
	tests := []struct {
		name    string
		options crmtest.Options
		spoil   func(*crmtest.CRM)
		repeats int
		refused int
	}{
		{"unavailable at times", crmtest.Options{}, func(c *crmtest.CRM) {
			for _, kind := range []crmtest.Kind{crmtest.KindStarted, crmtest.KindEvent, crmtest.KindRegister, crmtest.KindAuthorize} {
				c.Fail(crmtest.Rule{Kind: kind, Status: 503, Times: 2})
			}
		}, 0, 0},
		{"too many requests", crmtest.Options{}, func(c *crmtest.CRM) {
			c.Fail(crmtest.Rule{Status: 429, Header: http.Header{"Retry-After": {"7"}}, Times: 3})
		}, 0, 0},
		{"answers lost", crmtest.Options{}, func(c *crmtest.CRM) {
			for _, kind := range []crmtest.Kind{crmtest.KindStarted, crmtest.KindEvent, crmtest.KindFinished, crmtest.KindRegister} {
				c.Fail(crmtest.Rule{Kind: kind, DropAnswer: true, Times: 1})
			}
		}, 4, 0},
		{"connections closed", crmtest.Options{}, func(c *crmtest.CRM) { c.Fail(crmtest.Rule{CloseConnection: true, Times: 5}) }, 0, 0},
		{"no answer at times", crmtest.Options{}, func(c *crmtest.CRM) { c.Fail(crmtest.Rule{Hang: true, Times: 3}) }, 0, 0},
		{"login page at times", crmtest.Options{}, func(c *crmtest.CRM) {
			c.Fail(crmtest.Rule{Kind: crmtest.KindStarted, Status: 200, Body: html, Times: 2})
		}, 2, 0},
		{"keys of one second", crmtest.Options{KeyLifetime: time.Second}, func(c *crmtest.CRM) {
			c.Fail(crmtest.Rule{Kind: crmtest.KindEvent, Delay: 600 * time.Millisecond})
		}, 0, 0},
		{"an event refused for good", crmtest.Options{}, func(c *crmtest.CRM) {
			c.Fail(crmtest.Rule{Kind: crmtest.KindEvent, Status: 409, Body: `{"status":"x","message":"y"}`, Times: 1})
		}, 0, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, simulator, _ := newPair(t, test.options)
				defer client.Close()
				test.spoil(simulator)
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				refused := deliver(ctx, client, wholeCall("1.5"))
				call, _ := simulator.Call("1.5")
				if len(call.Requests) != 7 || len(simulator.Violations()) > 0 || simulator.Repeats() != test.repeats || len(refused) != test.refused {
					t.Errorf("refused %v\n%s", refused, simulator.Summary())
				}
			})
		})
	}
}

func TestSendLearnsFromCallStarted(t *testing.T) {
	client, simulator, _ := newPair(t, crmtest.Options{IntegrationName: "Megafon"})
	defer client.Close()
	result := client.Send(t.Context(), startOf("1.5"), bridge.Identity{})
	call, _ := simulator.Call("1.5")
	want := bridge.Identity{ExternalID: "Megafon/1.5", CommunicationID: call.CommunicationID}
	if result.Learnt != want || result.Status != 200 || string(result.Request) != string(call.Requests[0].Raw) || len(result.Answer) == 0 {
		t.Errorf("%+v", result)
	}
}

func TestNodePrefix(t *testing.T) {
	simulator := crmtest.New(crmtest.Options{})
	client, _ := newClient(t, func(c *Config) { c.Transport, c.NodePrefix = direct{simulator}, "pbx1" })
	defer client.Close()
	deliver(t.Context(), client, wholeCall("1.5"))
	call, _ := simulator.Call("pbx1-1.5")
	if !call.Registered || len(simulator.Violations()) > 0 || call.Legs[0] != "1.51" {
		t.Error(simulator.Summary())
	}
}

func TestUnsendableReportIsRefusedWithoutARequest(t *testing.T) {
	client, simulator, _ := newPair(t, crmtest.Options{})
	defer client.Close()
	result := client.Send(t.Context(), bridge.Report{Kind: bridge.ReportFailed, Call: "1.5"}, bridge.Identity{})
	wantResult(t, result, bridge.Refused, "crm: call-failed can't be sent: no communicationId")
	if len(simulator.Requests()) != 0 {
		t.Error(simulator.Summary())
	}
}

func TestHeaders(t *testing.T) {
	simulator := crmtest.New(crmtest.Options{})
	var seen []http.Header
	client, _ := newClient(t, func(c *Config) {
		c.UserAgent = "kontur-ari/1.2.3"
		c.Transport = direct{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			seen = append(seen, r.Header)
			simulator.ServeHTTP(w, r)
		})}
	})
	defer client.Close()
	client.Send(t.Context(), startOf("1.5"), bridge.Identity{})
	want := []http.Header{
		{"Accept": {"application/json"}, "User-Agent": {"kontur-ari/1.2.3"}, "X-Xcom-Integration-Apikey": {"test-api-key"}},
		{"Accept": {"application/json"}, "User-Agent": {"kontur-ari/1.2.3"}, "X-Xcom-Accesskey": {"crmtest-access-key-0001"}, "Content-Type": {"application/json; charset=utf-8"}},
	}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Error(diff)
	}
}

func TestRequestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, simulator, _ := newPair(t, crmtest.Options{})
		defer client.Close()
		simulator.Fail(crmtest.Rule{Hang: true})
		begin := time.Now()
		wantResult(t, client.Send(t.Context(), startOf("1.5"), bridge.Identity{}), bridge.Retry, "no answer in time")
		if took := time.Since(begin); took != defaultRequestTimeout {
			t.Errorf("gave up after %s", took)
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		wantResult(t, client.Send(ctx, startOf("1.5"), bridge.Identity{}), bridge.Retry, "no answer: the request was given up")
		cancel()
	})
}

// authorised is a server that authorises every client and answers reports as the test asks.
func authorised(t *testing.T, report http.HandlerFunc) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/authorization/", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"accessKey":"k"}`) })
	mux.HandleFunc("POST /api/v1/my-workspace/", report)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	var elsewhere atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	server := authorised(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
	})
	client, _ := newClient(t, func(c *Config) { c.BaseURL = server.URL })
	defer client.Close()
	wantResult(t, client.Send(t.Context(), startOf("1.5"), bridge.Identity{}), bridge.Retry, "HTTP 307 Temporary Redirect: redirects are not followed")
	if elsewhere.Load() != 0 {
		t.Error("followed")
	}
}

// 256 MiB of zeros, compressed into next to nothing, are not read.
func TestAnswerThatIsABomb(t *testing.T) {
	server := authorised(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		packed := gzip.NewWriter(w)
		for range 256 {
			if _, err := packed.Write(make([]byte, 1<<20)); err != nil {
				return // the client has had enough
			}
		}
	})
	client, _ := newClient(t, func(c *Config) { c.BaseURL = server.URL })
	defer client.Close()
	result := client.Send(t.Context(), startOf("1.5"), bridge.Identity{})
	wantResult(t, result, bridge.Retry, "HTTP 200 OK: the answer is not the CRM's (it is not JSON)")
	if len(result.Answer) != answerKept {
		t.Errorf("%d bytes kept", len(result.Answer))
	}
}

func TestAnswerThatBreaksOff(t *testing.T) {
	server := authorised(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		io.WriteString(w, `"OK"`)
	})
	client, _ := newClient(t, func(c *Config) { c.BaseURL = server.URL })
	defer client.Close()
	wantResult(t, client.Send(t.Context(), startOf("1.5"), bridge.Identity{}), bridge.Retry, "no answer: the connection was closed")
}

func TestARefusedConnectionIsRetried(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	client, _ := newClient(t, func(c *Config) { c.BaseURL = server.URL })
	defer client.Close()
	wantResult(t, client.Send(t.Context(), startOf("1.5"), bridge.Identity{}), bridge.Retry, "authorisation: no answer: the connection was refused")
}

func TestCertificateIsVerified(t *testing.T) {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = zap.NewStdLog(zap.NewNop())
	server.StartTLS()
	defer server.Close()
	client, _ := newClient(t, func(c *Config) { c.BaseURL = server.URL })
	defer client.Close()
	wantResult(t, client.Send(t.Context(), startOf("1.5"), bridge.Identity{}), bridge.Retry, "authorisation: no answer: the CRM's certificate is from an unknown authority")
}

// Whatever reports say, their bodies are what the contract describes.
func TestEveryBodyIsTheContracts(t *testing.T) {
	simulator := crmtest.New(crmtest.Options{})
	client, _ := newClient(t, func(c *Config) { c.Transport = direct{simulator} })
	defer client.Close()
	rapid.Check(t, func(rt *rapid.T) {
		report := anyReport().Draw(rt, "report")
		identity := bridge.Identity{
			ExternalID:      rapid.StringMatching(`(Asterisk/[0-9.]+)?`).Draw(rt, "externalId"),
			CommunicationID: rapid.StringMatching(`[0-9a-f]{1,8}`).Draw(rt, "communicationId"),
		}
		result := client.Send(t.Context(), report, identity)
		if result.Request == nil {
			rt.Fatalf("not sent: %s", result.Reason)
		}
		for _, violation := range simulator.Violations() {
			if violation.Breach == crmtest.BreachBody || violation.Breach == crmtest.BreachRequest {
				rt.Fatalf("%s: %s", violation, result.Request)
			}
		}
	})
}

// anyReport draws complete reports of all kinds: texts that any language may
// have, times anywhere on the clock.
func anyReport() *rapid.Generator[bridge.Report] {
	text := rapid.StringN(1, 12, -1)
	phone := rapid.StringMatching(`([0-9]{2,15}|anonymous)?`)
	moments := rapid.Custom(func(t *rapid.T) time.Time {
		zone := time.FixedZone("", 900*rapid.IntRange(-48, 56).Draw(t, "zone"))
		return time.UnixMilli(rapid.Int64Range(0, 4e12).Draw(t, "time")).In(zone)
	})
	parties := rapid.Custom(func(t *rapid.T) bridge.Party {
		if rapid.Bool().Draw(t, "client") {
			return bridge.Party{Type: bridge.PartyClient}
		}
		return bridge.Party{Type: bridge.PartyUser, UserID: rapid.StringN(0, 12, -1).Draw(t, "user")}
	})
	items := rapid.Custom(func(t *rapid.T) bridge.Item {
		item := bridge.Item{ID: bridge.LegID(text.Draw(t, "id")), From: parties.Draw(t, "from"), To: parties.Draw(t, "to"), FinishedAt: moments.Draw(t, "finished")}
		if rapid.Bool().Draw(t, "answered") {
			item.StartedAt = moments.Draw(t, "started")
		}
		return item
	})
	return rapid.Custom(func(t *rapid.T) bridge.Report {
		from, to := parties.Draw(t, "from"), parties.Draw(t, "to")
		return bridge.Report{
			Kind: rapid.SampledFrom([]bridge.ReportKind{
				bridge.ReportStarted, bridge.ReportEvent, bridge.ReportFinished, bridge.ReportFailed, bridge.ReportRegister,
			}).Draw(t, "kind"),
			Call: bridge.CallID(text.Draw(t, "call")), Time: moments.Draw(t, "time"), CreatedAt: moments.Draw(t, "created"),
			Direction:   rapid.SampledFrom([]bridge.Direction{bridge.Inbound, bridge.Outbound, bridge.Internal}).Draw(t, "direction"),
			ClientPhone: phone.Draw(t, "client"), VatsPhone: phone.Draw(t, "vats"),
			Leg:   bridge.LegID(text.Draw(t, "leg")),
			Event: rapid.SampledFrom([]bridge.LegEvent{bridge.LegAppeared, bridge.LegConnected, bridge.LegPaused, bridge.LegDisconnected, bridge.LegFinished}).Draw(t, "event"),
			From:  &from, To: &to, Items: rapid.SliceOfN(items, 1, 3).Draw(t, "items"),
		}
	})
}
