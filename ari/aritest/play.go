package aritest

import (
	"context"
	"fmt"
	"net"
	"slices"
)

// Play has something happen in the exchange, in the words of Asterisk's own event:
// from then on GET /channels and /bridges show what it shows, and CHANNEL(linkedid)
// and CALLERID(dnid) of its channels can be read. The event is sent to whoever is
// subscribed, if its event filter lets it through; to is the number of that listener,
// counted from 1 in the order in which they connected.
//
// Where nobody listens who could hear it, nothing happens, and ok is false.
func (s *Server) Play(event []byte) (to int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	shown, err := readShown(event)
	if err != nil {
		panic(fmt.Sprintf("aritest: %v", err)) // what is played was captured
	}
	for _, app := range s.applications {
		if app.listener == nil || app.listener.silent || !app.allChannels || !app.allBridges {
			continue
		}
		to, ok = app.listener.number, true
		if app.lets(shown.Type) {
			app.listener.enqueue(event)
		}
	}
	if ok {
		s.played.take(shown)
	}
	return to, ok
}

// Empty reports whether everything that was played is over: no channel is left.
func (s *Server) Empty() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.played.channels) == 0
}

// AwaitListening waits until [Server.Play] finds somebody who listens.
func (s *Server) AwaitListening(ctx context.Context) error {
	return s.await(ctx, func() bool {
		for _, app := range s.applications {
			if app.listener != nil && !app.listener.silent && app.allChannels && app.allBridges && len(app.allowed) > 0 {
				return true
			}
		}
		return false
	})
}

// AwaitRead waits until every client that listens has read all that was sent to it
// before.
func (s *Server) AwaitRead(ctx context.Context) error {
	var listening []*listener
	err := s.await(ctx, func() bool {
		listening = listening[:0]
		for l := range s.listeners {
			if l.socket != nil && !l.silent {
				listening = append(listening, l)
			}
		}
		return !slices.ContainsFunc(listening, func(l *listener) bool { return len(l.queue) > 0 || l.writing })
	})
	if err != nil {
		return err
	}
	for _, l := range listening {
		// Its client finds the ping behind everything else.
		if err := l.socket.Ping(ctx); err != nil {
			return fmt.Errorf("waiting until everything is read: %w", err)
		}
	}
	return nil
}

// Reset breaks off every open websocket by a TCP reset: what was sent and not read
// yet is lost.
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

// Connected returns how many clients have connected so far: the number of the last
// listener.
func (s *Server) Connected() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.connected
}

// AwaitConnected waits until that many clients have connected so far.
func (s *Server) AwaitConnected(ctx context.Context, n int) error {
	return s.await(ctx, func() bool { return s.connected >= n })
}
