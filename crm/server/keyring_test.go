package server

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// checkFunc is a KeyChecker.
type checkFunc func(context.Context, string) (bool, error)

func (f checkFunc) CheckKey(ctx context.Context, key string) (bool, error) { return f(ctx, key) }

var (
	peerA = netip.MustParseAddr("203.0.113.1")
	peerB = netip.MustParseAddr("203.0.113.2")
	peerC = netip.MustParseAddr("203.0.113.3")
)

// newTestKeyring returns a keyring with the test's checker, and its counters.
func newTestKeyring(t *testing.T, limits Limits, check checkFunc) (*keyring, *counters) {
	t.Helper()
	life, end := context.WithCancel(t.Context())
	stats := newCounters()
	k, err := newKeyring(life, check, limits.complete(), stats)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { end(); k.close() })
	return k, stats
}

// TestVerdictsAreKeptForTheirTime goes through the life of a key: unknown while the
// CRM is down, good, and in the end expired.
func TestVerdictsAreKeptForTheirTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		good, down := false, errors.New("down")
		k, stats := newTestKeyring(t, Limits{}, func(context.Context, string) (bool, error) { return good, down })
		step := func(after time.Duration, want verdict, questions int64) {
			t.Helper()
			time.Sleep(after)
			if got := k.judge(t.Context(), peerA, "key").verdict; got != want || stats.snapshot().Checks != questions {
				t.Errorf("verdict %d after %d questions, want %d after %d", got, stats.snapshot().Checks, want, questions)
			}
		}
		step(0, verdictUnknown, 1)
		down = nil
		step(keptUnknown-1, verdictUnknown, 1)
		step(1, verdictBad, 2)
		good = true
		step(keptBad-1, verdictBad, 2)
		step(1, verdictGood, 3)
		good = false
		step(keptGood-1, verdictGood, 3)
		step(1, verdictBad, 4)
		good = true
		step(keptBad, verdictGood, 5)
	})
}

func TestCallersWhoAskTogetherCostOneQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		limits := Limits{PeerChecks: Budget{0.001, 1}}
		k, stats := newTestKeyring(t, limits, func(ctx context.Context, _ string) (bool, error) {
			select {
			case <-release:
				return true, nil
			case <-ctx.Done():
				return false, ctx.Err()
			}
		})
		leaving, leave := context.WithCancel(t.Context())
		verdicts := make(chan verdict, 100)
		var group sync.WaitGroup
		group.Go(func() {
			if got := k.judge(leaving, peerA, "key").verdict; got != verdictUnknown {
				t.Errorf("who went away has verdict %d", got)
			}
		})
		synctest.Wait()
		for range cap(verdicts) {
			group.Go(func() { verdicts <- k.judge(t.Context(), peerA, "key").verdict })
		}
		synctest.Wait()
		leave() // the one whose question it is
		synctest.Wait()
		close(release)
		group.Wait()
		for range cap(verdicts) {
			if got := <-verdicts; got != verdictGood {
				t.Fatalf("verdict %d", got)
			}
		}
		if n := stats.snapshot().Checks; n != 1 {
			t.Errorf("%d questions, want 1", n)
		}
	})
}

// TestNoPeerIsRefusedForAnothersBudget: a peer waits for the question of another peer with
// the same key, which has no budget for it. The waiting peer must ask by itself.
func TestNoPeerIsRefusedForAnothersBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, _ := newTestKeyring(t, Limits{}, func(context.Context, string) (bool, error) { return true, nil })
		release, h := make(chan struct{}), k.hash("key")
		var group sync.WaitGroup
		group.Go(func() {
			k.flights.Do(string(h[:]), func() (any, error) {
				<-release
				return judged{verdict: verdictUnaffordable}, nil
			})
		})
		synctest.Wait()
		group.Go(func() {
			if got := k.judge(t.Context(), peerB, "key").verdict; got != verdictGood {
				t.Errorf("verdict %d", got)
			}
		})
		synctest.Wait()
		close(release)
		group.Wait()
	})
}

func TestARequestJustAfterAnAnswerDoesNotAskAgain(t *testing.T) {
	k, stats := newTestKeyring(t, Limits{}, func(context.Context, string) (bool, error) { return true, nil })
	for range 2 {
		if got := k.ask(peerA, "key", k.hash("key")).verdict; got != verdictGood {
			t.Errorf("verdict %d", got)
		}
	}
	if n := stats.snapshot().Checks; n != 1 {
		t.Errorf("%d questions, want 1", n)
	}
}

func TestAQuestionIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k, _ := newTestKeyring(t, Limits{CheckTime: 5 * time.Second}, func(ctx context.Context, _ string) (bool, error) {
			<-ctx.Done()
			return false, ctx.Err()
		})
		began := time.Now()
		if got := k.judge(t.Context(), peerA, "key"); got.verdict != verdictUnknown || !errors.Is(got.err, context.DeadlineExceeded) {
			t.Errorf("verdict %+v", got)
		}
		if lasted := time.Since(began); lasted != 5*time.Second {
			t.Errorf("it took %s", lasted)
		}
	})
}

