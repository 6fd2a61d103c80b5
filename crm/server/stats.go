package server

import (
	"maps"
	"sync"

	"kontur-ari/bridge"
)

// Reason names why a request got no further. The set is fixed, so that it can be
// counted by.
type Reason string

// The reasons, in the order in which requests are looked at.
const (
	// RejectedConnection: more connections than are allowed at once, a TLS
	// handshake that failed, or bytes that are no HTTP.
	RejectedConnection Reason = "connection"
	// RejectedNetwork: the peer is in none of the allowed networks.
	RejectedNetwork Reason = "network"
	// RejectedPath: no such path.
	RejectedPath Reason = "path"
	// RejectedWorkspace: a path of another workspace.
	RejectedWorkspace Reason = "workspace"
	// RejectedMethod: not POST.
	RejectedMethod Reason = "method"
	// RejectedSize: the body is larger than it may be.
	RejectedSize Reason = "size"
	// RejectedMediaType: the body is said to be something else than JSON in UTF-8.
	RejectedMediaType Reason = "mediaType"
	// RejectedNoKey: no access key, several, or a text that can't be one.
	RejectedNoKey Reason = "noKey"
	// RejectedKey: the CRM doesn't take the key.
	RejectedKey Reason = "key"
	// RejectedBudget: too many unknown keys from this peer, or from all of them.
	RejectedBudget Reason = "budget"
	// RejectedUnchecked: the CRM can't be asked about the key now.
	RejectedUnchecked Reason = "unchecked"
	// RejectedSlow: the body did not arrive in time.
	RejectedSlow Reason = "slow"
	// RejectedBody: the body broke off, or is not what the command takes.
	RejectedBody Reason = "body"
)

// Stats are counts since the start.
type Stats struct {
	// Calls and Hangups were obeyed, Webhooks taken.
	Calls, Hangups, Webhooks int64
	// Refused commands had a good key, and were not obeyed by the Commander's
	// rules; Failed ones and failed hooks are failures of ours.
	Refused map[bridge.RefusalStatus]int64
	Failed  int64
	// Rejected requests never got as far as the Commander.
	Rejected map[Reason]int64
	// Checks are questions to the KeyChecker, FailedChecks those of them that
	// brought no answer.
	Checks, FailedChecks int64
}

// counters are the Stats that are being counted. They may be used concurrently.
type counters struct {
	mu    sync.Mutex
	stats Stats
}

func newCounters() *counters {
	return &counters{stats: Stats{Refused: map[bridge.RefusalStatus]int64{}, Rejected: map[Reason]int64{}}}
}

// add counts one thing under the lock.
func (c *counters) add(one func(*Stats)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	one(&c.stats)
}

func (c *counters) checked(err error) {
	c.add(func(s *Stats) {
		s.Checks++
		if err != nil {
			s.FailedChecks++
		}
	})
}

func (c *counters) snapshot() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	stats := c.stats
	stats.Refused, stats.Rejected = maps.Clone(stats.Refused), maps.Clone(stats.Rejected)
	return stats
}
