package redirect_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"kontur-ari/bridge"
	"kontur-ari/bridge/redirect"
)

// A request to go on without an answer is repeated. If the second one finds the channel gone,
// that is no failure.
func TestGoingOnIsTriedAgain(t *testing.T) {
	play(t, func(t *testing.T, e *rig) {
		var tries atomic.Int32
		e.cont = func(ctx context.Context, _ int) error {
			if tries.Add(1) < 3 {
				return hang(ctx)
			}
			return nil
		}
		e.enters("1.1", client)
		e.has("1.1", 2400*time.Millisecond, toAnna)
		if stats := e.r.Stats(); stats.Stuck != 0 || stats.Gone != 0 {
			t.Errorf("%+v", stats)
		}
	})
}

// The first request arrives, and its answer is lost.
func TestGoingOnWithoutAnAnswerIsGoingOn(t *testing.T) {
	play(t, func(t *testing.T, e *rig) {
		var tries atomic.Int32
		e.cont = func(ctx context.Context, _ int) error {
			if tries.Add(1) > 1 {
				return nil
			}
			e.mu.Lock()
			e.went["1.1"] = 0
			e.mu.Unlock()
			return hang(ctx)
		}
		e.enters("1.1", client)
		time.Sleep(time.Minute)
		synctest.Wait()
		if stats := e.r.Stats(); tries.Load() != 2 || stats.Gone != 0 || stats.Stuck != 0 {
			t.Errorf("%d tries, %+v", tries.Load(), stats)
		}
	})
}

func TestACallerWhoCannotGoOnIsLogged(t *testing.T) {
	play(t, func(t *testing.T, e *rig) {
		e.cont = func(context.Context, int) error { return errors.New("500") }
		e.r.Enter(redirect.Caller{Channel: "1.1", Number: client, Arguments: []string{"redirect"}})
		time.Sleep(time.Minute)
		synctest.Wait()
		if stats := e.r.Stats(); stats.Stuck != 1 || stats.Underway != 0 {
			t.Errorf("%+v", stats)
		}
		if e.logged("a caller can't be told to go on, and hears nothing until Asterisk answers again") != 1 {
			t.Error(e.log.All())
		}
	})
}

func TestACallerWhoHangsUpIsGone(t *testing.T) {
	play(t, func(t *testing.T, e *rig) {
		e.set = func(context.Context, int) error { return redirect.ErrGone }
		e.cont = func(context.Context, int) error { return redirect.ErrGone }
		e.r.Enter(redirect.Caller{Channel: "1.1", Number: client, Arguments: []string{"redirect"}})
		synctest.Wait()
		if stats := e.r.Stats(); stats.Gone != 1 || stats.Bare != 0 || stats.Stuck != 0 {
			t.Errorf("%+v", stats)
		}
	})
}

// A caller who has waited for an unknown time continues at once.
func TestAFoundCallerGoesOnAtOnce(t *testing.T) {
	play(t, func(t *testing.T, e *rig) {
		e.r.Enter(redirect.Caller{Channel: "1.1", Number: client, Arguments: []string{"redirect"}, Found: true})
		synctest.Wait()
		e.has("1.1", 0, only(redirect.Failed))
		if len(e.questions()) != 0 {
			t.Error("the CRM was asked")
		}
	})
}

func TestAStopLetsEveryCallerGoOn(t *testing.T) {
	play(t, func(t *testing.T, e *rig) {
		e.crm = func(ctx context.Context, _ redirect.Query) ([]string, error) { return nil, hang(ctx) }
		e.waiting = []redirect.Caller{{Channel: "1.2", Number: client, Arguments: []string{"redirect"}}}
		for _, channel := range []bridge.ChannelID{"1.1", "1.4", "1.5", "1.6", "1.7", "1.8"} {
			e.r.Enter(redirect.Caller{Channel: channel, Number: client, Arguments: []string{"redirect"}})
		}
		synctest.Wait()
		if err := e.r.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		e.has("1.1", 0, only(redirect.Failed))
		e.has("1.2", 0, only(redirect.Failed))
		e.r.Enter(redirect.Caller{Channel: "1.3", Number: client, Arguments: []string{"redirect"}})
		synctest.Wait()
		if _, went := e.went["1.3"]; went {
			t.Error("a caller was served after the stop")
		}
		if e.r.Stats().Circuit != "closed" {
			t.Error("a stop counts against the CRM")
		}
	})
}

// With a context, the dial plan goes on at the extension that was found, and otherwise behind
// Stasis. No variable is set: Asterisk would refuse DB() from then on.
func TestADialPlanWithAContextGoesOnThere(t *testing.T) {
	for name, test := range map[string]struct {
		crm    func(context.Context, redirect.Query) ([]string, error)
		states map[string]redirect.PhoneState
		result redirect.Result
		at     string
	}{
		"found":   {names("anna"), map[string]redirect.PhoneState{"PJSIP/101": redirect.PhoneFree}, redirect.Found, "kontur-responsible 101"},
		"busy":    {names("anna"), map[string]redirect.PhoneState{"PJSIP/101": redirect.PhoneBusy}, redirect.Busy, ""},
		"offline": {names("anna"), nil, redirect.Offline, ""},
		"no user": {names(), nil, redirect.Nobody, ""},
		"error": {func(context.Context, redirect.Query) ([]string, error) { return nil, errors.New("HTTP 503") }, nil,
			redirect.Failed, ""},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, e *rig) {
				e.crm, e.phone = test.crm, phones(test.states)
				e.entersWith("1.1", client, "redirect", "kontur-responsible")
				e.has("1.1", 0, nil)
				if at := e.at["1.1"]; at != test.at {
					t.Errorf("went on at %q, want %q", at, test.at)
				}
				if stats := e.r.Stats(); stats.Results[test.result] != 1 || stats.Bare != 0 || stats.Dismissed != 0 {
					t.Errorf("%+v", stats)
				}
			})
		})
	}
}

// A request to go on at an extension is repeated like one to go on behind Stasis.
func TestGoingOnAtAnExtensionIsTriedAgain(t *testing.T) {
	play(t, func(t *testing.T, e *rig) {
		var tries atomic.Int32
		e.cont = func(context.Context, int) error {
			if tries.Add(1) < 3 {
				return errors.New("500")
			}
			return nil
		}
		e.entersWith("1.1", client, "redirect", "kontur-responsible")
		e.has("1.1", 400*time.Millisecond, nil)
		if at := e.at["1.1"]; at != "kontur-responsible 101" {
			t.Errorf("went on at %q", at)
		}
	})
}

// Setting variables makes Asterisk refuse functions to the dial plan. The log says so once.
func TestADialPlanThatReadsVariablesIsNamedOnce(t *testing.T) {
	play(t, func(t *testing.T, e *rig) {
		e.enters("1.1", client)
		e.enters("1.2", client)
		const line = "the dial plan reads variables, behind which Asterisk refuses it DB(); Stasis(kontur-ari,redirect,CONTEXT) has no such effect"
		if lines := e.logged(line); lines != 1 {
			t.Errorf("%d lines", lines)
		}
	})
}
