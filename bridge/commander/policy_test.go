package commander_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap/zaptest"

	"kontur-ari/bridge"
	"kontur-ari/bridge/commander"
	"kontur-ari/bridge/intake"
)

// Row 24, and what else may stand in a command: nothing of it reaches the switch.
func TestWhatMayNotBeDialled(t *testing.T) {
	x := newRig(t)
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
		{"a SIP address", number("79997775533@evil"), bridge.RefusedNumber},
		{"a SIP URI", number("sip:79997775533@evil"), bridge.RefusedNumber},
		{"a tel URI", number("tel:+79997775533"), bridge.RefusedNumber},
		{"a number with an extension", number("79997775533;ext=5"), bridge.RefusedNumber},
		{"two numbers", number("79997775533/79997775534"), bridge.RefusedNumber},
		{"a second plus", number("+7999+7775533"), bridge.RefusedNumber},
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
	x.wantRequests()
	x.wantReports("c1")
}

func TestNumbersAreDialledNormalised(t *testing.T) {
	for _, written := range []string{"79997775533", "+7 (999) 777-55-33", "8 999 777 55 33", "8.999.777-55-33"} {
		x := newRig(t)
		command := toClient("c1", "u101")
		command.ClientPhone = written
		x.must(x.Call(t.Context(), command))
		x.sw.pickUp("kontur-ari~c1.1")
		x.flush()
		x.Close()
		if got := x.sw.channels["kontur-ari~c1.1"].dialled; got != "79997775533" {
			t.Errorf("%q: dialled is %q", written, got)
		}
	}
}

func TestAColleagueIsDialledByExtension(t *testing.T) {
	x := newRig(t)
	x.must(x.Call(t.Context(), bridge.CallCommand{CommunicationID: "c1", FromUserID: "u101", ToUserID: "u102", ClientPhone: "79997775533"}))
	x.sw.pickUp("kontur-ari~c1.1")
	x.flush()
	x.Close()
	if got := x.sw.channels["kontur-ari~c1.1"].dialled; got != "102" {
		t.Errorf("dialled is %q", got)
	}
}

func TestAUserHasLimits(t *testing.T) {
	x := newRig(t)
	call := func(communication string) bridge.RefusalStatus {
		return refusedWith(x.Call(t.Context(), toClient(communication, "u101")))
	}
	for _, communication := range []string{"c1", "c2"} {
		if got := call(communication); got != "" {
			t.Fatalf("%s is refused: %s", communication, got)
		}
	}
	if got := call("c3"); got != bridge.RefusedRate {
		t.Errorf("a third at a time: %q", got)
	}
	if got := refusedWith(x.Call(t.Context(), toClient("c4", "u102"))); got != "" {
		t.Errorf("another user's: %q", got)
	}
	x.must(x.sw.Hangup(t.Context(), "kontur-ari~c1.1", 16))
	x.must(x.sw.Hangup(t.Context(), "kontur-ari~c2.1", 16))
	x.flush()
	if got := call("c5"); got != "" {
		t.Errorf("a third in a minute, when the others are over: %q", got)
	}
	if got := call("c6"); got != bridge.RefusedRate {
		t.Errorf("a fourth in a minute: %q", got)
	}
}

func TestAThousandClickToCallsAtOnce(t *testing.T) {
	x := newRig(t)
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
	if requests := len(x.sw.history()); requests != 4 {
		t.Errorf("the switch got %d requests, want 4", requests)
	}
}

// overtaken gives the Tracker another command of the same user just before each.
type overtaken struct {
	*intake.Intake
	other bridge.ClickToCall
}

func (o overtaken) GiveClick(ctx context.Context, event bridge.Event) (bridge.ClickDecision, error) {
	if decision, err := o.Intake.GiveClick(ctx, bridge.NewClickToCallEvent(o.other, 1, event.Time)); decision != bridge.ClickAccepted {
		return decision, err
	}
	return o.Intake.GiveClick(ctx, event)
}

// Two commands of one user may both find room. The Tracker accepts the first only, and the
// second may be repeated later.
func TestOfTwoCommandsAtTheSameTimeOneIsTooMany(t *testing.T) {
	x := newRig(t, func(config *commander.Config) { config.AtOnce = 1 })
	other := bridge.ClickToCall{Application: "kontur-ari", CommunicationID: "c1", From: "u101", Number: "79997775533"}
	c := commander.New(x.config, overtaken{x.intake, other}, x.db, x.sw, zaptest.NewLogger(t))
	defer c.Close()
	if got := refusedWith(c.Call(t.Context(), toClient("c2", "u101"))); got != bridge.RefusedRate {
		t.Errorf("refused with %q", got)
	}
	x.wantRequests()
	refusal := &bridge.Refusal{Status: bridge.RefusedSwitch}
	x.must(x.intake.Give(t.Context(), bridge.NewClickRefusedEvent(other, refusal, true, time.Now())))
	x.must(x.Call(t.Context(), toClient("c2", "u101")))
	x.wantRequests("create c2.1", "ring c2.1")
}
