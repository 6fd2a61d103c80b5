package server

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"net/netip"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/singleflight"
)

const (
	// keptGood is how long a good key is believed without asking again. A key
	// lives 20 minutes, so one that the CRM has ended may be obeyed that much
	// longer, and the CRM is asked four times in its life at least.
	keptGood = 5 * time.Minute
	// keptBad is shorter: the CRM may have been wrong about its own new key.
	keptBad = 30 * time.Second
	// keptUnknown spares a CRM that can't answer.
	keptUnknown = 1500 * time.Millisecond
	// goodKeys and badKeys bound the memory. They are apart so that no number of
	// bad keys drives a good one out.
	goodKeys, badKeys = 1024, 4096
	// longestKey is far beyond the CRM's; what is longer is none.
	longestKey = 1024
)

// verdict is what is known of a key.
type verdict int

const (
	verdictUnknown verdict = iota // the CRM can't be asked now
	verdictGood
	verdictBad
	verdictUnaffordable // the budget for asking is used up
)

// keyring knows which access keys are good. It keeps verdicts in memory only, and
// of the keys nothing but hashes. All methods may be called concurrently.
type keyring struct {
	checker KeyChecker
	limit   time.Duration // of one question
	budget  *budget
	stats   *counters
	salt    [32]byte
	// life ends all questions under way; asking are those who wait for one.
	life    context.Context
	asking  sync.WaitGroup
	flights singleflight.Group

	good, bad *lru.Cache[hash, judged]
}

// hash stands for a key: salted, so that a picture of the memory is no means of
// trying keys out.
type hash [sha256.Size]byte

// judged is a verdict with its end.
type judged struct {
	verdict verdict
	until   time.Time
	err     error // why the verdict is unknown
}

func newKeyring(life context.Context, checker KeyChecker, limits Limits, stats *counters) (*keyring, error) {
	k := &keyring{checker: checker, limit: limits.CheckTime, life: life, stats: stats}
	rand.Read(k.salt[:])
	var err error
	if k.budget, err = newBudget(limits); err != nil {
		return nil, err
	}
	if k.good, err = lru.New[hash, judged](goodKeys); err != nil {
		return nil, err
	}
	k.bad, err = lru.New[hash, judged](badKeys)
	return k, err
}

// close returns when no question is under way any more. life must have ended, and
// judge must not be called again.
func (k *keyring) close() { k.asking.Wait() }

// plausible reports whether a text can be a key at all. It looks at nothing secret,
// and spares the CRM what it could only refuse.
func plausible(key string) bool {
	if key == "" || len(key) > longestKey {
		return false
	}
	for i := range len(key) {
		if key[i] <= ' ' || key[i] > '~' {
			return false
		}
	}
	return true
}

// judge says what a peer's key is worth. A known key costs nothing, also where the
// budget of its peer is used up; others cost the CRM a question, one for all who
// ask at the same time. It ends early, with an unknown verdict, when ctx does; the
// question then goes on for the others.
func (k *keyring) judge(ctx context.Context, peer netip.Addr, key string) judged {
	h := k.hash(key)
	for {
		if known, ok := k.known(h); ok {
			if known.verdict == verdictGood {
				k.budget.trust(peer)
			}
			return known
		}
		found, ours := k.share(ctx, peer, key, h)
		// Another peer with the same key could not afford the question: ask again
		// on one's own account.
		if found.verdict == verdictUnaffordable && !ours && ctx.Err() == nil {
			continue
		}
		if found.verdict == verdictGood {
			k.budget.trust(peer)
		}
		return found
	}
}

func (k *keyring) hash(key string) hash {
	return sha256.Sum256(append(k.salt[:], key...))
}

func (k *keyring) known(h hash) (judged, bool) {
	for _, cache := range []*lru.Cache[hash, judged]{k.good, k.bad} {
		if found, ok := cache.Get(h); ok && time.Now().Before(found.until) {
			return found, true
		}
	}
	return judged{}, false
}

// share joins the question about a key that is under way, or asks it; ours says
// which.
func (k *keyring) share(ctx context.Context, peer netip.Addr, key string, h hash) (found judged, ours bool) {
	type outcome struct {
		judged judged
		ours   bool
	}
	answered := make(chan outcome, 1)
	// A goroutine for each request that waits: one that goes away does not end the question.
	k.asking.Go(func() {
		asked := false
		shared, _, _ := k.flights.Do(string(h[:]), func() (any, error) {
			asked = true
			return k.ask(peer, key, h), nil
		})
		answered <- outcome{shared.(judged), asked}
	})
	select {
	case o := <-answered:
		return o.judged, o.ours
	case <-ctx.Done():
		return judged{verdict: verdictUnknown, err: ctx.Err()}, false
	}
}

// ask asks the CRM about a key, where the budget allows, and remembers the answer.
func (k *keyring) ask(peer netip.Addr, key string, h hash) judged {
	// A request that missed a flight by a moment finds its answer.
	if known, ok := k.known(h); ok {
		return known
	}
	if !k.budget.spend(peer) {
		return judged{verdict: verdictUnaffordable}
	}
	ctx, cancel := context.WithTimeout(k.life, k.limit)
	defer cancel()
	good, err := k.checker.CheckKey(ctx, key)
	k.stats.checked(err)
	found, cache := judged{verdict: verdictBad, until: time.Now().Add(keptBad)}, k.bad
	switch {
	case err != nil:
		found = judged{verdict: verdictUnknown, until: time.Now().Add(keptUnknown), err: err}
	case good:
		found, cache = judged{verdict: verdictGood, until: time.Now().Add(keptGood)}, k.good
	}
	cache.Add(h, found)
	return found
}
