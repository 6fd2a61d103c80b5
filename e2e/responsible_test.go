package e2e_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"kontur-ari/crm/crmtest"
	"kontur-ari/e2e/lab"
)

// asked collects the queries with which the CRM was asked for the responsible user.
type asked struct {
	mu      sync.Mutex
	queries []url.Values
}

// note matches no request, but records every query that it is given.
func (a *asked) note(request crmtest.Request) bool {
	query, err := url.ParseQuery(request.Query)
	if err != nil {
		query = url.Values{"unreadable": {request.Query}}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.queries = append(a.queries, query)
	return false
}

func (a *asked) times() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.queries)
}

// answering sets how the CRM of a test answers when it is asked for the responsible user.
type answering func(*deployment)

// names makes the CRM name the users of these extensions for the client's number.
func names(extensions ...string) answering {
	return func(d *deployment) { d.crm.SetResponsible(d.client, userIDs(extensions)...) }
}

// namesAnyhow makes the CRM name them whatever it is asked.
func namesAnyhow(extensions ...string) answering {
	return func(d *deployment) {
		body, err := json.Marshal(map[string][]string{"userIds": userIDs(extensions)})
		d.must(err)
		d.crm.Fail(crmtest.Rule{Kind: crmtest.KindRedirect, Status: http.StatusOK, Body: string(body)})
	}
}

func userIDs(extensions []string) []string {
	ids := []string{}
	for _, extension := range extensions {
		ids = append(ids, lab.UserID(extension))
	}
	return ids
}

// unknownNumber leaves the CRM without any user for the client's number.
func unknownNumber(*deployment) {}

// unavailable makes the CRM refuse with 503.
func unavailable(d *deployment) {
	d.crm.Fail(crmtest.Rule{Kind: crmtest.KindRedirect, Status: http.StatusServiceUnavailable})
}

// silent makes the CRM never answer.
func silent(d *deployment) { d.crm.Fail(crmtest.Rule{Kind: crmtest.KindRedirect, Hang: true}) }

// asksResponsible is a newDeployment whose CRM answers like that when it is asked for the
// responsible user. The returned asked collects the queries.
func asksResponsible(t *testing.T, answer answering, change ...func(*lab.DaemonConfig)) (*deployment, *asked) {
	t.Helper()
	var application string
	d := newDeployment(t, append(change, func(config *lab.DaemonConfig) { application = config.Application })...)
	questions := new(asked)
	d.crm.Fail(crmtest.Rule{Kind: crmtest.KindRedirect, Match: questions.note})
	answer(d)
	d.must(d.SetGlobal(d.ctx, "KONTUR_APP", application))
	return d, questions
}

// awaitAsked waits until the CRM was asked that many times, and returns the last query.
func (d *deployment) awaitAsked(questions *asked, times int) url.Values {
	d.Helper()
	for questions.times() < times {
		d.must(d.pause(pollEvery))
		if context.Cause(d.ctx) != nil {
			d.Fatal("the CRM was not asked")
		}
	}
	questions.mu.Lock()
	defer questions.mu.Unlock()
	return questions.queries[times-1]
}

// awaitRedirected waits until the dial plan continues after the redirect, and compares what
// it found: the result, the user, the extension and STASISSTATUS.
func (d *deployment) awaitRedirected(want string) {
	d.Helper()
	// The log may have the calls of other tests.
	logged, err := d.AwaitLogged(d.ctx, "Ext. asked: redirected "+d.client+": ")
	d.must(err)
	if found := strings.Join(strings.Fields(logged), " "); found != want {
		d.Errorf("the dial plan found %q, not %q", found, want)
	}
}
