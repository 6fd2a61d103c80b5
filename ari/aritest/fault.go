package aritest

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/coder/websocket"
)

// Forever makes [Server.Slow] hang a request until its client gives up.
const Forever = time.Duration(1<<63 - 1)

// SetChannels sets what GET /channels answers: Asterisk's JSON objects.
func (s *Server) SetChannels(channels ...string) {
	s.update(func() { s.channels = rawMessages(channels) })
}

// SetBridges sets what GET /bridges answers: Asterisk's JSON objects.
func (s *Server) SetBridges(bridges ...string) {
	s.update(func() { s.bridges = rawMessages(bridges) })
}

func rawMessages(documents []string) []json.RawMessage {
	raw := make([]json.RawMessage, len(documents))
	for i, document := range documents {
		raw[i] = json.RawMessage(document)
	}
	return raw
}

// SetVariable gives a channel a variable, or a function a value; a variable that
// wasn't set is answered with 404.
func (s *Server) SetVariable(channel, name, value string) {
	s.update(func() { s.variables[variable{channel, name}] = value })
}

// Slow delays every later request that is named like "GET /channels". 0 ends it.
func (s *Server) Slow(request string, by time.Duration) {
	s.update(func() { s.slow[request] = by })
}

// Refuse answers every later request, the websocket's handshake included, with
// this status; 0 ends it.
func (s *Server) Refuse(status int) {
	s.update(func() { s.refusal = status })
}

// SetClock sets the clock of the switch, which its answers show as their Date, ahead of
// the test's by so much.
func (s *Server) SetClock(ahead time.Duration) {
	s.update(func() { s.ahead = ahead })
}

// Silence makes every open websocket stop answering pings and sending events,
// without closing it: a cut cable.
func (s *Server) Silence() {
	s.update(func() {
		for l := range s.listeners {
			l.silent = true
			l.queue = nil
		}
	})
}

// Deafen makes Asterisk forget the applications of all open websockets: they
// still answer pings, but get no events any more.
func (s *Server) Deafen() {
	s.update(func() { clear(s.applications) })
}

// ForgetFilter empties the event filter of every application.
func (s *Server) ForgetFilter() {
	s.update(func() {
		for _, app := range s.applications {
			app.allowed = nil
		}
	})
}

// Drop breaks off every open websocket without a close frame.
func (s *Server) Drop() {
	s.mu.Lock()
	open := make([]*websocket.Conn, 0, len(s.listeners))
	for l := range s.listeners {
		if l.socket != nil {
			open = append(open, l.socket)
		}
	}
	s.mu.Unlock()
	for _, socket := range open {
		_ = socket.CloseNow()
	}
}

// Replace acts as if another client had connected with the same application
// name: the listener is told so and hears nothing more.
func (s *Server) Replace(name string) {
	s.update(func() {
		app := s.applications[name]
		if app == nil {
			app = &application{}
			s.applications[name] = app
		}
		s.tellReplaced(name, app)
		app.listener = nil
	})
}

// Leave ends what Replace began: the other client is gone, the name is free.
func (s *Server) Leave(name string) {
	s.update(func() { delete(s.applications, name) })
}

// Listeners returns how many websockets are open.
func (s *Server) Listeners() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.listeners)
}

// Requests returns every request so far, named like "GET /channels".
func (s *Server) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// AwaitSubscribed waits until a client listens, subscribed to all channels and
// bridges and with an event filter set.
func (s *Server) AwaitSubscribed(ctx context.Context) error {
	return s.await(ctx, func() bool {
		for _, app := range s.applications {
			if app.listener != nil && app.allChannels && app.allBridges && len(app.allowed) > 0 {
				return true
			}
		}
		return false
	})
}

// await waits for a condition on the server's state.
func (s *Server) await(ctx context.Context, holds func() bool) error {
	for {
		s.mu.Lock()
		done, changed := holds(), s.changed
		s.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// ForgetStasis takes StasisStart out of the event filter of every application.
func (s *Server) ForgetStasis() {
	s.update(func() {
		for _, app := range s.applications {
			app.allowed = slices.DeleteFunc(app.allowed, func(name string) bool { return name == "StasisStart" })
		}
	})
}
