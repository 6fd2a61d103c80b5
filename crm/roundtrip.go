package crm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"kontur-ari/bridge"
	"kontur-ari/internal/secret"
)

// The types of the bodies that are sent.
const (
	jsonType  = "application/json; charset=utf-8"
	patchType = "application/json-patch+json"
)

// request is one HTTP request, but for its headers.
type request struct {
	method string
	// path is below the workspace, with the query if there is one.
	path string
	// contentType is that of body; both are left out where nothing is sent.
	contentType string
	body        []byte
}

// RequestError says why a request that is no report was not granted. Its text is
// stable for one cause and holds neither a secret nor a phone number.
type RequestError struct {
	// Request names what was asked for: "instance", "call-redirect".
	Request string
	// Verdict is bridge.Retry where it may be granted later, else bridge.Refused.
	Verdict bridge.Verdict
	// Status is the HTTP status, 0 when no answer came.
	Status int
	// Code is what the CRM calls the trouble, such as "notFound"; "" when it does not.
	Code string
	// Reason says it in words.
	Reason string

	cause error
}

func (e *RequestError) Error() string { return fmt.Sprintf("crm: %s: %s", e.Request, e.Reason) }

// Unwrap returns the error of the caller's context where that had ended, else nil.
func (e *RequestError) Unwrap() error { return e.cause }

// ask makes a request that reports nothing and returns the body of its answer. The
// error is a *RequestError. It takes two tries of the request at most, and never
// lasts longer than ctx allows.
func (c *Client) ask(ctx context.Context, name string, r request) ([]byte, error) {
	a, err := c.roundTrip(ctx, r)
	if err != nil {
		return nil, c.asked(ctx, name, unauthorised(err))
	}
	if err := c.asked(ctx, name, classify("", a, time.Now())); err != nil {
		return nil, err
	}
	return a.body, nil
}

// asked makes an error of what came of a request; nil where it was granted.
func (c *Client) asked(ctx context.Context, name string, result bridge.Result) error {
	c.log.Debug("asked", zap.String("request", name), zap.Int("status", result.Status),
		zap.String("verdict", string(result.Verdict)), zap.String("reason", result.Reason))
	if result.Verdict == bridge.Delivered {
		return nil
	}
	return &RequestError{
		Request: name, Verdict: result.Verdict, Status: result.Status,
		Code: decodeProblem(result.Answer).name, Reason: result.Reason, cause: ctx.Err(),
	}
}

// unreadable is the error of a request whose answer is not what it must be.
func unreadable(name string, status int, reason string) error {
	return &RequestError{Request: name, Verdict: bridge.Retry, Status: status, Reason: fmt.Sprintf("HTTP %d: %s", status, reason)}
}

// isUnknown reports whether the CRM said that it does not know what was asked about.
// The contract shows a 409 for that, where others have a 404.
func isUnknown(err error) bool {
	failed, ok := errors.AsType[*RequestError](err)
	return ok && (failed.Status == http.StatusNotFound || failed.Status == http.StatusConflict && failed.Code == "notFound")
}

// roundTrip makes a request. It removes the access key from the answer if the CRM repeats
// it there. The error is that of withKey.
func (c *Client) roundTrip(ctx context.Context, r request) (answer, error) {
	return c.withKey(ctx, func(key secret.String) answer {
		a := c.do(ctx, c.workspaceURL(r.path), r, http.Header{headerAccessKey: {key.Reveal()}})
		return a.without(key.Reveal())
	})
}

// withKey makes a request with an access key of ours, and again with a new key where the
// CRM refuses that. The error says why there is no key: it is a *refusal or ctx's.
func (c *Client) withKey(ctx context.Context, request func(secret.String) answer) (answer, error) {
	key, err := c.access.get(ctx, secret.String{})
	if err != nil {
		return answer{}, err
	}
	a := request(key)
	if a.wantsNewKey() {
		if key, err = c.access.get(ctx, key); err != nil {
			return answer{}, err
		}
		a = request(key)
	}
	switch {
	case a.err != nil:
	case a.wantsNewKey():
		c.access.refuse(key)
	default:
		c.access.trust()
	}
	return a, nil
}

// without takes a secret out of an answer: some proxies show the request in their
// error pages, headers included.
func (a answer) without(secret string) answer {
	if bytes.Contains(a.body, []byte(secret)) {
		a.body = bytes.ReplaceAll(a.body, []byte(secret), []byte("[secret]"))
	}
	return a
}

// do makes one HTTP request; err of the answer is set when none came whole.
func (c *Client) do(ctx context.Context, url string, r request, header http.Header) answer {
	ctx, cancel := context.WithTimeout(ctx, c.config.RequestTimeout)
	defer cancel()
	var sent atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { sent.Store(true) }})
	made, err := http.NewRequestWithContext(ctx, r.method, url, bytes.NewReader(r.body))
	if err != nil {
		return answer{err: err}
	}
	made.Header = header
	made.Header.Set("User-Agent", c.config.UserAgent)
	made.Header.Set("Accept", "application/json")
	if len(r.body) > 0 {
		made.Header.Set("Content-Type", r.contentType)
	}
	response, err := c.http.Do(made)
	if err != nil {
		return answer{err: err, sent: sent.Load()}
	}
	return readAnswer(response)
}
