package ari

import (
	"errors"
	"fmt"
	"net/http"

	"kontur-ari/bridge"
)

// Kinds of failed requests. For errors.Is every *[RESTError] is exactly one of these.
var (
	// ErrNotFound: the channel, bridge, variable or application isn't there (404).
	ErrNotFound = errors.New("not found")
	// ErrConflict: not possible now (409), usually since the channel isn't in Stasis.
	ErrConflict = errors.New("conflict")
	// ErrUnauthorized: the credentials are wrong (401) or the user may not do
	// this, being read-only (403).
	ErrUnauthorized = errors.New("unauthorized")
	// ErrRejected: Asterisk understood and refused the request as it is (other 4xx).
	ErrRejected = errors.New("rejected")
	// ErrFailed: Asterisk tried and failed (500), e.g. an endpoint it couldn't
	// dial or a dial plan function that gave no value.
	ErrFailed = errors.New("failed")
	// ErrUnavailable: no answer came, or one that wasn't Asterisk's (502, 503,
	// 504, a body that can't be read). Whether the request had an effect is unknown.
	ErrUnavailable = errors.New("unavailable")
)

// RESTError is a request to Asterisk that was not answered with success. It
// holds neither credentials nor the query of the request.
type RESTError struct {
	// Method and Path name the request; Path starts below the ARI base.
	Method, Path string
	// Status is the HTTP status, 0 when no answer came. It is 404 as well where
	// nothing was sent, since an id in the path is "", "." or "..".
	Status int
	// Message is Asterisk's own explanation, at most 200 bytes; often "".
	Message string
	// Cause is why no (readable) answer came; nil when one did.
	Cause error
}

func (e *RESTError) Error() string {
	text := fmt.Sprintf("asterisk: %s %s: ", e.Method, e.Path)
	switch {
	case e.Cause != nil:
		return text + e.Cause.Error()
	case e.Message != "":
		return fmt.Sprintf("%s%d %s", text, e.Status, e.Message)
	default:
		return fmt.Sprintf("%s%d %s", text, e.Status, http.StatusText(e.Status))
	}
}

// Unwrap returns the kind of the error (one of the package's sentinels), the error of
// package bridge with the same meaning and, if there is one, the cause.
func (e *RESTError) Unwrap() []error {
	if e.Cause != nil {
		return []error{ErrUnavailable, e.Cause}
	}
	kind := classify(e.Status)
	switch {
	case errors.Is(kind, ErrNotFound):
		return []error{kind, bridge.ErrNoChannel}
	case errors.Is(kind, ErrUnavailable), errors.Is(kind, ErrUnauthorized):
		// The answer says nothing about the channel.
		return []error{kind}
	}
	return []error{kind, bridge.ErrDeclined}
}

func isConflict(err error) bool { return errors.Is(err, ErrConflict) }

// classify returns the kind of failure that an HTTP status of ARI means, nil for success.
// No other code reads statuses.
func classify(status int) error {
	switch {
	case status >= 200 && status < 300:
		return nil
	case status == http.StatusNotFound:
		return ErrNotFound
	case status == http.StatusConflict:
		return ErrConflict
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return ErrUnauthorized
	case status >= 400 && status < 500:
		return ErrRejected
	case status == http.StatusInternalServerError, status == http.StatusNotImplemented:
		return ErrFailed
	default:
		return ErrUnavailable
	}
}
