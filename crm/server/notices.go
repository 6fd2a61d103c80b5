package server

import (
	"sync"
	"time"

	"go.uber.org/zap"
)

// noticeEvery is how often requests that were rejected for one reason are a line in
// the log: a client that sends many requests can't fill the disk with them.
const noticeEvery = time.Minute

// notices counts and logs rejected requests: a line in noticeEvery at most for each
// reason, which says how many there were since the one before it. It may be used
// concurrently.
type notices struct {
	log   *zap.Logger
	stats *counters

	mu     sync.Mutex
	quiet  map[Reason]time.Time // until when
	unsaid map[Reason]int
}

func newNotices(log *zap.Logger, stats *counters) *notices {
	return &notices{log: log, stats: stats, quiet: map[Reason]time.Time{}, unsaid: map[Reason]int{}}
}

// note counts a rejected request, and logs it or leaves it to the next line.
func (n *notices) note(reason Reason, fields ...zap.Field) {
	n.stats.add(func(s *Stats) { s.Rejected[reason]++ })
	if unsaid, due := n.due(reason); due {
		fields = append(fields, zap.String("reason", string(reason)), zap.Int("unsaid", unsaid))
		n.log.Warn("a request was rejected", fields...)
	}
}

func (n *notices) due(reason Reason) (unsaid int, due bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now()
	if now.Before(n.quiet[reason]) {
		n.unsaid[reason]++
		return 0, false
	}
	unsaid = n.unsaid[reason]
	n.quiet[reason] = now.Add(noticeEvery)
	delete(n.unsaid, reason)
	return unsaid, true
}

// flush logs what has not been said yet.
func (n *notices) flush() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for reason, unsaid := range n.unsaid {
		n.log.Warn("requests were rejected", zap.String("reason", string(reason)), zap.Int("unsaid", unsaid))
	}
	clear(n.unsaid)
}

// Write takes a line of net/http's own log: a TLS handshake that failed, most of
// all, which every port scanner causes.
func (n *notices) Write(line []byte) (int, error) {
	n.note(RejectedConnection, zap.ByteString("error", line))
	return len(line), nil
}
