package commander_test

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap/zaptest"

	"kontur-ari/bridge"
	"kontur-ari/bridge/commander"
	"kontur-ari/bridge/intake"
	"kontur-ari/bridge/store"
)

// exchange is a Commander with everything around it: a real store and Tracker, and a
// switch.
type exchange struct {
	*commander.Commander
	t         *testing.T
	sw        *fakeSwitch
	directory string
	db        *store.Store
	intake    *intake.Intake
	stop      context.CancelFunc
	stopped   chan error
}

func newExchange(t *testing.T, change ...func(*commander.Config)) *exchange {
	x := &exchange{t: t, sw: newFakeSwitch(), directory: t.TempDir()}
	x.start(change...)
	t.Cleanup(x.end)
	return x
}

func (x *exchange) start(change ...func(*commander.Config)) {
	x.t.Helper()
	numbers, err := bridge.NewNumbers("RU", regexp.MustCompile(`^\d{2,5}$`), "anonymous")
	x.must(err)
	directory, err := bridge.NewDirectory([]bridge.User{
		{ID: "u101", Extension: "101", Endpoint: "PJSIP/101"},
		{ID: "u102", Extension: "102", Endpoint: "PJSIP/102"},
		{ID: "U107", Extension: "107", Endpoint: "PJSIP/107"},
		{ID: "u105", Extension: "105", Endpoint: "PJSIP/105"},
		{ID: "mobile", Mobile: "79161110102"},
	}, []bridge.Trunk{{Endpoint: "PJSIP/trunk"}}, numbers)
	x.must(err)
	x.db, err = store.Open(x.t.Context(), x.directory)
	x.must(err)
	tracker := bridge.NewTracker(directory, bridge.Policy{})
	open, ended, err := x.db.OpenCalls(x.t.Context())
	x.must(err)
	x.must(tracker.Restore(open, ended))
	log := zaptest.NewLogger(x.t)
	x.intake = intake.New(tracker, x.db, func([]bridge.CallID) {}, log)
	config := commander.Config{
		Directory: directory, Numbers: numbers, PerMinute: 3, AtOnce: 2, RingTimeout: 30 * time.Second,
		Allowed: func(number string) bool { return strings.HasPrefix(number, "7") && len(number) == 11 },
	}
	for _, change := range change {
		change(&config)
	}
	x.Commander = commander.New(config, x.intake, x.db, x.sw, log)
	x.intake.Act(x.Act)
	x.sw.heard = x.intake.Put
	ctx, stop := context.WithCancel(context.Background())
	x.stop, x.stopped = stop, make(chan error, 1)
	go func() { x.stopped <- x.intake.Run(ctx) }()
}

func (x *exchange) end() {
	x.Close()
	x.stop()
	if err := errors.Join(<-x.stopped, x.db.Close()); err != nil {
		x.t.Error(err)
	}
}

// restart is a crash and a new start: the switch goes on meanwhile.
func (x *exchange) restart() {
	x.sw.mu.Lock()
	x.sw.heard = nil
	x.sw.mu.Unlock()
	x.end()
	x.start()
}

func (x *exchange) must(err error) {
	x.t.Helper()
	if err != nil {
		x.t.Fatal(err)
	}
}

// await waits for something that is done in the background.
func (x *exchange) await(what string, holds func() bool) {
	x.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(time.Minute); !holds(); {
		select {
		case <-tick.C:
		case <-deadline:
			x.t.Fatalf("not in time: %s", what)
		}
	}
}

// flush returns when every event so far is stored.
func (x *exchange) flush() {
	x.t.Helper()
	x.must(x.intake.Give(x.t.Context(), bridge.Event{Type: bridge.EventChannelStateChange, Time: time.Now()}))
}

