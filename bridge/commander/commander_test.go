package commander_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"

	"kontur-ari/bridge"
)

func TestAPhoneRingsAndDials(t *testing.T) {
	x := newRig(t)
	x.must(x.Call(t.Context(), toClient("C1", "U101")))
	x.wantRequests("create c1.1", "ring c1.1")
	x.sw.pickUp("kontur-ari~c1.1")
	x.flush()
	x.Close() // waits for what is being done
	x.wantRequests("create c1.1", "ring c1.1", "dial c1.1")
	if got := x.sw.channels["kontur-ari~c1.1"].dialled; got != "79997775533" {
		t.Errorf("dialled is %q", got)
	}
	x.wantReports("c1", "call-started", "appeared")
}

// Every telephone of a user rings; the one that is picked up dials, and the others
// stop.
func TestAllTelephonesRing(t *testing.T) {
	x := newRig(t)
	x.must(x.Call(t.Context(), toClient("c1", "u107")))
	x.wantRequests("create c1.1", "create c1.2", "ring c1.1", "ring c1.2")
	x.sw.pickUp("kontur-ari~c1.2")
	x.flush()
	x.Close()
	requests := x.sw.history()[4:]
	slices.Sort(requests)
	if want := []string{"dial c1.2", "hang up c1.1"}; !slices.Equal(requests, want) {
		t.Errorf("then the switch was asked for %q, want %q", requests, want)
	}
	x.wantReports("c1", "call-started", "appeared")
}

// Row 25.
func TestARepeatedOrderRingsOnce(t *testing.T) {
	x := newRig(t)
	var commands sync.WaitGroup
	for range 20 {
		commands.Go(func() {
			if err := x.Call(t.Context(), toClient("c1", "u101")); err != nil {
				t.Error(err)
			}
		})
	}
	commands.Wait()
	x.wantRequests("create c1.1", "ring c1.1")
	x.restart()
	x.must(x.Call(t.Context(), toClient("c1", "u101")))
	other := toClient("c1", "u101")
	other.ClientPhone = "79990000000"
	if got := refusedWith(x.Call(t.Context(), other)); got != bridge.RefusedReuse {
		t.Errorf("the same communication with another number: %q, want %q", got, bridge.RefusedReuse)
	}
	x.wantRequests("create c1.1", "ring c1.1")
	if stats := x.Stats(); stats.Repeated != 1 {
		t.Errorf("counted %+v", stats)
	}
}

// A refusal is remembered too: the CRM gets the same answer again.
func TestARefusalIsRepeated(t *testing.T) {
	x := newRig(t)
	for range 2 {
		if got := refusedWith(x.Call(t.Context(), toClient("c1", "u105"))); got != bridge.RefusedOffline {
			t.Fatalf("an absent phone: %q, want %q", got, bridge.RefusedOffline)
		}
		x.flush()
		x.sw.mu.Lock()
		x.sw.contacts["PJSIP/105"] = 1
		x.sw.mu.Unlock()
	}
	x.wantRequests("create c1.1")
	x.wantReports("c1")
}

// A telephone that has registered what must not be dialled is logged, once, and the
// endpoint rings alone.
func TestForeignContactsAreLoggedAndNotDialled(t *testing.T) {
	x := newRig(t)
	x.sw.fail("contacts", fault{err: fmt.Errorf("%w: a trunk", bridge.ErrContacts), times: 1})
	x.must(x.Call(t.Context(), toClient("c1", "u107")))
	x.wantRequests("create c1.1", "ring c1.1")
	logged := x.logs.FilterMessage("only one telephone of an endpoint rings").All()
	if len(logged) != 1 || logged[0].Level != zap.WarnLevel {
		t.Fatalf("logged %v", logged)
	}
	fields := logged[0].ContextMap()
	if fields["endpoint"] != "PJSIP/107" || fields["error"] != "contacts that are not dialled: a trunk" || fields["call"] == "" {
		t.Errorf("logged %v", fields)
	}
}

