package crmtest

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"time"
)

// Options configure a [CRM]; every zero field gets the default named here.
type Options struct {
	// Workspace is the only workspace there is; "my-workspace".
	Workspace string
	// APIKey is the integration's key; "test-api-key".
	APIKey string
	// IntegrationSecret, as "name=value", makes the integration a public one,
	// which must send it; "" is a private integration.
	IntegrationSecret string
	// IntegrationName stands before the slash in the CRM's form of an
	// externalId; "Asterisk".
	IntegrationName string
	// IntegrationID is the id of the integration's instance; a fixed GUID.
	IntegrationID string
	// KeyLifetime is how long an access key is good for; 20 minutes.
	KeyLifetime time.Duration
	// Placeholder is what stands for a withheld phone number; "anonymous".
	Placeholder string
	// Alone allows a call that is reported by register-call alone. That is right when the
	// call was over before any other report reached the CRM.
	Alone bool
	// Observe, when set, is called with every request once it is decided, one
	// at a time; it must not call the CRM.
	Observe func(Request, []Violation)
}

func (o Options) withDefaults() Options {
	defaults := map[*string]string{
		&o.Workspace: "my-workspace", &o.APIKey: "test-api-key", &o.IntegrationName: "Asterisk",
		&o.IntegrationID: "7a100000-0000-4000-8000-000000000523", &o.Placeholder: "anonymous",
	}
	for field, value := range defaults {
		if *field == "" {
			*field = value
		}
	}
	if o.KeyLifetime == 0 {
		o.KeyLifetime = 20 * time.Minute
	}
	return o
}

// CRM is the simulator. Use [New] or [NewServer]. All methods may be called
// concurrently, also while it serves.
type CRM struct {
	options  Options
	contract contract
	closing  chan struct{}
	close    sync.Once

	mu         sync.Mutex
	changed    chan struct{} // closed and replaced whenever something is recorded
	down       bool
	absent     bool // not installed
	rules      []*ruleInForce
	keys       map[string]time.Time // when each access key expires
	keysIssued int
	inFlight   map[string]*incoming // the latest of each call
	calls      []*call
	named      int              // calls that the CRM made up a communicationId for
	byID       map[string]*call // those that have an id of ours
	uploads    []*File
	instance   instance
	phones     map[string][]string // responsible users by phone number
	owners     map[string][]string // and by our own externalId
	systemKeys int
	requests   []Request
	violations []Violation
	repeats    int
}

// New returns a CRM in which nothing has happened.
func New(options Options) *CRM {
	options = options.withDefaults()
	return &CRM{
		options:  options,
		contract: newContract(options.Placeholder),
		closing:  make(chan struct{}),
		changed:  make(chan struct{}),
		keys:     make(map[string]time.Time),
		inFlight: make(map[string]*incoming),
		byID:     make(map[string]*call),
		instance: instance{status: "active"},
		phones:   make(map[string][]string),
		owners:   make(map[string][]string),
	}
}

// Close lets go of the requests that a rule holds; the CRM serves on.
func (c *CRM) Close() { c.close.Do(func() { close(c.closing) }) }

// Server is a CRM that listens on a free port of the loopback.
type Server struct {
	*CRM
	// URL is the base_url of this CRM, without a slash at its end.
	URL  string
	http *httptest.Server
}

// NewServer returns a CRM that serves until Close.
func NewServer(options Options) *Server {
	crm := New(options)
	server := httptest.NewServer(crm)
	return &Server{CRM: crm, URL: server.URL, http: server}
}

// Close stops serving and returns when every request has been answered.
func (s *Server) Close() {
	s.CRM.Close()
	s.http.Close()
}

// incoming is one request while the CRM deals with it.
type incoming struct {
	request  Request
	header   http.Header
	ctx      context.Context
	problems []problem // of the body of a call report
	file     *File     // of an upload that came whole
	broken   error     // why it did not
	faults   []fault
	flight   string // key in inFlight
	// accepted: the documented answer to a request that succeeded was chosen.
	accepted bool
}

func (x *incoming) fault(breach Breach, format string, args ...any) {
	x.faults = append(x.faults, faultf(breach, format, args...))
}

// bodyLimit bounds what is read of a request; no report comes near it.
const bodyLimit = 8 << 20