// reports are those that wait for the CRM, of the call of a communication.
func (x *exchange) reports(communication string) []string {
	x.t.Helper()
	x.flush()
	call := bridge.Order{CommunicationID: communication}.Call()
	var told []string
	for {
		pending, found, err := x.db.Head(x.t.Context(), call)
		x.must(err)
		if !found {
			return told
		}
		kind := string(pending.Report.Kind)
		if pending.Report.Event != "" {
			kind = string(pending.Report.Event)
		}
		told = append(told, kind)
		x.must(x.db.Settle(x.t.Context(), pending, bridge.Result{Verdict: bridge.Delivered}))
	}
}

func (x *exchange) wantTold(want ...string) {
	x.t.Helper()
	if got := x.sw.history(); !slices.Equal(got, want) {
		x.t.Errorf("the switch was told %q, want %q", got, want)
	}
}

func (x *exchange) wantReports(communication string, want ...string) {
	x.t.Helper()
	if got := x.reports(communication); !slices.Equal(got, want) {
		x.t.Errorf("communication %s: the CRM is told %q, want %q", communication, got, want)
	}
}

// toClient is the command for a call to a client.
func toClient(communication, from string) bridge.CallCommand {
	return bridge.CallCommand{CommunicationID: communication, FromUserID: from, ClientPhone: "8 (999) 777-55-33"}
}

func refusedWith(err error) bridge.RefusalStatus {
	if refusal, ok := errors.AsType[*bridge.Refusal](err); ok {
		return refusal.Status
	}
	return ""
}

func TestAPhoneRingsAndDials(t *testing.T) {
	x := newExchange(t)
	x.must(x.Call(t.Context(), toClient("C1", "U101")))
	x.wantTold("create c1.1", "ring c1.1")
	x.sw.pickUp("kontur-ari-c1.1")
	x.flush()
	x.Close() // waits for what is being done
	x.wantTold("create c1.1", "ring c1.1", "dial c1.1")
	if got := x.sw.channels["kontur-ari-c1.1"].dialled; got != "79997775533" {
		t.Errorf("dialled is %q", got)
	}
	x.wantReports("c1", "call-started", "appeared")
}

// Every telephone of a user rings; the one that is picked up dials, and the others
// stop.
func TestAllTelephonesRing(t *testing.T) {
	x := newExchange(t)
	x.must(x.Call(t.Context(), toClient("c1", "u107")))
	x.wantTold("create c1.1", "create c1.2", "ring c1.1", "ring c1.2")
	x.sw.pickUp("kontur-ari-c1.2")
	x.flush()
	x.Close()
	told := x.sw.history()[4:]
	slices.Sort(told)
	if want := []string{"dial c1.2", "hang up c1.1"}; !slices.Equal(told, want) {
		t.Errorf("then the switch was told %q, want %q", told, want)
	}
	x.wantReports("c1", "call-started", "appeared")
}

// Row 25.
func TestARepeatedOrderRingsOnce(t *testing.T) {
	x := newExchange(t)
	var commands sync.WaitGroup
	for range 20 {
		commands.Go(func() {
			if err := x.Call(t.Context(), toClient("c1", "u101")); err != nil {
				t.Error(err)
			}
		})
	}
	commands.Wait()
	x.wantTold("create c1.1", "ring c1.1")
	x.restart()
	x.must(x.Call(t.Context(), toClient("c1", "u101")))
	other := toClient("c1", "u101")
	other.ClientPhone = "79990000000"
	if got := refusedWith(x.Call(t.Context(), other)); got != bridge.RefusedReuse {
		t.Errorf("the same communication with another number: %q, want %q", got, bridge.RefusedReuse)
	}
	x.wantTold("create c1.1", "ring c1.1")
	if stats := x.Stats(); stats.Repeated != 1 {
		t.Errorf("counted %+v", stats)
	}
}

// A refusal is remembered too: the CRM gets the same answer again.
func TestARefusalIsRepeated(t *testing.T) {
	x := newExchange(t)
	for range 2 {
		if got := refusedWith(x.Call(t.Context(), toClient("c1", "u105"))); got != bridge.RefusedOffline {
			t.Fatalf("an absent phone: %q, want %q", got, bridge.RefusedOffline)
		}
		x.flush()
		x.sw.mu.Lock()
		x.sw.contacts["PJSIP/105"] = 1
		x.sw.mu.Unlock()
	}
	x.wantTold("create c1.1")
	x.wantReports("c1")
}

