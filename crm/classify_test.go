package crm

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"kontur-ari/bridge"
)

const (
	startedAnswer = `{"links":{"dealIds":[]},"externalId":"Megafon/333.434","type":"call","id":"184bcd"}`
	shortProblem  = `{"status":"communicationNotFound","message":"Communication not found. Id: 435f7d1e-0000-4000-8000-00000000068e"}`
	longProblem   = `{"errors":{"direction":["Error converting value \"in2bound\" to type 'Xcom.Direction'. Path 'direction', line 7, position 27."],` +
		`"callStartedInfo":["The callStartedInfo field is required.","And more."]},"type":"https://tools.ietf.org/html/rfc7231#section-6.5.1",` +
		`"title":"One or more validation errors occurred.","status":400,"traceId":"00-1a2b3c4d-00"}`
	html = "<html><body>Sign in</body></html>"
)

func TestClassify(t *testing.T) {
	delivered, retry, refused := bridge.Delivered, bridge.Retry, bridge.Refused
	tests := []struct {
		name    string
		kind    bridge.ReportKind
		status  int
		body    string
		verdict bridge.Verdict
		reason  string
		learnt  bridge.Identity
	}{
		{"OK", bridge.ReportEvent, 200, `"OK"`, delivered, "", bridge.Identity{}},
		{"OK with a byte order mark", bridge.ReportEvent, 200, "\xef\xbb\xbf\"OK\"\r\n", delivered, "", bridge.Identity{}},
		{"OK without quotes", bridge.ReportRegister, 200, "OK", delivered, "", bridge.Identity{}},
		{"a sentence", bridge.ReportEvent, 200, "Please sign in", retry, "HTTP 200 OK: the answer is not the CRM's (it is not JSON)", bridge.Identity{}},
		{"no body", bridge.ReportEvent, 200, "", delivered, "", bridge.Identity{}},
		{"202", bridge.ReportEvent, 202, `"OK"`, delivered, "", bridge.Identity{}},
		{"204", bridge.ReportEvent, 204, "", delivered, "", bridge.Identity{}},
		{"call-started", bridge.ReportStarted, 200, startedAnswer, delivered, "", bridge.Identity{ExternalID: "Megafon/333.434", CommunicationID: "184bcd"}},
		{"call-started's answer to another kind", bridge.ReportEvent, 200, startedAnswer, delivered, "", bridge.Identity{}},
		{"call-started without body", bridge.ReportStarted, 200, "", delivered, "", bridge.Identity{}},
		{"call-started, OK", bridge.ReportStarted, 200, `"OK"`, delivered, "", bridge.Identity{}},
		{"call-started, null", bridge.ReportStarted, 200, `null`, delivered, "", bridge.Identity{}},
		{"call-started, one odd id", bridge.ReportStarted, 200, `{"externalId":7,"id":"184bcd"}`, delivered, "", bridge.Identity{CommunicationID: "184bcd"}},
		{"login page", bridge.ReportStarted, 200, html, retry, "HTTP 200 OK: the answer is not the CRM's (it is not JSON)", bridge.Identity{}},
		{"cut JSON", bridge.ReportStarted, 200, `{"externalId":"Mega`, retry, "HTTP 200 OK: the answer is not the CRM's (it is not JSON)", bridge.Identity{}},
		{"301", bridge.ReportEvent, 301, html, retry, "HTTP 301 Moved Permanently: redirects are not followed", bridge.Identity{}},
		{"302", bridge.ReportEvent, 302, "", retry, "HTTP 302 Found: redirects are not followed", bridge.Identity{}},
		{"304", bridge.ReportEvent, 304, "", retry, "HTTP 304 Not Modified: redirects are not followed", bridge.Identity{}},
		{"400", bridge.ReportEvent, 400, "", refused, "HTTP 400 Bad Request", bridge.Identity{}},
		{"401", bridge.ReportEvent, 401, `"Unauthorized"`, retry, "HTTP 401: Unauthorized", bridge.Identity{}},
		{"403", bridge.ReportEvent, 403, html, refused, "HTTP 403 Forbidden", bridge.Identity{}},
		{"404", bridge.ReportEvent, 404, "", refused, "HTTP 404 Not Found", bridge.Identity{}},
		{"407", bridge.ReportEvent, 407, html, retry, "HTTP 407 Proxy Authentication Required", bridge.Identity{}},
		{"408", bridge.ReportEvent, 408, "", retry, "HTTP 408 Request Timeout", bridge.Identity{}},
		{"409, short form", bridge.ReportEvent, 409, shortProblem, refused, "HTTP 409: communicationNotFound: Communication not found. Id: …", bridge.Identity{}},
		{"409, problem form", bridge.ReportStarted, 409, longProblem, refused, "HTTP 409: One or more validation errors occurred.: " +
			"callStartedInfo: The callStartedInfo field is required.; And more.; " +
			"direction: Error converting value \"in2bound\" to type 'Xcom.Direction'. Path 'direction', line 7, position 27.", bridge.Identity{}},
		{"409, bare string", bridge.ReportRegister, 409, `"Error"`, refused, "HTTP 409: Error", bridge.Identity{}},
		{"409, nothing", bridge.ReportRegister, 409, ``, refused, "HTTP 409 Conflict", bridge.Identity{}},
		{"409, number", bridge.ReportRegister, 409, `7`, refused, "HTTP 409 Conflict", bridge.Identity{}},
		{"409, odd errors", bridge.ReportRegister, 409, `{"title":"T","errors":{"a":"b","c":[1]}}`, refused, "HTTP 409: T: a: b; c:", bridge.Identity{}},
		{"410", bridge.ReportEvent, 410, "", refused, "HTTP 410 Gone", bridge.Identity{}},
		{"413", bridge.ReportEvent, 413, "", refused, "HTTP 413 Request Entity Too Large", bridge.Identity{}},
		{"422", bridge.ReportEvent, 422, shortProblem, refused, "HTTP 422: communicationNotFound: Communication not found. Id: …", bridge.Identity{}},
		{"425", bridge.ReportEvent, 425, "", retry, "HTTP 425 Too Early", bridge.Identity{}},
		{"429", bridge.ReportEvent, 429, "", retry, "HTTP 429 Too Many Requests", bridge.Identity{}},
		{"499", bridge.ReportEvent, 499, "", refused, "HTTP 499", bridge.Identity{}},
		{"500", bridge.ReportEvent, 500, html, retry, "HTTP 500 Internal Server Error", bridge.Identity{}},
		{"500, problem", bridge.ReportEvent, 500, `{"title":"Oops","traceId":"00-1a2b"}`, retry, "HTTP 500: Oops", bridge.Identity{}},
		{"501", bridge.ReportEvent, 501, "", retry, "HTTP 501 Not Implemented", bridge.Identity{}},
		{"502", bridge.ReportEvent, 502, html, retry, "HTTP 502 Bad Gateway", bridge.Identity{}},
		{"503", bridge.ReportEvent, 503, "", retry, "HTTP 503 Service Unavailable", bridge.Identity{}},
		{"599", bridge.ReportEvent, 599, "", retry, "HTTP 599", bridge.Identity{}},
		{"101", bridge.ReportEvent, 101, "", retry, "HTTP 101 Switching Protocols", bridge.Identity{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := classify(test.kind, answer{status: test.status, body: []byte(test.body)}, time.Now())
			want := bridge.Result{Verdict: test.verdict, Status: test.status, Answer: []byte(test.body), Reason: test.reason, Learnt: test.learnt}
			if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(bridge.Result{}, "NotTaken", "Everybody")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// After these answers the CRM certainly knows nothing of a call, so its live events need not be
// sent once it is over. In doubt, the CRM has what it was sent.
func TestWhatIsCertainThatTheCRMHasNot(t *testing.T) {
	for _, test := range []struct {
		name                string
		answer              answer
		notTaken, everybody bool
	}{
		{"no connection", answer{err: syscall.ECONNREFUSED}, true, true},
		{"a connection that broke", answer{err: syscall.ECONNRESET, sent: true}, false, false},
		{"no answer in time", answer{err: context.DeadlineExceeded, sent: true}, false, false},
		{"a page that is not the CRM's", answer{status: 200, body: []byte(html)}, false, false},
		{"a redirect", answer{status: 302}, true, false},
		{"no access", answer{status: 401}, true, true},
		{"a proxy that wants a password", answer{status: 407}, true, false},
		{"too slow", answer{status: 408}, true, false},
		{"too early", answer{status: 425}, true, false},
		{"too much", answer{status: 429}, true, false},
		{"an error inside", answer{status: 500}, false, false},
		{"a bad gateway", answer{status: 502}, false, false},
		{"not available", answer{status: 503}, true, false},
		{"a gateway that waited in vain", answer{status: 504}, false, false},
	} {
		got := classify(bridge.ReportStarted, test.answer, time.Now())
		if got.Verdict != bridge.Retry || got.NotTaken != test.notTaken || got.Everybody != test.everybody {
			t.Errorf("%s: %s, certainly not taken %v, everybody's trouble %v; want %v, %v", test.name, got.Verdict, got.NotTaken, got.Everybody, test.notTaken, test.everybody)
		}
	}
}

func TestEveryStatusHasAVerdictAndAReason(t *testing.T) {
	for status := 100; status < 1000; status++ {
		got := classify(bridge.ReportEvent, answer{status: status}, time.Now())
		if (got.Verdict == bridge.Delivered) != (status/100 == 2) || (got.Reason == "") != (got.Verdict == bridge.Delivered) {
			t.Errorf("%d: %+v", status, got)
		}
		if got.Verdict == bridge.Refused && status/100 != 4 {
			t.Errorf("%d is refused", status)
		}
	}
}

func TestReasonDoesNotVary(t *testing.T) {
	for _, pair := range [][2]string{
		{shortProblem, strings.Replace(shortProblem, "435f7d1e", "9a8b7c6d", 1)},
		{longProblem, strings.Replace(longProblem, "1a2b3c4d", "5e6f7a8b", 1)},
		{`{"status":"x","message":"phone 79997775533 at 2022-03-22T10:41:17.96+00:00"}`, `{"status":"x","message":"phone 79997775534 at 2022-03-23T10:41:17.9+00:00"}`},
	} {
		one := classify(bridge.ReportEvent, answer{status: 409, body: []byte(pair[0])}, time.Now())
		two := classify(bridge.ReportEvent, answer{status: 409, body: []byte(pair[1])}, time.Now())
		if one.Reason != two.Reason || strings.Contains(one.Reason, "7999") {
			t.Errorf("%s\n%s", one.Reason, two.Reason)
		}
	}
	long := classify(bridge.ReportEvent, answer{status: 409, body: []byte(`"` + strings.Repeat("Ошибка ", 1000) + `"`)}, time.Now())
	if len([]rune(long.Reason)) > reasonKept+20 {
		t.Errorf("%d characters", len([]rune(long.Reason)))
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 3, 17, 10, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"":                              0,
		"0":                             0,
		"7":                             7 * time.Second,
		"-7":                            0,
		"1.5":                           0,
		"soon":                          0,
		"86400":                         5 * time.Minute,
		"99999999999999999999":          0,
		"Tue, 17 Mar 2026 10:00:09 GMT": 9 * time.Second,
		"Tue, 17 Mar 2026 09:00:00 GMT": 0,
		"Wed, 18 Mar 2026 10:00:00 GMT": 5 * time.Minute,
	} {
		for _, status := range []int{429, 503} {
			got := classify(bridge.ReportEvent, answer{status: status, header: http.Header{"Retry-After": {value}}}, now)
			if got.RetryAfter != want {
				t.Errorf("%d, Retry-After %q: %s, want %s", status, value, got.RetryAfter, want)
			}
		}
	}
}

func TestTransportErrors(t *testing.T) {
	in := func(err error) error {
		return &url.Error{Op: "Post", URL: "http://127.0.0.1:54321/", Err: &net.OpError{Op: "dial", Net: "tcp", Err: err}}
	}
	tests := map[string]error{
		"no answer: the request was given up":                                  in(context.Canceled),
		"no answer in time":                                                    in(context.DeadlineExceeded),
		"no answer: the name crm.example can't be resolved":                    in(&net.DNSError{Err: "no such host", Name: "crm.example", Server: "10.0.0.1:53", IsTimeout: true}),
		"no answer: the connection was refused":                                in(os.NewSyscallError("connect", syscall.ECONNREFUSED)),
		"no answer: the connection was closed":                                 in(os.NewSyscallError("read", syscall.ECONNRESET)),
		"no answer: the CRM's certificate is from an unknown authority":        in(x509.UnknownAuthorityError{}),
		"no answer: the CRM's certificate is for another name":                 in(x509.HostnameError{Certificate: &x509.Certificate{}, Host: "crm.example"}),
		"no answer: the CRM's certificate has expired (or the clock is wrong)": in(x509.CertificateInvalidError{Reason: x509.Expired}),
		"no answer: the CRM's certificate is not valid":                        in(&tls.CertificateVerificationError{Err: errors.New("x")}),
		"no answer: no route to host":                                          in(os.NewSyscallError("connect", syscall.EHOSTUNREACH)),
		"no answer: http: server gave HTTP response to HTTPS client":           in(http.ErrSchemeMismatch),
		"no answer: broken at …":                                               in(errors.New("broken at 127.0.0.1:54321")),
	}
	for want, err := range tests {
		got := classify(bridge.ReportEvent, answer{status: 200, body: []byte(`"OK"`), err: err, sent: true}, time.Now())
		if diff := cmp.Diff(bridge.Result{Verdict: bridge.Retry, Reason: want}, got); diff != "" {
			t.Error(diff)
		}
	}
	for _, err := range []error{io.EOF, io.ErrUnexpectedEOF, fmt.Errorf("x: %w", syscall.EPIPE)} {
		if got := transportReason(err); got != "no answer: the connection was closed" {
			t.Error(got)
		}
	}
}

func TestLongAnswersAreCut(t *testing.T) {
	for _, test := range []struct {
		fill    string
		verdict bridge.Verdict
	}{{"<", bridge.Retry}, {`{"a`, bridge.Delivered}, {" ", bridge.Retry}} {
		body := strings.Repeat(test.fill, answerLimit+1)
		a := readAnswer(&http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(body))})
		got := classify(bridge.ReportStarted, a, time.Now())
		if len(a.body) != answerLimit || len(got.Answer) != answerKept || got.Verdict != test.verdict {
			t.Errorf("%q...: %d read, %d kept, %s", test.fill, len(a.body), len(got.Answer), got.Verdict)
		}
	}
}

// FuzzClassify feeds answers to every decoder: none may panic, and a verdict
// comes always.
func FuzzClassify(f *testing.F) {
	for _, body := range []string{startedAnswer, shortProblem, longProblem, html, `"OK"`, `null`, `[]`, "", `{"errors":{"a":[null]},"title":"t"}`, `{"accessKey":"k","integrationInstance":{"features":{"call":true}}}`,
		`{"userIds":["ae9","",null]}`, `{"isSuccessful":true,"responseCode":"ok","result":{"id":"7a1","webHooks":[{"schedule":{}}]}}`, `{"id":"7A1"}`,
		`{"errorInfo":{"invalidPaths":[{"op":"add","path":"/webHooks"},"/id",7],"status":"invalidArgs","message":"m"},"isSuccessful":false}`} {
		f.Add(200, []byte(body), "5")
		f.Add(409, []byte(body), "Wed, 18 Mar 2026 10:00:00 GMT")
	}
	f.Fuzz(func(t *testing.T, status int, body []byte, after string) {
		for _, cut := range []bool{false, true} {
			got := classify(bridge.ReportStarted, answer{status: status, header: http.Header{"Retry-After": {after}}, body: body, cut: cut}, time.Now())
			if got.Verdict == "" || got.RetryAfter < 0 || got.RetryAfter > longestRetryAfter || (got.Reason == "") != (got.Verdict == bridge.Delivered) {
				t.Errorf("%+v", got)
			}
		}
		if users, ok := decodeResponsible(body); !ok && users != nil || slices.Contains(users, "") {
			t.Errorf("%q %v", users, ok)
		}
		if installation, err := decodeConfigured(body); (err == nil) == (installation.ID == "") {
			t.Errorf("%+v, %v", installation, err)
		}
		if good, err := keyOpens(body, "7a1"); good && err != nil {
			t.Errorf("opened by %s", body)
		}
		if g, err := decodeGrant(body); (err == nil) == g.key.IsZero() {
			t.Errorf("%v, %v", g, err)
		}
	})
}
