package intake

import (
	"maps"
	"sync"

	"go.uber.org/zap"

	"kontur-ari/bridge"
)

// failures counts the click-to-calls that ended before a dial, and logs each.
type failures struct {
	log *zap.Logger

	mu      sync.Mutex
	byCause map[bridge.FailureCause]int64
}

func newFailures(log *zap.Logger) *failures {
	return &failures{log: log, byCause: make(map[bridge.FailureCause]int64)}
}

func (f *failures) take(failure bridge.Failure) {
	f.mu.Lock()
	f.byCause[failure.Cause]++
	f.mu.Unlock()
	f.log.Info("an ordered call has failed", zap.String("call", string(failure.Call)),
		zap.String("communication", failure.CommunicationID), zap.String("cause", string(failure.Cause)))
}

func (f *failures) counts() map[bridge.FailureCause]int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.byCause)
}
