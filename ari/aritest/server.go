package aritest

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"
)

// The only credentials that a Server accepts.
const (
	Username = "kontur"
	Password = "aritest-secret"
)

// Server is one fake Asterisk. All methods may be called concurrently, at any time. It
// ends with its test.
type Server struct {
	// URL is the ARI base, to be given to ari.Config with Username and Password.
	URL string
	// Transport reaches a server of StartInMemory; nil for one of Start.
	Transport *http.Transport

	http    *http.Server
	mux     *http.ServeMux
	closing chan struct{}

	mu           sync.Mutex
	changed      chan struct{}
	applications map[string]*application
	listeners    map[*listener]struct{}
	connected    int
	played       asterisk
	channels     []json.RawMessage
	bridges      []json.RawMessage
	variables    map[variable]string
	stasis       []waiting
	continued    map[string]string
	endpoints    map[string]endpoint
	refusal      int
	slow         map[string]time.Duration
	ahead        time.Duration
	requests     []string
}

// application is what Asterisk keeps per name while a websocket is open for it.
type application struct {
	listener    *listener
	allChannels bool
	allBridges  bool
	allowed     []string
}

type variable struct{ channel, name string }

// Start runs a Server on a loopback port.
func Start(tb testing.TB) *Server {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatalf("aritest: %v", err)
	}
	s := newServer(tb, listener)
	s.URL = "http://" + listener.Addr().String() + "/ari"
	return s
}

// StartInMemory runs a Server that only its Transport reaches, through pipes. It works
// within a testing/synctest bubble, where a test of many seconds takes no time.
func StartInMemory(tb testing.TB) *Server {
	tb.Helper()
	listener := newPipeListener()
	s := newServer(tb, listener)
	s.URL = "http://asterisk.test/ari"
	s.Transport = &http.Transport{DialContext: listener.dial}
	tb.Cleanup(s.Transport.CloseIdleConnections)
	return s
}

func newServer(tb testing.TB, accept net.Listener) *Server {
	s := &Server{
		closing:      make(chan struct{}),
		changed:      make(chan struct{}),
		applications: map[string]*application{},
		listeners:    map[*listener]struct{}{},
		variables:    map[variable]string{},
		continued:    map[string]string{},
		endpoints:    map[string]endpoint{},
		slow:         map[string]time.Duration{},
		played:       newAsterisk(),
	}
	s.routes()
	s.http = &http.Server{
		Handler: http.HandlerFunc(s.serve),
		ConnContext: func(ctx context.Context, conn net.Conn) context.Context {
			return context.WithValue(ctx, connOfRequest{}, conn)
		},
	}
	var serving sync.WaitGroup
	serving.Go(func() { _ = s.http.Serve(accept) })
	tb.Cleanup(func() {
		close(s.closing)
		s.Drop()
		_ = s.http.Close()
		serving.Wait()
	})
	return s
}

// connOfRequest is where a request's context holds its connection.
type connOfRequest struct{}

// update changes the server's state under its lock and wakes every await.
func (s *Server) update(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
	close(s.changed)
	s.changed = make(chan struct{})
}
