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

// listener is one open websocket. It has a queue of messages, so that a slow client
// delays no test.
type listener struct {
	// number counts the listeners from 1.
	number int
	conn   net.Conn
	// socket is nil until the handshake is over.
	socket *websocket.Conn
	silent bool
	queue  [][]byte
	// writing: messages taken from the queue are being sent.
	writing bool
	filled  chan struct{}
}

// serveSocket serves a websocket from its handshake to its end. As in Asterisk 22 a
// second one for the same application takes over, with filter and subscription.
func (s *Server) serveSocket(w http.ResponseWriter, r *http.Request) {
	name := r.URL.Query().Get("app")
	l := &listener{filled: make(chan struct{}, 1)}
	l.conn, _ = r.Context().Value(connOfRequest{}).(net.Conn)
	// The application must exist before the client sees that it is connected.
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
	s.sendReplaced(name, app)
	app.listener = l
}

func (s *Server) unregister(name string, l *listener) {
	delete(s.listeners, l)
	if app := s.applications[name]; app != nil && app.listener == l {
		delete(s.applications, name)
	}
}

// sendReplaced sends ApplicationReplaced to the listener that is being replaced, if the
// event filter lets it through. It requires the server's lock.
func (s *Server) sendReplaced(name string, app *application) {
	if app.listener != nil && app.lets("ApplicationReplaced") {
		app.listener.enqueue(fmt.Appendf(nil, `{"type":"ApplicationReplaced","timestamp":%q,"application":%q}`,
			time.Now().UTC().Format("2006-01-02T15:04:05.000-0700"), name))
	}
}

// subscribed reports whether a listener receives the events of all channels and bridges.
func (a *application) subscribed() bool { return a.listener != nil && a.allChannels && a.allBridges }

// lets reports whether the event filter lets a type through.
func (a *application) lets(eventType string) bool {
	return len(a.allowed) == 0 || slices.Contains(a.allowed, eventType)
}

// Emit sends messages, in this order, to every subscribed application whose event
// filter lets them through. Text that isn't JSON passes every filter. Emit doesn't wait
// until they are read. It returns how many were sent to at least one application.
func (s *Server) Emit(messages ...[]byte) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	sent := 0
	for _, message := range messages {
		var event eventName
		malformed := json.Unmarshal(message, &event) != nil
		taken := false
		for _, app := range s.applications {
			if app.subscribed() && (malformed || app.lets(event.Type)) {
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

// EmitUnfiltered sends messages to every listener, subscribed or not, past its filter.
func (s *Server) EmitUnfiltered(messages ...[]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for l := range s.listeners {
		for _, message := range messages {
			l.enqueue(message)
		}
	}
}

// enqueue requires the server's lock.
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

// write sends the listener's queue to its socket until ctx ends.
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
