package e2e_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"

	"kontur-ari/e2e/lab"
)

// responsible is a CRM that is asked who is responsible for a caller. Everything
// else is for the CRM behind it.
type responsible struct {
	*httptest.Server

	mu     sync.Mutex
	answer http.HandlerFunc
	asked  []url.Values
}

// newResponsible stands before the CRM of that address, until the test is over.
func newResponsible(t *testing.T, behind string) *responsible {
	t.Helper()
	address, err := url.Parse(behind)
	if err != nil {
		t.Fatal(err)
	}
	r := &responsible{answer: unavailable}
	proxy := &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) { p.SetURL(address) }}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if !strings.HasSuffix(request.URL.Path, "/api/v1/my-workspace/communications/callbacks/telephony/call-redirect") {
			proxy.ServeHTTP(w, request)
			return
		}
		r.mu.Lock()
		r.asked = append(r.asked, request.URL.Query())
		answer := r.answer
		r.mu.Unlock()
		if request.Method != http.MethodGet || request.Header.Get("X-XCOM-AccessKey") == "" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		answer(w, request)
	}))
	t.Cleanup(r.Close)
	return r
}

// names has the CRM name the users of these extensions.
func names(extensions ...string) http.HandlerFunc {
	users := []string{}
	for _, extension := range extensions {
		users = append(users, lab.UserID(extension))
	}
	return func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string][]string{"userIds": users})
	}
}

// knowsNobody is the CRM's answer about a number that it doesn't know.
func knowsNobody(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusConflict)
	_, _ = io.WriteString(w, `{"status":"notFound","message":"Communication Xcom.Api.Models.Communications.CallRedirectRequest not found"}`)
}

func unavailable(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusServiceUnavailable)
}

// silent never answers.
func silent(_ http.ResponseWriter, request *http.Request) { <-request.Context().Done() }

// asksResponsible is told with a CRM that answers, about the responsible, like that.
func asksResponsible(t *testing.T, answer http.HandlerFunc, change ...func(*lab.DaemonConfig)) (*told, *responsible) {
	t.Helper()
	var front *responsible
	var application string
	d := newTold(t, append(change, func(config *lab.DaemonConfig) {
		front = newResponsible(t, config.CRM)
		front.answer = answer
		config.CRM, application = front.URL, config.Application
	})...)
	d.must(d.SetGlobal(d.ctx, "KONTUR_APP", application))
	return d, front
}

// awaitAsked waits until the CRM has been asked for a caller, and says how.
func (d *told) awaitAsked(front *responsible, times int) url.Values {
	d.Helper()
	for {
		front.mu.Lock()
		asked := front.asked
		front.mu.Unlock()
		if len(asked) >= times {
			return asked[times-1]
		}
		d.must(d.pause(pollEvery))
		if context.Cause(d.ctx) != nil {
			d.Fatal("the CRM was not asked")
		}
	}
}

// awaitRedirected waits until the dial plan has gone on, and compares what it
// found: result, user, extension, and Stasis' own word.
func (d *told) awaitRedirected(want string) {
	d.Helper()
	// The log may have the calls of other tests.
	logged, err := d.AwaitLogged(d.ctx, "Ext. asked: redirected "+d.client+": ")
	d.must(err)
	if found := strings.Join(strings.Fields(logged), " "); found != want {
		d.Errorf("the dial plan found %q, not %q", found, want)
	}
}
