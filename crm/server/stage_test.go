package server_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"kontur-ari/bridge"
	"kontur-ari/crm/server"
)

const (
	workspace = "my-workspace"
	goodKey   = "dda0d67-good"
	echo      = "7g8-echo-d6a"
	guid      = "30a0c1d2-0000-4000-8000-00000000b4e0"
	callPath  = "/api/v1/my-workspace/communications/call"
	hangPath  = "/api/v1/my-workspace/communications/hangup"
	goodCall  = `{"communicationId":"` + guid + `","fromUserId":"user-1","clientPhone":"79997775533"}`
	goodHang  = `{"realtimeCallItemId":"1795401475.25","userId":"user-1"}`
)

// crm is the CRM as the key checker sees it.
type crm struct {
	mu    sync.Mutex
	asked map[string]int
	// keys says what of each key; one that is not there is bad.
	keys map[string]bool
	down error
	// hold, if set, is waited for before an answer.
	hold chan struct{}
}

func newCRM() *crm { return &crm{asked: map[string]int{}, keys: map[string]bool{goodKey: true}} }

func (c *crm) CheckKey(ctx context.Context, key string) (bool, error) {
	c.mu.Lock()
	c.asked[key]++
	good, down, hold := c.keys[key], c.down, c.hold
	c.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}
	return good && down == nil, down
}

func (c *crm) set(change func(*crm)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(c)
}

func (c *crm) questions() (total int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range c.asked {
		total += n
	}
	return total
}

// switchboard is the switch: a Commander that records its commands.
type switchboard struct {
	mu      sync.Mutex
	calls   []bridge.CallCommand
	hangups []bridge.HangupCommand
	synced  int
	updated int
	err     error
	// during is called within every command.
	during func(context.Context)
}

func (e *switchboard) Call(ctx context.Context, c bridge.CallCommand) error {
	return e.note(ctx, func() { e.calls = append(e.calls, c) })
}

func (e *switchboard) Hangup(ctx context.Context, c bridge.HangupCommand) error {
	return e.note(ctx, func() { e.hangups = append(e.hangups, c) })
}

func (e *switchboard) note(ctx context.Context, what func()) error {
	e.mu.Lock()
	what()
	during, err := e.during, e.err
	e.mu.Unlock()
	if during != nil {
		during(ctx)
	}
	return err
}

func (e *switchboard) hooks() server.Hooks {
	return server.Hooks{
		Synchronise: func(ctx context.Context) error { return e.note(ctx, func() { e.synced++ }) },
		Upgrade:     func(ctx context.Context) error { return e.note(ctx, func() { e.updated++ }) },
	}
}

// commands returns the number of commands so far.
func (e *switchboard) commands() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.calls) + len(e.hangups) + e.synced + e.updated
}

// stage is a server on loopback between a CRM and an exchange.
type stage struct {
	*testing.T
	crm         *crm
	switchboard *switchboard
	server      *server.Server
	logs        *observer.ObservedLogs
	address     string
	client      *http.Client
}

// newStage starts a server; change may adapt its configuration.
func newStage(t *testing.T, change func(*server.Config)) *stage {
	t.Helper()
	core, logs := observer.New(zapcore.DebugLevel)
	s := &stage{T: t, crm: newCRM(), switchboard: &switchboard{}, logs: logs}
	config := server.Config{Listen: "127.0.0.1:0", Workspace: workspace}
	if change != nil {
		change(&config)
	}
	var err error
	if s.server, err = server.New(config, s.crm, s.switchboard, s.switchboard.hooks(), zap.New(core)); err != nil {
		t.Fatal(err)
	}
	s.address = s.server.Address().String()
	s.client = s.clientFrom("127.0.0.1")
	ran := make(chan error, 1)
	go func() { ran <- s.server.Run() }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := errors.Join(s.server.Shutdown(ctx), <-ran); err != nil {
			t.Errorf("stopping: %v", err)
		}
		s.assertKeysUnsaid()
	})
	return s
}