// What the switch doesn't answer is looked up, and never asked for twice.
func TestAnAnswerThatIsLost(t *testing.T) {
	rings := []string{"call-started", "appeared"}
	for _, c := range []struct {
		name     string
		request  string
		done     bool
		want     bridge.RefusalStatus
		requests []string
		reports  []string
	}{
		{"made", "create", true, "", []string{"create c1.1", "ring c1.1"}, rings},
		{"not made", "create", false, bridge.RefusedSwitch, []string{"create c1.1"}, nil},
		{"rung", "ring", true, "", []string{"create c1.1", "ring c1.1"}, rings},
		{"not rung", "ring", false, bridge.RefusedSwitch, []string{"create c1.1", "ring c1.1", "hang up c1.1"}, nil},
		{"contacts unknown", "contacts", false, "", []string{"create c1.1", "ring c1.1"}, rings},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := newRig(t)
			x.sw.fail(c.request, fault{err: errNoAnswer, done: c.done, times: 1})
			if got := refusedWith(x.Call(t.Context(), toClient("c1", "u101"))); got != c.want {
				t.Errorf("refused with %q, want %q", got, c.want)
			}
			x.wantRequests(c.requests...)
			x.wantReports("c1", c.reports...)
		})
	}
}

// An answer to "dial" that is lost is asked for again: that does no harm.
func TestAPhoneThatIsPickedUpDialsInTheEnd(t *testing.T) {
	for _, done := range []bool{true, false} {
		x := newRig(t)
		x.must(x.Call(t.Context(), toClient("c1", "u101")))
		x.sw.fail("dial", fault{err: errNoAnswer, done: done, times: 2})
		x.sw.pickUp("kontur-ari~c1.1")
		x.flush()
		x.await("it was tried again", func() bool { return len(x.sw.history()) == 5 })
		x.Close()
		x.wantRequests("create c1.1", "ring c1.1", "dial c1.1", "dial c1.1", "dial c1.1")
		if got := x.sw.channels["kontur-ari~c1.1"].dialled; got != "79997775533" {
			t.Errorf("dialled is %q", got)
		}
	}
}

func TestAnOrderIsFoundAfterACrash(t *testing.T) {
	click := bridge.ClickToCall{Application: "kontur-ari", CommunicationID: "c1", From: "u101", Number: "79997775533"}
	phone := bridge.PhoneCall{Channel: click.Channel(1), Endpoint: "PJSIP/101"}
	for _, c := range []struct {
		name     string
		before   func(*rig) error
		requests []string
		reports  []string
		want     bridge.RefusalStatus // of the repeated command
	}{
		{"nothing was done", func(*rig) error { return nil }, nil, []string{"call-failed"}, bridge.RefusedSwitch},
		{"the channel was made", func(x *rig) error { return x.sw.Create(x.t.Context(), phone) },
			[]string{"create c1.1", "hang up c1.1"}, []string{"call-failed"}, bridge.RefusedSwitch},
		{"the phone rings", func(x *rig) error {
			return errors.Join(x.sw.Create(x.t.Context(), phone), x.sw.Ring(x.t.Context(), click.Channel(1), time.Second))
		}, []string{"create c1.1", "ring c1.1"}, []string{"call-started", "appeared"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := newRig(t)
			x.must(x.intake.Give(t.Context(), bridge.NewClickToCallEvent(click, 0, time.Now())))
			x.must(c.before(x))
			x.flush()
			x.restart()
			x.Recover(t.Context())
			if got := refusedWith(x.Call(t.Context(), toClient("c1", "u101"))); got != c.want {
				t.Errorf("repeated: %q, want %q", got, c.want)
			}
			x.wantRequests(c.requests...)
			x.wantReports("c1", c.reports...)
		})
	}
}

// Commands of one communication wait for each other no longer than their callers.
func TestACommandThatWaitsGivesUp(t *testing.T) {
	x := newRig(t)
	entered, goOn := make(chan struct{}), make(chan struct{})
	x.sw.onCreate = func() {
		close(entered)
		<-goOn
	}
	first := make(chan error, 1)
	go func() { first <- x.Call(t.Context(), toClient("c1", "u101")) }()
	<-entered
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := x.Call(ctx, toClient("c1", "u101")); !errors.Is(err, context.Canceled) {
		t.Errorf("the second: %v", err)
	}
	close(goOn)
	if err := <-first; err != nil {
		t.Errorf("the first: %v", err)
	}
}
