package crm

import (
	"net/http"
	"strconv"
	"time"

	"kontur-ari/bridge"
)

// longestRetryAfter caps what the CRM may ask for, so that a slip on its side
// (or on a proxy's) does not silence a switch for a day.
const longestRetryAfter = 5 * time.Minute

// answerKept is how much of an answer a Result carries.
const answerKept = 16 << 10

// classify says what an answer means for the report it answers. It is pure.
//
//	2xx with JSON, OK, or no body    delivered
//	2xx with anything else           retry: some proxy answered, not the CRM
//	3xx                              retry: base_url or a proxy is set up wrongly
//	401                              retry, once a new access key was refused as well
//	                                 (before that, [answer.wantsNewKey])
//	407, 408, 425, 429, 503          retry, honouring Retry-After: the CRM does not have it
//	any other 5xx                    retry, honouring Retry-After: it may have it
//	no connection                    retry: it does not have it
//	no whole answer                  retry: it may have it
//	any other 4xx, such as 409       refused: it becomes a dead letter (bridge/store/outbox.go)
//
// 407 is a proxy's and not the CRM's. A Result's Reason never names anything that differs between
// two tries that fail for one cause: ids are masked in it, and Answer has them.
func classify(kind bridge.ReportKind, a answer, now time.Time) bridge.Result {
	if a.err != nil {
		return bridge.Result{Verdict: bridge.Retry, Reason: transportReason(a.err), NotTaken: !a.sent, Everybody: !a.sent}
	}
	result := bridge.Result{Status: a.status, Answer: a.body[:min(len(a.body), answerKept)]}
	switch {
	case a.status >= 200 && a.status < 300 && a.fromCRM():
		result.Verdict = bridge.Delivered
		if kind == bridge.ReportStarted {
			result.Learnt = decodeIdentity(a.body)
		}
		return result
	case a.status >= 200 && a.status < 300:
		result.Verdict = bridge.Retry
		result.Reason = statusReason(a) + ": the answer is not the CRM's (it is not JSON)"
	case a.status >= 300 && a.status < 400:
		result.Verdict = bridge.Retry
		result.NotTaken = true
		result.Reason = statusReason(a) + ": redirects are not followed"
	case temporary(a.status):
		result.Verdict = bridge.Retry
		result.RetryAfter = retryAfter(a.header, now)
		result.NotTaken = a.status < 500 || a.status == http.StatusServiceUnavailable
		result.Everybody = a.wantsNewKey()
		result.Reason = statusReason(a)
	default:
		result.Verdict = bridge.Refused
		result.Reason = statusReason(a)
	}
	return result
}

// wantsNewKey reports that the CRM did not take the access key: it is to be renewed, and
// the request made again.
func (a answer) wantsNewKey() bool { return a.err == nil && a.status == http.StatusUnauthorized }

// temporary reports of a status from 400 on whether the request may succeed later.
func temporary(status int) bool {
	switch status {
	case http.StatusUnauthorized, http.StatusProxyAuthRequired, http.StatusRequestTimeout,
		http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	}
	return status < 400 || status >= 500
}

// retryAfter reads the header Retry-After in both its forms; 0 when it is not
// there, can't be read or is past.
func retryAfter(header http.Header, now time.Time) time.Duration {
	value := header.Get("Retry-After")
	pause := time.Duration(0)
	if seconds, err := strconv.ParseUint(value, 10, 32); err == nil {
		pause = time.Duration(seconds) * time.Second
	} else if date, err := http.ParseTime(value); err == nil {
		pause = date.Sub(now)
	}
	return min(max(pause, 0), longestRetryAfter)
}