// ServeHTTP receives a request, judges it and answers.
func (c *CRM) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := c.receive(r)
	rule := c.begin(x)
	if x.request.Kind == KindFile {
		x.receiveFile(r, rule)
	}
	if rule != nil && !c.wait(x.ctx, rule) {
		rule = &Rule{CloseConnection: true}
	}
	a := c.decide(x, rule)
	if rule != nil {
		a.reset, a.late, a.drip = rule.Reset, rule.Late, rule.Drip
	}
	a.write(w, x.ctx.Done(), c.closing)
}

// receive reads a request without judging it, but for the body of an upload: how much of
// that is read a rule decides.
func (c *CRM) receive(r *http.Request) *incoming {
	x := &incoming{header: r.Header, ctx: r.Context(), request: Request{
		Received: time.Now(), Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Kind: kindOf(r.URL.Path), Length: r.ContentLength,
	}}
	if x.request.Kind == KindFile {
		return x
	}
	raw, err := io.ReadAll(io.LimitReader(r.Body, bodyLimit))
	x.request.Received, x.request.Raw = time.Now(), raw
	if !x.request.Kind.isReport() {
		return x
	}
	x.request.Body, x.problems = c.contract.read(x.request.Kind, raw)
	if err != nil {
		x.problems = append(x.problems, problem{"$", "the body broke off: " + err.Error()})
	}
	return x
}

// begin notes that a request is in flight and finds the rule that decides about it.
func (c *CRM) begin(x *incoming) *Rule {
	c.mu.Lock()
	defer c.mu.Unlock()
	if x.request.Kind.isReport() && len(x.problems) == 0 {
		x.request.Call = c.ownID(x.request)
		x.flight = x.request.Call + "|" + x.request.Body.CommunicationID
		if x.request.Call != "" {
			x.flight = x.request.Call
		}
	}
	rule := c.ruleFor(x.request)
	if x.flight == "" || rule != nil && (rule.Hang || rule.CloseConnection) {
		return rule
	}
	if other := c.inFlight[x.flight]; other != nil && other.ctx.Err() == nil {
		x.fault(BreachOverlap, "%s came while %s had no answer yet", x.request.Kind, other.request.Kind)
	}
	c.inFlight[x.flight] = x
	return rule
}

// wait does the waiting that a rule asks for; false: the client went away first
// or is never to get an answer.
func (c *CRM) wait(ctx context.Context, rule *Rule) bool {
	timer := time.NewTimer(rule.Delay)
	defer timer.Stop()
	expired := timer.C
	if rule.Hang {
		expired = nil
	}
	select {
	case <-expired:
		return true
	case <-ctx.Done():
	case <-c.closing:
	}
	return false
}

// decide chooses the answer and records the request. The record is complete
// before the client can see the answer.
func (c *CRM) decide(x *incoming, rule *Rule) answer {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.inFlight[x.flight] == x {
		delete(c.inFlight, x.flight)
	}
	x.request.Number = len(c.requests) + 1
	a := c.choose(x, rule)
	c.record(x, a)
	return a
}

func (c *CRM) choose(x *incoming, rule *Rule) answer {
	switch {
	case rule == nil:
		a := c.serve(x)
		c.learnt(x)
		return a
	case rule.Hang, rule.CloseConnection, rule.CutAfter > 0:
		return answer{abort: true}
	case rule.DropAnswer:
		return answer{status: c.serve(x).status, abort: true}
	case rule.Status == 0:
		a := c.serve(x)
		c.learnt(x)
		return a
	case rule.Status < 300:
		c.serve(x)
	case rule.refuses() && x.request.Kind.isReport() && len(x.problems) == 0:
		c.refuse(x)
	}
	return answer{status: rule.Status, header: rule.Header, body: []byte(rule.Body)}
}

// record keeps a decided request and everything found wrong with it.
func (c *CRM) record(x *incoming, a answer) {
	x.request.Decided = time.Now()
	x.request.Status = a.status
	if a.abort {
		x.request.Status = 0
	}
	if x.request.Kind != KindAuthorize && x.request.Kind != KindInstance {
		x.request.Answer = a.body
	}
	c.requests = append(c.requests, x.request)
	var violations []Violation
	for _, fault := range x.faults {
		violations = append(violations, Violation{
			Breach: fault.breach, Detail: fault.detail,
			Request: x.request.Number, Time: x.request.Received, Call: x.request.Call,
		})
	}
	c.violations = append(c.violations, violations...)
	close(c.changed)
	c.changed = make(chan struct{})
	if c.options.Observe != nil {
		c.options.Observe(x.request, violations)
	}
}
