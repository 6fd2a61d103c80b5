package aritest

import (
	"context"
	"fmt"
	"slices"
)

// Listeners returns how many websockets are open.
func (s *Server) Listeners() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.listeners)
}

// Connected returns how many clients have connected so far: the number of the last
// listener.
func (s *Server) Connected() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.connected
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
			if app.subscribed() && len(app.allowed) > 0 {
				return true
			}
		}
		return false
	})
}

// AwaitListening is AwaitSubscribed for a listener that [Server.Silence] did not cut off:
// [Server.Play] finds one then.
func (s *Server) AwaitListening(ctx context.Context) error {
	return s.await(ctx, func() bool {
		for _, app := range s.applications {
			if app.subscribed() && !app.listener.silent && len(app.allowed) > 0 {
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

// AwaitConnected waits until that many clients have connected so far.
func (s *Server) AwaitConnected(ctx context.Context, n int) error {
	return s.await(ctx, func() bool { return s.connected >= n })
}

// AwaitRead waits until every listener has read all messages that were sent to it before.
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
		// The client reads the ping after all earlier messages.
		if err := l.socket.Ping(ctx); err != nil {
			return fmt.Errorf("waiting until everything is read: %w", err)
		}
	}
	return nil
}
