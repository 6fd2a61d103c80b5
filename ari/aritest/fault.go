package aritest

import (
	"net"
	"slices"
	"time"

	"github.com/coder/websocket"
)

// Forever makes [Server.Slow] hang a request until its client gives up.
const Forever = time.Duration(1<<63 - 1)

// Slow delays every later request that is named like "GET /channels". 0 ends it.
func (s *Server) Slow(request string, by time.Duration) {
	s.update(func() { s.slow[request] = by })
}

// Refuse answers every later request, the websocket's handshake included, with
// this status; 0 ends it.
func (s *Server) Refuse(status int) {
	s.update(func() { s.refusal = status })
}

// Silence makes every open websocket stop answering pings and sending events
// without closing it, as a cut cable does.
func (s *Server) Silence() {
	s.update(func() {
		for l := range s.listeners {
			l.silent = true
			l.queue = nil
		}
	})
}

// Deafen removes the applications of all open websockets: these still answer pings,
// but get no more events.
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

// Replace acts as if another client had connected with the same application name:
// the listener receives ApplicationReplaced and then nothing more.
func (s *Server) Replace(name string) {
	s.update(func() {
		app := s.applications[name]
		if app == nil {
			app = &application{}
			s.applications[name] = app
		}
		s.sendReplaced(name, app)
		app.listener = nil
	})
}

// Leave ends the effect of Replace: the other client is gone, the name is free.
func (s *Server) Leave(name string) {
	s.update(func() { delete(s.applications, name) })
}

// ForgetStasis takes StasisStart out of the event filter of every application.
func (s *Server) ForgetStasis() {
	s.update(func() {
		for _, app := range s.applications {
			app.allowed = slices.DeleteFunc(app.allowed, func(name string) bool { return name == "StasisStart" })
		}
	})
}

// Reset breaks off every open websocket by a TCP reset: sent but unread messages are
// lost.
func (s *Server) Reset() {
	s.mu.Lock()
	var open []net.Conn
	for l := range s.listeners {
		if l.conn != nil {
			open = append(open, l.conn)
		}
	}
	s.mu.Unlock()
	for _, conn := range open {
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // where that fails the connection is closed all the same
		}
		_ = conn.Close()
	}
}
