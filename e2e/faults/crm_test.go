package faults_test

import (
	"compress/gzip"
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kontur-ari/crm/crmtest"
	"kontur-ari/e2e/lab"
)

// While the CRM fails, no event is lost and no request is repeated without need. As soon
// as it works again, it receives all reports.
func TestACRMThatFailsReceivesAllReportsLater(t *testing.T) {
	for name, rule := range map[string]crmtest.Rule{
		"CRM answers 500":           {Status: http.StatusInternalServerError, Body: `"Error"`},
		"CRM answers 429":           {Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"1"}}},
		"CRM answers 401":           {Status: http.StatusUnauthorized, Body: `"Unauthorized"`},
		"CRM resets the connection": {CloseConnection: true, Reset: true},
		"CRM hangs":                 {Hang: true},
	} {
		t.Run(name, func(t *testing.T) { failing(name, rule, false).run(t) })
	}
}

// If the CRM took a request and its answer is lost, the daemon repeats this request and
// no other.
func TestALostAnswerRepeatsOneRequest(t *testing.T) {
	for name, rule := range map[string]crmtest.Rule{
		"answer drips":                   {Drip: time.Second},
		"answer lost, connection closed": {DropAnswer: true},
		"answer lost, connection reset":  {DropAnswer: true, Reset: true},
		"answer is a gzip bomb":          {Status: http.StatusOK, Body: bomb(), Header: http.Header{"Content-Encoding": {"gzip"}}},
	} {
		t.Run(name, func(t *testing.T) { failing(name, rule, true).run(t) })
	}
}

// bomb returns an answer of a few kilobytes that unpacks to 64 MiB.
func bomb() string {
	var packed strings.Builder
	writer := gzip.NewWriter(&packed)
	for range 64 {
		if _, err := writer.Write(make([]byte, 1<<20)); err != nil {
			panic(err) // a strings.Builder takes everything
		}
	}
	if err := writer.Close(); err != nil {
		panic(err)
	}
	return packed.String()
}

// impatience is the daemon's request timeout when the CRM hangs or drips its answer. It is
// shorter than a dripping answer takes, and longer than a busy machine stands still.
const impatience = "3s"

// failing returns a fault that has the CRM follow a rule, for a few requests or for a while.
func failing(name string, rule crmtest.Rule, answersLost bool) fault {
	return fault{
		name: name, full: 100, short: 3, parts: 2, repeats: map[bool]string{false: "none", true: "every lost answer"}[answersLost],
		configure: func(config *lab.DaemonConfig) {
			if rule.Hang || rule.Drip > 0 {
				config.RequestTimeout = impatience
			}
		},
		strike: func(ctx context.Context, o *office, round int) (allowance, error) {
			var times atomic.Int64
			rule := rule
			rule.Match = func(crmtest.Request) bool { times.Add(1); return true }
			lasts := o.between(100*time.Millisecond, time.Second)
			if round%2 == 0 {
				rule.Times = 1 + o.random.IntN(5)
			}
			remove := o.crm.Fail(rule)
			err := o.crm.WaitFor(ctx, func(*crmtest.CRM) bool { return times.Load() > 0 })
			if err == nil {
				err = o.pause(ctx, lasts)
			}
			remove()
			o.healed()
			lost := 0
			if answersLost {
				lost = int(times.Load())
			}
			return allowance{lostAnswers: &lost}, err
		},
	}
}
