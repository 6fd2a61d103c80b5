package aritest

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// listener is one open websocket. Messages wait in a queue of its own, so that
// no test is held up by a slow client.
type listener struct {
	// number counts the listeners from 1.
	number int
	conn   net.Conn
	// socket is nil until the handshake is over.
	socket *websocket.Conn
	silent bool
	queue  [][]byte
	// writing: what was in the queue is being sent.
	writing bool
	filled  chan struct{}
}

// serveSocket is a websocket from its handshake to its end. As in Asterisk a
// second one for the same application takes over, with filter and subscription.
func (s *Server) serveSocket(w http.ResponseWriter, r *http.Request) {
	name := r.URL.Query().Get("app")
	l := &listener{filled: make(chan struct{}, 1)}
	l.conn, _ = r.Context().Value(connOfRequest{}).(net.Conn)
	// The application is there before the client learns that it is connected.
	s.update(func() { s.register(name, l) })
	defer s.update(func() { s.unregister(name, l) })
	socket, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		OnPingReceived: func(context.Context, []byte) bool {
			s.mu.Lock()
			defer s.mu.Unlock()
			return !l.silent
		},
	})
	if err != nil {
		return
	}
	defer socket.CloseNow()
	s.update(func() { l.socket = socket })

	ctx, cancel := context.WithCancel(context.Background())
	var writing sync.WaitGroup
	writing.Go(func() { s.write(ctx, l) })
	defer writing.Wait()
	defer cancel()
	for {
		if _, _, err := socket.Read(ctx); err != nil {
			return
		}
	}
}

func (s *Server) register(name string, l *listener) {
	s.connected++
	l.number = s.connected
	s.listeners[l] = struct{}{}
	app := s.applications[name]
	if app == nil {
		s.applications[name] = &application{listener: l}
		return
	}
	s.tellReplaced(name, app)
	app.listener = l
}

func (s *Server) unregister(name string, l *listener) {
	delete(s.listeners, l)
	if app := s.applications[name]; app != nil && app.listener == l {
		delete(s.applications, name)
	}
}

// tellReplaced sends what Asterisk sends to a listener that was replaced: only
// if the event filter lets it through.
func (s *Server) tellReplaced(name string, app *application) {
	if app.listener != nil && app.lets("ApplicationReplaced") {
		app.listener.enqueue(fmt.Appendf(nil, `{"type":"ApplicationReplaced","timestamp":%q,"application":%q}`,
			time.Now().UTC().Format("2006-01-02T15:04:05.000-0700"), name))
	}
}

// lets reports whether the event filter lets a type through.
func (a *application) lets(eventType string) bool {
	return len(a.allowed) == 0 || slices.Contains(a.allowed, eventType)
}

// Emit sends messages, in this order, to every application that is subscribed
// and whose event filter lets them through (text that isn't JSON passes every
// filter). It doesn't wait for anybody to read them, and returns how many were
// sent to at least one application.
func (s *Server) Emit(messages ...[]byte) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	sent := 0
	for _, message := range messages {
		var event eventName
		malformed := json.Unmarshal(message, &event) != nil
		taken := false
		for _, app := range s.applications {
			if app.listener != nil && app.allChannels && app.allBridges && (malformed || app.lets(event.Type)) {
				app.listener.enqueue(message)
				taken = true
			}
		}
		if taken {
			sent++
		}
	}
	return sent
}

// EmitUnfiltered sends messages to every listener, whatever it asked for.
func (s *Server) EmitUnfiltered(messages ...[]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for l := range s.listeners {
		for _, message := range messages {
			l.enqueue(message)
		}
	}
}

// enqueue is called under the server's lock.
func (l *listener) enqueue(message []byte) {
	if l.silent {
		return
	}
	l.queue = append(l.queue, message)
	select {
	case l.filled <- struct{}{}:
	default:
	}
}

// write empties the listener's queue into its socket.
func (s *Server) write(ctx context.Context, l *listener) {
	for {
		select {
		case <-l.filled:
		case <-ctx.Done():
			return
		}
		s.mu.Lock()
		messages := l.queue
		l.queue, l.writing = nil, true
		s.mu.Unlock()
		for _, message := range messages {
			if l.socket.Write(ctx, websocket.MessageText, message) != nil {
				return
			}
		}
		s.update(func() { l.writing = false })
	}
}
