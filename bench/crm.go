package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// crm takes requests as Kontur.CRM does, as cheaply as net/http allows: it answers in
// the contract's form and keeps when each request came, of the calls that it expects.
type crm struct {
	server *http.Server
	url    string
	// down: reports are answered with 503.
	down atomic.Bool

	expected atomic.Pointer[expectation]
	// strange counts unexpected requests; the first of them is kept.
	strange      atomic.Int64
	firstStrange sync.Once
	example      string
}

// expectation is a number of calls that are to be reported.
type expectation struct {
	// from is the number of the first of them.
	from int
	// came is when each request of each call came first, 0 for not yet.
	came [][requestsPerCall]atomic.Int64
	// requests arrived, ended of them are register-calls; repeated came again.
	requests, ended, repeated atomic.Int64
	// first and last are when the first and the last one came.
	first, last atomic.Int64
	// room gets an element for each call that was reported to its end. all is closed once
	// every call was.
	room chan struct{}
	all  chan struct{}
}

func startCRM() (*crm, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening as the CRM: %w", err)
	}
	c := &crm{url: "http://" + listener.Addr().String()}
	c.server = &http.Server{Handler: c, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = c.server.Serve(listener) }()
	return c, nil
}

func (c *crm) close() { _ = c.server.Close() }

// expect starts a new count, for a number of calls.
func (c *crm) expect(from, calls int) *expectation {
	e := &expectation{from: from, came: make([][requestsPerCall]atomic.Int64, calls), room: make(chan struct{}, calls), all: make(chan struct{})}
	c.expected.Store(e)
	return e
}

// ServeHTTP implements http.Handler.
func (c *crm) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	at := now()
	if strings.HasSuffix(r.URL.Path, "/files") || strings.HasSuffix(r.URL.Path, "/call-recording") {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_, _ = io.WriteString(w, `{"fileId":"ceb40000-0000-4000-8000-00000000045e"}`)
		return
	}
	var buffer [1024]byte
	body := buffer[:0]
	for {
		n, err := r.Body.Read(body[len(body):cap(body)])
		if body = body[:len(body)+n]; err != nil {
			break
		}
		if len(body) == cap(body) {
			body = append(body, 0)[:len(body)]
		}
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	if strings.HasPrefix(r.URL.Path, "/api/v1/authorization/") {
		_, _ = io.WriteString(w, authorised)
		return
	}
	if c.down.Load() {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	kind := kindOf(r.URL.Path, body)
	call := callOf(body)
	e := c.expected.Load()
	if e == nil || kind < 0 || call < e.from || call >= e.from+len(e.came) {
		c.strange.Add(1)
		c.firstStrange.Do(func() { c.example = r.URL.Path + " " + string(body) })
		_, _ = io.WriteString(w, `"OK"`)
		return
	}
	if kind == started {
		_, _ = w.Write(appendStarted(make([]byte, 0, 1024), call))
	} else {
		_, _ = io.WriteString(w, `"OK"`)
	}
	e.take(call-e.from, kind, at)
}

// take counts a request.
func (e *expectation) take(call, kind int, at moment) {
	if !e.came[call][kind].CompareAndSwap(0, int64(at)) {
		e.repeated.Add(1)
		return
	}
	e.first.CompareAndSwap(0, int64(at))
	e.requests.Add(1)
	for last := e.last.Load(); int64(at) > last && !e.last.CompareAndSwap(last, int64(at)); last = e.last.Load() {
	}
	if kind == registered {
		e.room <- struct{}{}
		if e.ended.Add(1) == int64(len(e.came)) {
			close(e.all)
		}
	}
}

// kindOf distinguishes the requests of a call; -1 for none of them.
func kindOf(path string, body []byte) int {
	switch path[strings.LastIndexByte(path, '/')+1:] {
	case "call-started":
		return started
	case "call-finished":
		return callFinished
	case "register-call":
		return registered
	case "call-event":
		const typ = `"type":"`
		if at := bytes.Index(body, []byte(typ)); at >= 0 {
			rest := body[at+len(typ):]
			switch string(rest[:max(0, bytes.IndexByte(rest, '"'))]) {
			case "appeared":
				return appeared
			case "connected":
				return connected
			case "disconnected":
				return disconnected
			case "finished":
				return finished
			}
		}
	}
	return -1
}

// callOf is the number of the call that a request is about; -1 for none.
func callOf(body []byte) int {
	const external = `"externalId":"`
	at := bytes.Index(body, []byte(external))
	if at < 0 {
		return -1
	}
	id := body[at+len(external):]
	id = id[:max(0, bytes.IndexByte(id, '"'))]
	channel, err := strconv.Atoi(string(id[bytes.LastIndexByte(id, '.')+1:]))
	if err != nil {
		return -1
	}
	return channel / 2
}

const authorised = `{"workspace":{"id":"00000001-0000-4000-8000-000000000001","name":"bench","title":"bench"},` +
	`"integrationInstance":{"id":"00000002-0000-4000-8000-000000000002","status":"active","baseUrl":"","features":{"call":false,"hangup":false,"sendSms":false}},` +
	`"accessKey":"bench-access-key"}`

// appendStarted is the answer to call-started, as long as the contract's example.
func appendStarted(to []byte, call int) []byte {
	to = append(to, `{"updateInfo":{"updatedAt":"2026-11-23T12:29:53.495+00:00","updatedWith":"Integration.bench","createdAt":"2026-11-23T12:29:53.495+00:00","createdWith":"Integration.bench"},`+
		`"links":{"companyIds":[],"contactIds":[],"dealIds":[]},"externalId":"Integration.bench.`+epoch...)
	to = strconv.AppendInt(to, int64(2*call), 10)
	to = append(to, `","externalCreatedAt":"2026-11-23T12:29:53.495+00:00","type":"call","direction":"inbound","status":"sealed","integrationId":"00000002-0000-4000-8000-000000000002",`+
		`"data":{"call":{"items":[],"events":[],"clientPhone":"79990000001","externalVatsPhone":"78005550101"}},"assignedToGroupId":"00000000-0000-4000-8000-000000000000","id":"`...)
	return fmt.Appendf(to, `%08x-0000-4000-8000-%012x"}`, call, call)
}