// Row 24, and whatever else may stand in a command: nothing of it reaches the switch.
func TestWhatMayNotBeDialled(t *testing.T) {
	x := newExchange(t)
	number := func(number string) bridge.CallCommand {
		return bridge.CallCommand{CommunicationID: "c1", FromUserID: "u101", ClientPhone: number}
	}
	for _, c := range []struct {
		name    string
		command bridge.CallCommand
		want    bridge.RefusalStatus
	}{
		{"no communication", toClient("", "u101"), bridge.RefusedInvalid},
		{"an unknown user", toClient("c1", "u999"), bridge.RefusedUser},
		{"no user", toClient("c1", ""), bridge.RefusedUser},
		{"a user without a phone", toClient("c1", "mobile"), bridge.RefusedUser},
		{"an unknown colleague", bridge.CallCommand{CommunicationID: "c1", FromUserID: "u101", ToUserID: "u999"}, bridge.RefusedUser},
		{"a colleague without an extension", bridge.CallCommand{CommunicationID: "c1", FromUserID: "u101", ToUserID: "mobile"}, bridge.RefusedUser},
		{"oneself", bridge.CallCommand{CommunicationID: "c1", FromUserID: "u101", ToUserID: "U101"}, bridge.RefusedInvalid},
		{"no number", number(""), bridge.RefusedNumber},
		{"letters", number("seven"), bridge.RefusedNumber},
		{"an extension", number("101"), bridge.RefusedNumber},
		{"an emergency number", number("112"), bridge.RefusedNumber},
		{"a feature code", number("*7279997775533"), bridge.RefusedNumber},
		{"100 digits", number(strings.Repeat("7", 100)), bridge.RefusedNumber},
		{"another country", number("+442071838750"), bridge.RefusedNumber},
		{"a second endpoint", number("79997775533&PJSIP/102"), bridge.RefusedNumber},
		{"an argument", number("79997775533,60,g"), bridge.RefusedNumber},
		{"a path", number("79997775533/../channels"), bridge.RefusedNumber},
		{"another host behind @", number("../@evil"), bridge.RefusedNumber},
		{"an expression", number("${SHELL(reboot)}"), bridge.RefusedNumber},
		{"a line end", number("79997775533\r\nAction: Originate"), bridge.RefusedNumber},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := x.Call(t.Context(), c.command)
			if got := refusedWith(err); got != c.want {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
	x.wantTold()
	x.wantReports("c1")
}

func TestNumbersAreDialledNormalised(t *testing.T) {
	for _, written := range []string{"79997775533", "+7 (999) 777-55-33", "8 999 777 55 33", "+7 999 777 55 33@evil.example;x=1"} {
		x := newExchange(t)
		command := toClient("c1", "u101")
		command.ClientPhone = written
		x.must(x.Call(t.Context(), command))
		x.sw.pickUp("kontur-ari-c1.1")
		x.flush()
		x.Close()
		if got := x.sw.channels["kontur-ari-c1.1"].dialled; got != "79997775533" {
			t.Errorf("%q: dialled is %q", written, got)
		}
	}
}

func TestAColleagueIsDialledByExtension(t *testing.T) {
	x := newExchange(t)
	x.must(x.Call(t.Context(), bridge.CallCommand{CommunicationID: "c1", FromUserID: "u101", ToUserID: "u102", ClientPhone: "79997775533"}))
	x.sw.pickUp("kontur-ari-c1.1")
	x.flush()
	x.Close()
	if got := x.sw.channels["kontur-ari-c1.1"].dialled; got != "102" {
		t.Errorf("dialled is %q", got)
	}
}

func TestAUserMayNotOrderTooMuch(t *testing.T) {
	x := newExchange(t)
	order := func(communication string) bridge.RefusalStatus {
		return refusedWith(x.Call(t.Context(), toClient(communication, "u101")))
	}
	for _, communication := range []string{"c1", "c2"} {
		if got := order(communication); got != "" {
			t.Fatalf("%s is refused: %s", communication, got)
		}
	}
	if got := order("c3"); got != bridge.RefusedRate {
		t.Errorf("a third at a time: %q", got)
	}
	if got := refusedWith(x.Call(t.Context(), toClient("c4", "u102"))); got != "" {
		t.Errorf("another user's: %q", got)
	}
	x.must(x.sw.Hangup(t.Context(), "kontur-ari-c1.1", 16))
	x.must(x.sw.Hangup(t.Context(), "kontur-ari-c2.1", 16))
	x.flush()
	if got := order("c5"); got != "" {
		t.Errorf("a third in a minute, when the others are over: %q", got)
	}
	if got := order("c6"); got != bridge.RefusedRate {
		t.Errorf("a fourth in a minute: %q", got)
	}
}

func TestAThousandOrdersAtOnce(t *testing.T) {
	x := newExchange(t)
	var commands sync.WaitGroup
	var mu sync.Mutex
	obeyed := 0
	for n := range 1000 {
		commands.Go(func() {
			err := x.Call(t.Context(), toClient("c"+strings.Repeat("x", n), "u101"))
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				obeyed++
			} else if refusedWith(err) != bridge.RefusedRate {
				t.Errorf("refused: %v", err)
			}
		})
	}
	commands.Wait()
	if obeyed != 2 {
		t.Errorf("%d were obeyed, want as many as one user may have at a time", obeyed)
	}
	if told := len(x.sw.history()); told != 4 {
		t.Errorf("the switch was told %d things, want 4", told)
	}
}

// What the switch doesn't answer is looked up, and never asked for twice.
func TestAnAnswerThatIsLost(t *testing.T) {
	rings := []string{"call-started", "appeared"}
	for _, c := range []struct {
		name    string
		request string
		done    bool
		want    bridge.RefusalStatus
		told    []string
		reports []string
	}{
		{"made", "create", true, "", []string{"create c1.1", "ring c1.1"}, rings},
		{"not made", "create", false, bridge.RefusedSwitch, []string{"create c1.1"}, nil},
		{"rung", "ring", true, "", []string{"create c1.1", "ring c1.1"}, rings},
		{"not rung", "ring", false, bridge.RefusedSwitch, []string{"create c1.1", "ring c1.1", "hang up c1.1"}, nil},
		{"contacts not told", "contacts", false, "", []string{"create c1.1", "ring c1.1"}, rings},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := newExchange(t)
			x.sw.fail(c.request, fault{err: errNoAnswer, done: c.done, times: 1})
			if got := refusedWith(x.Call(t.Context(), toClient("c1", "u101"))); got != c.want {
				t.Errorf("refused with %q, want %q", got, c.want)
			}
			x.wantTold(c.told...)
			x.wantReports("c1", c.reports...)
		})
	}
}

