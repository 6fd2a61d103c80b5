package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"kontur-ari/bridge"
)

// fullDisk is a store that can be read and not written.
type fullDisk struct {
	*outbox
	full atomic.Bool
}

func (d *fullDisk) RecordResults(ctx context.Context, sent []bridge.Sent) error {
	if d.full.Load() {
		return fmt.Errorf("recording report %d: %w", sent[0].Pending.ID, errors.New("database or disk is full"))
	}
	return d.outbox.RecordResults(ctx, sent)
}

func TestAnAnswerThatCannotBeRecordedIsNotAskedForAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, crm := openStore(t), newRemote(takeAll)
		names := commit(t, s, "call", 2)
		disk := &fullDisk{outbox: s}
		disk.full.Store(true)
		core, logs := observer.New(zap.WarnLevel)
		stop := start(t, newDispatcher(disk, crm, 4, zap.New(core)))
		time.Sleep(time.Hour) // of the bubble's clock: many tries to record it
		if diff := cmp.Diff(names[:1], crm.received()); diff != "" {
			t.Errorf("sent while nothing could be recorded (-want +got):\n%s", diff)
		}
		if logs.Len() != 1 {
			t.Errorf("%d lines about one full disk, want 1", logs.Len())
		}
		disk.full.Store(false)
		waitEmpty(t, s)
		stop()
		if diff := cmp.Diff(names, crm.received()); diff != "" {
			t.Errorf("sent in all (-want +got):\n%s", diff)
		}
	})
}

// slowDisk holds up RecordResults until as many calls of it run at once as are wanted.
type slowDisk struct {
	*outbox
	meet     chan struct{}
	together atomic.Int64
	wanted   int64
}

func (d *slowDisk) RecordResults(ctx context.Context, sent []bridge.Sent) error {
	if d.together.Add(1) == d.wanted {
		close(d.meet)
	}
	select {
	case <-d.meet:
	case <-time.After(time.Hour): // of the bubble's clock, which advances once all goroutines wait
		return errors.New("no other answer was recorded at the same time")
	}
	return d.outbox.RecordResults(ctx, sent)
}

// Answers of several calls that arrive one by one don't wait for each other's flush: the
// store lets them share one.
func TestAnswersOfSeveralCallsAreRecordedAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, crm := openStore(t), newRemote(takeAll)
		const calls = 3
		disk := &slowDisk{outbox: s, meet: make(chan struct{}), wanted: calls}
		for i := range calls {
			commit(t, s, bridge.CallID(fmt.Sprint("call", i)), 2)
		}
		core, logs := observer.New(zap.WarnLevel)
		stop := start(t, newDispatcher(disk, crm, 16, zap.New(core)))
		waitEmpty(t, s)
		stop()
		if logs.Len() != 0 || len(crm.received()) != 2*calls {
			t.Errorf("%d lines of trouble, sent %v", logs.Len(), crm.received())
		}
	})
}

// poisoned is a store that takes all answers but those of one call.
type poisoned struct {
	*outbox
	call   bridge.CallID
	healed atomic.Bool
}

func (p *poisoned) RecordResults(ctx context.Context, sent []bridge.Sent) error {
	for _, one := range sent {
		if one.Pending.Report.Call == p.call && !p.healed.Load() {
			return errors.New("this answer is no good")
		}
	}
	return p.outbox.RecordResults(ctx, sent)
}

// Other answers are recorded in between. They don't end the trouble of the one that can't be.
func TestOneAnswerThatCannotBeRecordedIsOneTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, crm := openStore(t), newRemote(takeAll)
		disk := &poisoned{outbox: s, call: "bad"}
		commit(t, s, "bad", 1)
		core, logs := observer.New(zap.InfoLevel)
		d := newDispatcher(disk, crm, 4, zap.New(core))
		stop := start(t, d)
		for i := range 100 {
			commit(t, s, bridge.CallID(fmt.Sprint("good", i)), 1)
			d.Wake(s.news())
			time.Sleep(300 * time.Millisecond)
		}
		lines := func(text string) int { return logs.FilterMessageSnippet(text).Len() }
		if lines("outbox can't be") != 1 || lines("outbox works again") != 0 {
			t.Errorf("%d lines of trouble and %d of its end, while it goes on", lines("outbox can't be"), lines("outbox works again"))
		}
		disk.healed.Store(true)
		waitEmpty(t, s)
		stop()
		if lines("outbox can't be") != 1 || lines("outbox works again") != 1 || len(crm.received()) != 101 {
			t.Errorf("%d lines of trouble, %d of its end, %d requests", lines("outbox can't be"), lines("outbox works again"), len(crm.received()))
		}
	})
}

func TestOneFailingCallAmongGoodOnesIsLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openStore(t)
		crm := newRemote(func(report bridge.Report, attempt int) bridge.Result {
			if report.Call == "bad" {
				return bridge.Result{Verdict: bridge.Retry, Reason: fmt.Sprint("cause ", attempt%2)}
			}
			return takeAll(report, attempt)
		})
		commit(t, s, "bad", 1)
		core, logs := observer.New(zap.WarnLevel)
		d := newDispatcher(s, crm, 4, zap.New(core))
		stop := start(t, d)
		for i := range 20 {
			call := bridge.CallID(fmt.Sprint("good", i))
			commit(t, s, call, 1)
			d.Wake(s.news())
			time.Sleep(time.Minute)
		}
		stop()
		if logs.Len() != 2 {
			t.Errorf("%d lines about two causes that alternate, want 2", logs.Len())
		}
	})
}

// damagedOutbox is an outbox in which nothing can be read, or nothing recorded.
type damagedOutbox struct {
	*outbox
	reads, records bool
}

var errDamagedOutbox = fmt.Errorf("page 5: %w", bridge.ErrStoreDamaged)

func (d *damagedOutbox) OldestWaiting(ctx context.Context, calls []bridge.CallID, each int) ([]bridge.Pending, error) {
	if !d.reads {
		return nil, errDamagedOutbox
	}
	return d.outbox.OldestWaiting(ctx, calls, each)
}

func (d *damagedOutbox) RecordResults(ctx context.Context, sent []bridge.Sent) error {
	if !d.records {
		return errDamagedOutbox
	}
	return d.outbox.RecordResults(ctx, sent)
}

func TestADamagedOutboxEndsTheDelivery(t *testing.T) {
	for name, damaged := range map[string]damagedOutbox{"that can't be read": {records: true}, "that can't be written": {reads: true}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, crm := openStore(t), newRemote(takeAll)
				commit(t, s, "call", 2)
				damaged.outbox = s
				core, logs := observer.New(zap.WarnLevel)
				d := newDispatcher(&damaged, crm, 4, zap.New(core))
				// Its context does not end.
				err := d.Run(context.Background())
				if !errors.Is(err, bridge.ErrStoreDamaged) {
					t.Errorf("the delivery ends with %v", err)
				}
				if counted := strings.Contains(err.Error(), "the last 1 answers"); counted == damaged.records {
					t.Errorf("the delivery ends with %v, and %d requests that will be repeated", err, len(crm.received()))
				}
				d.Drain(context.Background())
				if received := len(crm.received()); received > 1 {
					t.Errorf("%d requests were sent of one call", received)
				}
				if logs.Len() > 0 {
					t.Errorf("it logs %v; who owns the store says that it is damaged", logs.All())
				}
			})
		})
	}
}
