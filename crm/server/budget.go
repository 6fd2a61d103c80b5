package server

import (
	"fmt"
	"math"
	"net/netip"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"
)

const (
	// peersKept bounds the memory; a stranger who is forgotten is still bounded by
	// what all strangers may spend together.
	peersKept = 4096
	// metMore is how many times as much those who have shown a good key may ask.
	metMore = 10
	// longestPause is the longest wait that a peer over its budget is asked for.
	longestPause = time.Minute
)

// budget bounds the questions about keys, so that a flood of invented ones does not
// become a flood on the CRM. Peers that have shown a good key draw on an account of
// their own: strangers, however many, can't use it up. It may be used concurrently.
type budget struct {
	perPeer        Budget
	strangers, met accounts
}

// accounts are those of some peers, and the one they share.
type accounts struct {
	each *lru.Cache[netip.Prefix, *rate.Limiter]
	all  *rate.Limiter
}

func newBudget(limits Limits) (*budget, error) {
	b := &budget{perPeer: limits.PeerChecks}
	for a, all := range map[*accounts]Budget{&b.strangers: limits.AllChecks, &b.met: limits.AllChecks.times(metMore)} {
		each, err := lru.New[netip.Prefix, *rate.Limiter](peersKept)
		if err != nil {
			return nil, fmt.Errorf("server: accounts of peers: %w", err)
		}
		a.each, a.all = each, all.limiter()
	}
	return b, nil
}

// neighbourhood is what counts as one peer: an IPv6 customer has a /64 at least.
func neighbourhood(peer netip.Addr) netip.Prefix {
	bits := peer.BitLen()
	if peer.Is6() {
		bits = 64
	}
	network, _ := peer.Prefix(bits) // fails for the zero address, whose zero network will do
	return network
}

// trust notes that a peer has shown a good key.
func (b *budget) trust(peer netip.Addr) {
	network := neighbourhood(peer)
	if _, known := b.met.each.Get(network); !known {
		b.met.each.ContainsOrAdd(network, b.perPeer.times(metMore).limiter())
	}
}

// spend reports whether a peer may cost one more question, and books it.
func (b *budget) spend(peer netip.Addr) bool {
	own, all := b.account(peer)
	now := time.Now()
	booked := own.ReserveN(now, 1)
	if booked.OK() && booked.DelayFrom(now) == 0 && all.AllowN(now, 1) {
		return true
	}
	// Who can't ask since others ask too much keeps what is his own.
	booked.CancelAt(now)
	return false
}

// pause is how long a peer should wait for its next question, in whole seconds:
// one at least.
func (b *budget) pause(peer netip.Addr) time.Duration {
	longest := time.Second
	own, all := b.account(peer)
	for _, l := range []*rate.Limiter{own, all} {
		if missing := 1 - l.Tokens(); missing > 0 {
			seconds := math.Ceil(missing / float64(l.Limit()))
			longest = max(longest, time.Duration(min(seconds, longestPause.Seconds()))*time.Second)
		}
	}
	return longest
}

func (b *budget) account(peer netip.Addr) (own, all *rate.Limiter) {
	network := neighbourhood(peer)
	if own, ok := b.met.each.Get(network); ok {
		return own, b.met.all
	}
	own = b.perPeer.limiter()
	if earlier, known, _ := b.strangers.each.PeekOrAdd(network, own); known {
		b.strangers.each.Get(network) // so that those who ask stay
		own = earlier
	}
	return own, b.strangers.all
}
