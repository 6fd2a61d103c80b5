package commander

import (
	"context"
	"sync"
)

// turns serialises the commands of one communication.
type turns struct {
	mu    sync.Mutex
	taken map[string]chan struct{} // closed when the turn is over
}

func newTurns() *turns { return &turns{taken: make(map[string]chan struct{})} }

// take waits for a turn, which ends with leave. The error is the cause of ctx.
func (t *turns) take(ctx context.Context, communicationID string) (leave func(), err error) {
	for {
		t.mu.Lock()
		other, busy := t.taken[communicationID]
		if !busy {
			own := make(chan struct{})
			t.taken[communicationID] = own
			t.mu.Unlock()
			return func() {
				t.mu.Lock()
				defer t.mu.Unlock()
				delete(t.taken, communicationID)
				close(own)
			}, nil
		}
		t.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}