// An answer to "dial" that is lost is asked for again: that does no harm.
func TestAPhoneThatIsPickedUpDialsInTheEnd(t *testing.T) {
	for _, done := range []bool{true, false} {
		x := newExchange(t)
		x.must(x.Call(t.Context(), toClient("c1", "u101")))
		x.sw.fail("dial", fault{err: errNoAnswer, done: done, times: 2})
		x.sw.pickUp("kontur-ari-c1.1")
		x.flush()
		x.await("it was tried again", func() bool { return len(x.sw.history()) == 5 })
		x.Close()
		x.wantTold("create c1.1", "ring c1.1", "dial c1.1", "dial c1.1", "dial c1.1")
		if got := x.sw.channels["kontur-ari-c1.1"].dialled; got != "79997775533" {
			t.Errorf("dialled is %q", got)
		}
	}
}

func TestAnOrderIsFoundAfterACrash(t *testing.T) {
	order := bridge.Order{CommunicationID: "c1", From: "u101", Number: "79997775533"}
	phone := bridge.PhoneCall{Channel: order.Channel(1), Endpoint: "PJSIP/101"}
	for _, c := range []struct {
		name    string
		before  func(*exchange) error
		told    []string
		reports []string
	}{
		{"nothing was done", func(*exchange) error { return nil }, nil, []string{"call-failed"}},
		{"the channel was made", func(x *exchange) error { return x.sw.Create(x.t.Context(), phone) },
			[]string{"create c1.1", "hang up c1.1"}, []string{"call-failed"}},
		{"the phone rings", func(x *exchange) error {
			return errors.Join(x.sw.Create(x.t.Context(), phone), x.sw.Ring(x.t.Context(), order.Channel(1), time.Second))
		}, []string{"create c1.1", "ring c1.1"}, []string{"call-started", "appeared"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := newExchange(t)
			x.must(x.intake.Give(t.Context(), bridge.NewOrderEvent(order, time.Now())))
			x.must(c.before(x))
			x.flush()
			x.restart()
			x.Recover(t.Context())
			x.must(x.Call(t.Context(), toClient("c1", "u101")))
			x.wantTold(c.told...)
			x.wantReports("c1", c.reports...)
		})
	}
}