// clientFrom is a client with an address of its own.
func (s *stage) clientFrom(address string) *http.Client {
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}, Timeout: 5 * time.Second}
	transport := &http.Transport{DialContext: dialer.DialContext}
	s.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 20 * time.Second}
}

// assertKeysUnsaid holds every log line against the keys that were shown.
func (s *stage) assertKeysUnsaid() {
	s.crm.mu.Lock()
	defer s.crm.mu.Unlock()
	encoder := zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig())
	for _, entry := range s.logs.All() {
		line, err := encoder.EncodeEntry(entry.Entry, entry.Context)
		if err != nil {
			s.Fatal(err)
		}
		for key := range s.crm.asked {
			if len(key) > 6 && strings.Contains(line.String(), key) {
				s.Errorf("a log line holds the key %s: %s", key, line)
			}
		}
	}
}

// sent is one request of a test; what is zero is that of a good CALL.
type sent struct {
	method, path string
	header       map[string]string // on top of the usual ones; "-" takes one away
	body         string
	reader       io.Reader // instead of body, and chunked
	from         *http.Client
	scheme       string
}

// got is an answer.
type got struct {
	status int
	header http.Header
	body   string
}

func (s *stage) send(what sent) got {
	s.Helper()
	if what.method == "" {
		what.method = http.MethodPost
	}
	if what.path == "" {
		what.path = callPath
		if what.body == "" {
			what.body = goodCall
		}
	}
	if what.scheme == "" {
		what.scheme = "http"
	}
	var body io.Reader = strings.NewReader(what.body)
	if what.reader != nil {
		body = what.reader
	}
	request, err := http.NewRequest(what.method, what.scheme+"://"+s.address+what.path, body)
	if err != nil {
		s.Fatal(err)
	}
	request.Header.Set("X-XCOM-AccessKey", goodKey)
	request.Header.Set("X-XCOM-Integration-Echo", echo)
	request.Header.Set("Content-Type", "application/json")
	for name, value := range what.header {
		if request.Header.Set(name, value); value == "-" {
			request.Header.Del(name)
		}
	}
	client := s.client
	if what.from != nil {
		client = what.from
	}
	response, err := client.Do(request)
	if err != nil {
		s.Fatalf("%s %s: %v", what.method, what.path, err)
	}
	return read(s.T, response)
}

func read(t *testing.T, response *http.Response) got {
	t.Helper()
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("reading the answer: %v", err)
	}
	return got{response.StatusCode, response.Header, string(body)}
}

// dial opens a connection for what net/http's client would not send.
func (s *stage) dial() net.Conn {
	s.Helper()
	conn, err := net.Dial("tcp", s.address)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		s.Fatal(err)
	}
	return conn
}

// answers reads n answers from a connection.
func (s *stage) answers(conn net.Conn, n int) []got {
	s.Helper()
	reader := bufio.NewReader(conn)
	var all []got
	for range n {
		response, err := http.ReadResponse(reader, &http.Request{Method: http.MethodPost})
		if err != nil {
			s.Fatalf("reading answer %d: %v", len(all)+1, err)
		}
		all = append(all, read(s.T, response))
	}
	return all
}

// head is a request's header as text, with the usual fields.
func head(path string, more ...string) string {
	lines := append([]string{"POST " + path + " HTTP/1.1", "Host: pbx", "X-XCOM-AccessKey: " + goodKey, "X-XCOM-Integration-Echo: " + echo}, more...)
	return strings.Join(lines, "\r\n") + "\r\n\r\n"
}

// expect compares an answer's status, echo and body; want "" is any body.
func (s *stage) expect(answer got, status int, want string) {
	s.Helper()
	if answer.status != status || want != "" && answer.body != want {
		s.Errorf("answer %d %s, want %d %s", answer.status, answer.body, status, want)
	}
	if e := answer.header.Get("X-XCOM-Integration-Echo"); e != echo {
		s.Errorf("the echo is %q, want %q", e, echo)
	}
}
