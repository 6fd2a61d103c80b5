package ari

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"kontur-ari/internal/secret"
)

const (
	// maxAnswer bounds a REST answer. Ten thousand channels take about 6 MB.
	maxAnswer = 32 << 20
	// maxConnections bounds the open connections for requests; more requests wait. The
	// Source has sourceConnections of its own, the websocket's included: its snapshots
	// must not wait behind the requests of callers. With its default sessionlimit
	// (http.conf) Asterisk's web server takes 100 from all clients together and refuses
	// the next.
	maxConnections, sourceConnections = 40, 8
	// maxMessage bounds what of Asterisk's explanation goes into an error.
	maxMessage = 200
)

// Switch is the request side of ARI, one for each Asterisk: thin calls, each bounded in
// time and in the size of its answer, never retried. Every error that Asterisk or the
// connection to it causes holds a *[RESTError]. All methods may be called concurrently.
type Switch struct {
	base *url.URL
	// authorize adds the credentials to a request. They live in a closure so that
	// printing a Switch, whatever the verb, can't show them.
	authorize func(http.Header)
	client    *http.Client
	// forSource has the connections of the Source.
	forSource   *http.Client
	application string
	timeout     time.Duration
	clock       *clock
}

// NewSwitch checks the configuration and makes a Switch; it doesn't connect. The
// error names the configuration key that is wrong.
func NewSwitch(config Config) (*Switch, error) {
	base, err := config.base()
	if err != nil {
		return nil, fmt.Errorf("ari: %w", err)
	}
	return &Switch{
		base:        base,
		authorize:   basicAuth(config.Username, config.Password),
		client:      newHTTPClient(config.Transport, maxConnections),
		forSource:   newHTTPClient(config.Transport, sourceConnections),
		application: config.Application,
		timeout:     cmp.Or(max(config.RequestTimeout, 0), requestTimeout),
		clock:       &clock{},
	}, nil
}

// newHTTPClient makes a client of at most so many connections, unless a transport is given.
// It speaks HTTP/1 only, since a websocket can't be opened over HTTP/2, which a TLS proxy
// in front of Asterisk might otherwise agree on.
func newHTTPClient(transport http.RoundTripper, connections int) *http.Client {
	if transport == nil {
		var protocols http.Protocols
		protocols.SetHTTP1(true)
		transport = &http.Transport{
			Protocols:           &protocols,
			MaxIdleConnsPerHost: connections,
			MaxConnsPerHost:     connections,
			IdleConnTimeout:     30 * time.Second,
		}
	}
	return &http.Client{
		Transport: transport,
		// A redirect would send the credentials to another server.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Close closes idle connections. The Switch remains usable.
func (s *Switch) Close() {
	s.client.CloseIdleConnections()
	s.forSource.CloseIdleConnections()
}

// ofSource returns a Switch that uses the connections of the Source.
func (s *Switch) ofSource() *Switch {
	own := *s
	own.client = s.forSource
	return &own
}

// basicAuth returns a function that adds the header with the credentials.
func basicAuth(username string, password secret.String) func(http.Header) {
	return func(header http.Header) {
		(&http.Request{Header: header}).SetBasicAuth(username, password.Reveal())
	}
}

// call makes one request. in, if not nil, is sent as JSON; out, if not nil,
// receives the answer. segments are escaped one by one.
func (s *Switch) call(ctx context.Context, method string, segments []string, query url.Values, in, out any) error {
	target, failure := s.target(method, segments)
	if failure.Status != 0 {
		return failure
	}
	target.RawQuery = query.Encode()

	var body io.Reader
	if in != nil {
		encoded, err := json.Marshal(in)
		if err != nil {
			return failure.because(err)
		}
		body = bytes.NewReader(encoded)
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, target.String(), body)
	if err != nil {
		return failure.because(err)
	}
	s.authorize(request.Header)
	if in != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	return s.send(request, failure, out)
}

// target returns the URL of a request, and the error to fill in when it fails. An
// id that would change the path ("", ".", "..") is nothing that Asterisk has: the
// error has status 404 already, and the caller must send nothing.
func (s *Switch) target(method string, segments []string) (*url.URL, *RESTError) {
	escaped := make([]string, len(segments))
	for i, segment := range segments {
		escaped[i] = url.PathEscape(segment)
	}
	failure := &RESTError{Method: method, Path: "/" + strings.Join(escaped, "/")}
	if slices.ContainsFunc(segments, changesPath) {
		failure.Status, failure.Message = http.StatusNotFound, "not sent: an id in it can't be part of a path"
		return nil, failure
	}
	return s.base.JoinPath(escaped...), failure
}

// changesPath reports whether a segment would be resolved, or left out, in a path
// (RFC 3986, 5.2.4).
func changesPath(segment string) bool { return segment == "" || segment == "." || segment == ".." }

// send sends the request and reads the answer.
func (s *Switch) send(request *http.Request, failure *RESTError, out any) error {
	sent := time.Now()
	response, err := s.client.Do(request)
	if err != nil {
		return failure.because(err)
	}
	defer response.Body.Close()
	s.clock.observeDate(response.Header, sent, time.Now())
	failure.Status = response.StatusCode
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case err != nil:
		return failure.because(err)
	case len(answer) > maxAnswer:
		return failure.because(fmt.Errorf("answer of more than %d bytes", maxAnswer))
	}
	if classify(response.StatusCode) != nil {
		failure.Message = message(answer)
		return failure
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return failure.because(fmt.Errorf("read answer: %w", err))
	}
	return nil
}

// because records why no readable answer came. The URL that net/http adds to its
// errors is dropped, since its query may hold a customer's number.
func (e *RESTError) because(err error) *RESTError {
	if withURL, ok := errors.AsType[*url.Error](err); ok {
		err = withURL.Err
	}
	e.Cause = err
	return e
}

// message reads Asterisk's {"message": ...}; "" where there is none.
func message(answer []byte) string {
	var explained struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(answer, &explained) != nil {
		return ""
	}
	return cut(explained.Message, maxMessage)
}

// cut shortens a text to at most n bytes, without half a character at its end.
func cut(text string, n int) string {
	return strings.ToValidUTF8(text[:min(len(text), n)], "")
}