func TestHangup(t *testing.T) {
	for _, c := range []struct {
		name    string
		command bridge.HangupCommand
		want    bridge.RefusalStatus
		told    []string
	}{
		{"by the leg", bridge.HangupCommand{Leg: "kontur-ari-c1.1", UserID: "u101"}, "", []string{"hang up c1.1"}},
		{"by the communication", bridge.HangupCommand{CommunicationID: "C1", UserID: "U101"}, "", []string{"hang up c1.1"}},
		{"an unknown leg", bridge.HangupCommand{Leg: "1.1", UserID: "u101"}, bridge.RefusedLeg, nil},
		{"an unknown leg of a known communication", bridge.HangupCommand{Leg: "1.1", CommunicationID: "c1", UserID: "u101"}, bridge.RefusedLeg, nil},
		{"an unknown communication", bridge.HangupCommand{CommunicationID: "c2", UserID: "u101"}, bridge.RefusedLeg, nil},
		{"another user", bridge.HangupCommand{Leg: "kontur-ari-c1.1", UserID: "u102"}, bridge.RefusedParty, nil},
		{"no user", bridge.HangupCommand{Leg: "kontur-ari-c1.1"}, bridge.RefusedParty, nil},
		{"nothing", bridge.HangupCommand{UserID: "u101"}, bridge.RefusedInvalid, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := newExchange(t)
			x.must(x.Call(t.Context(), toClient("c1", "u101")))
			x.flush()
			if err := x.Hangup(t.Context(), c.command); refusedWith(err) != c.want || (err == nil) != (c.want == "") {
				t.Errorf("%v, want %q", err, c.want)
			}
			x.wantTold(append([]string{"create c1.1", "ring c1.1"}, c.told...)...)
			if c.want != "" {
				return
			}
			x.wantReports("c1", "call-started", "appeared", "disconnected", "finished", "call-failed")
			if got := refusedWith(x.Hangup(t.Context(), c.command)); got != bridge.RefusedLeg {
				t.Errorf("a second time: %q, want %q", got, bridge.RefusedLeg)
			}
		})
	}
}

// A switch that is away is no success; a channel that has gone by itself is one.
func TestHangupOfWhatCantBeReached(t *testing.T) {
	for err, want := range map[error]bridge.RefusalStatus{errNoAnswer: bridge.RefusedSwitch, bridge.ErrDeclined: bridge.RefusedSwitch, bridge.ErrNoChannel: ""} {
		x := newExchange(t)
		x.must(x.Call(t.Context(), toClient("c1", "u101")))
		x.flush()
		x.sw.fail("hang up", fault{err: err, times: 1})
		if got := refusedWith(x.Hangup(t.Context(), bridge.HangupCommand{Leg: "kontur-ari-c1.1", UserID: "u101"})); got != want {
			t.Errorf("%v: %q, want %q", err, got, want)
		}
	}
}

// Commands of one communication wait for each other no longer than their callers.
func TestACommandThatWaitsGivesUp(t *testing.T) {
	x := newExchange(t)
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