// TestBudgets spends what peers have, and waits for more.
func TestBudgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limits := Limits{PeerChecks: Budget{0.5, 2}, AllChecks: Budget{1, 3}}
		k, _ := newTestKeyring(t, limits, func(_ context.Context, key string) (bool, error) { return key == "good", nil })
		key := 0
		ask := func(peer netip.Addr, want verdict) {
			t.Helper()
			key++
			if got := k.judge(t.Context(), peer, fmt.Sprint(key)).verdict; got != want {
				t.Errorf("question %d of %s: verdict %d, want %d", key, peer, got, want)
			}
		}
		ask(peerA, verdictBad)
		ask(peerA, verdictBad)
		ask(peerA, verdictUnaffordable) // its own account is empty
		if pause := k.budget.pause(peerA); pause != 2*time.Second {
			t.Errorf("the pause is %s", pause)
		}
		ask(peerB, verdictBad)
		ask(peerB, verdictUnaffordable) // that of all is
		if pause := k.budget.pause(peerB); pause != time.Second {
			t.Errorf("the pause is %s", pause)
		}
		time.Sleep(2 * time.Second)
		ask(peerA, verdictBad)
		time.Sleep(time.Minute)
		if got := k.judge(t.Context(), peerB, "good").verdict; got != verdictGood {
			t.Fatalf("verdict %d", got)
		}
		ask(peerA, verdictBad)
		ask(peerA, verdictBad)
		ask(peerC, verdictUnaffordable) // strangers have nothing left
		// He is none any more, and may ask ten times as much as they.
		for range 20 {
			ask(peerB, verdictBad)
		}
		ask(peerB, verdictUnaffordable)
	})
}

func TestOneCustomersIPv6AddressesAreOnePeer(t *testing.T) {
	for text, want := range map[string]string{
		"2001:db8:1:2::1": "2001:db8:1:2::/64", "2001:db8:1:2:ffff::": "2001:db8:1:2::/64", "203.0.113.7": "203.0.113.7/32",
	} {
		if got := neighbourhood(netip.MustParseAddr(text)); got.String() != want {
			t.Errorf("%s is in %s, want %s", text, got, want)
		}
	}
}

func TestMemoryIsBounded(t *testing.T) {
	limits := Limits{PeerChecks: Budget{1e9, 1e9}, AllChecks: Budget{1e9, 1e9}}
	k, _ := newTestKeyring(t, limits, func(_ context.Context, key string) (bool, error) { return key[0] == 'g', nil })
	k.judge(t.Context(), peerA, "good")
	address := netip.MustParseAddr("10.0.0.1")
	for i := range 2 * max(badKeys, peersKept) {
		address = address.Next()
		k.judge(t.Context(), address, fmt.Sprint("bad", i))
	}
	if k.bad.Len() > badKeys || k.budget.strangers.each.Len() > peersKept || k.budget.met.each.Len() != 1 {
		t.Errorf("%d bad keys, %d strangers, %d peers with a good key", k.bad.Len(), k.budget.strangers.each.Len(), k.budget.met.each.Len())
	}
	if _, known := k.known(k.hash("good")); !known {
		t.Error("bad keys drove the good one out")
	}
}

func TestKeysAreNotKept(t *testing.T) {
	k, _ := newTestKeyring(t, Limits{}, func(context.Context, string) (bool, error) { return true, nil })
	other, _ := newTestKeyring(t, Limits{}, func(context.Context, string) (bool, error) { return true, nil })
	first, again := k.hash("key"), k.hash("key")
	if first != again || first == k.hash("kex") {
		t.Error("a hash doesn't distinguish keys")
	}
	if first == other.hash("key") {
		t.Error("hashes are the same in two processes")
	}
}

func TestRejectedRequestsAreALineAMinuteForEachReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.InfoLevel)
		stats := newCounters()
		n := newNotices(zap.New(core), stats)
		for range 100 {
			n.note(RejectedKey, zap.Stringer("peer", peerA))
			n.note(RejectedPath)
		}
		time.Sleep(noticeEvery)
		n.note(RejectedKey)
		n.note(RejectedKey)
		n.flush()
		var unsaid []any
		for _, line := range logs.All() {
			unsaid = append(unsaid, line.ContextMap()["reason"], line.ContextMap()["unsaid"])
		}
		want := fmt.Sprint([]any{"key", 0, "path", 0, "key", 99})
		if got := fmt.Sprint(unsaid[:6]); got != want || len(unsaid) != 10 {
			t.Errorf("lines %v, want %s and two more", unsaid, want)
		}
		if s := stats.snapshot(); s.Rejected[RejectedKey] != 102 || s.Rejected[RejectedPath] != 100 {
			t.Errorf("counted %v", s.Rejected)
		}
	})
}
