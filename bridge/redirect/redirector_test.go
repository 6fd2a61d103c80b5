package redirect_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"kontur-ari/bridge"
	"kontur-ari/bridge/redirect"
)

const client = "+7 (999) 777-55-33"

var toAnna = map[string]string{"KONTUR_USER": "anna", "KONTUR_EXTEN": "101", "KONTUR_RESULT": "FOUND"}

func only(result redirect.Result) map[string]string {
	return map[string]string{"KONTUR_RESULT": string(result)}
}

func TestACallerIsHandedToTheFirstFreeUser(t *testing.T) {
	for name, test := range map[string]struct {
		crm    func(context.Context, redirect.Query) ([]string, error)
		states map[string]redirect.PhoneState
		want   map[string]string
	}{
		"found": {names("anna"), map[string]redirect.PhoneState{"PJSIP/101": redirect.PhoneFree}, toAnna},
		"the second": {
			names("anna", "boris"), map[string]redirect.PhoneState{"PJSIP/101": redirect.PhoneBusy, "PJSIP/102": redirect.PhoneFree},
			map[string]string{"KONTUR_USER": "boris", "KONTUR_EXTEN": "102", "KONTUR_RESULT": "FOUND"},
		},
		"busy":    {names("anna", "boris"), map[string]redirect.PhoneState{"PJSIP/101": redirect.PhoneBusy}, only(redirect.Busy)},
		"offline": {names("anna", "boris"), nil, only(redirect.Offline)},
		"no user": {names(), nil, only(redirect.Nobody)},
		"unknown": {names("stranger"), nil, only(redirect.Nobody)},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, e *rig) {
				e.crm, e.phone = test.crm, phones(test.states)
				e.enters("1.1", client)
				e.has("1.1", 0, test.want)
				if diff := cmp.Diff([]redirect.Query{{PhoneNumber: "79997775533"}}, e.questions()); diff != "" {
					t.Error(diff)
				}
				result := redirect.Result(test.want["KONTUR_RESULT"])
				if stats := e.r.Stats(); stats.Results[result] != 1 || stats.Underway != 0 || stats.Circuit != "closed" {
					t.Errorf("%+v", stats)
				}
				if e.logged("a caller was asked about") != 1 || e.logged("trouble with redirecting callers") != 0 {
					t.Error(e.log.All())
				}
			})
		})
	}
}

// A caller without a number is asked about by the call's id, if the CRM knows it.
func TestAHiddenCallerIsAskedAboutByTheCall(t *testing.T) {
	play(t, func(t *testing.T, e *rig) {
		e.identity["1.2"] = bridge.Identity{ExternalID: "Asterisk/1.2", CommunicationID: "c"}
		e.enters("1.1", "anonymous")
		e.has("1.1", 0, only(redirect.Nobody))
		e.enters("1.2", "")
		e.has("1.2", 0, toAnna)
		e.enters("1.3", "102")
		e.has("1.3", 0, only(redirect.Nobody))
		want := []redirect.Query{{Call: "1.2"}}
		if diff := cmp.Diff(want, e.questions()); diff != "" {
			t.Error(diff)
		}
	})
}

// Whatever hangs, the caller goes on in time. The reason is set as long as Asterisk takes
// variables.
func TestACallerGoesOnInTimeWhateverHangs(t *testing.T) {
	for name, test := range map[string]struct {
		spoil func(*rig)
		after time.Duration
		want  map[string]string
	}{
		"the CRM": {func(e *rig) {
			e.crm = func(ctx context.Context, _ redirect.Query) ([]string, error) { return nil, hang(ctx) }
		}, budget - 300*time.Millisecond, only(redirect.TimedOut)},
		"the telephones": {func(e *rig) {
			e.phone = func(ctx context.Context, _ string) (redirect.PhoneState, error) {
				return redirect.PhoneUnread, hang(ctx)
			}
		}, budget - 300*time.Millisecond, only(redirect.TimedOut)},
		"setting variables": {func(e *rig) {
			e.set = func(ctx context.Context, _ int) error { return hang(ctx) }
		}, budget - 100*time.Millisecond, nil},
		"setting the last variable": {func(e *rig) {
			e.set = func(ctx context.Context, try int) error {
				if try == 2 {
					return hang(ctx)
				}
				return nil
			}
		}, budget - 100*time.Millisecond, map[string]string{"KONTUR_USER": "anna", "KONTUR_EXTEN": "101"}},
		"the CRM, then setting variables": {func(e *rig) {
			e.crm = func(ctx context.Context, _ redirect.Query) ([]string, error) { return nil, hang(ctx) }
			e.set = func(ctx context.Context, _ int) error { return hang(ctx) }
		}, budget - 100*time.Millisecond, nil},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, func(t *testing.T, e *rig) {
				test.spoil(e)
				e.enters("1.1", client)
				e.has("1.1", test.after, test.want)
			})
		})
	}
}

func TestOneUnreadPhoneDoesNotHideAFreeOne(t *testing.T) {
	play(t, func(t *testing.T, e *rig) {
		e.crm = names("boris", "anna")
		e.phone = func(_ context.Context, endpoint string) (redirect.PhoneState, error) {
			if endpoint == "PJSIP/102" {
				return redirect.PhoneUnread, errors.New("500")
			}
			return redirect.PhoneFree, nil
		}
		e.enters("1.1", client)
		e.has("1.1", 0, toAnna)
		if e.logged("trouble with redirecting callers") != 1 {
			t.Error("it is not logged that a telephone can't be looked at")
		}
	})
}

// Time for the result is left even when the CRM uses up its own.
func TestALateCallerGetsTheResultAsWell(t *testing.T) {
	play(t, func(t *testing.T, e *rig) {
		e.crm = func(ctx context.Context, _ redirect.Query) ([]string, error) {
			time.Sleep(2 * time.Second) // a CRM's client that has not kept its promise
			return nil, ctx.Err()
		}
		e.set = func(ctx context.Context, _ int) error {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(100 * time.Millisecond):
				return nil
			}
		}
		e.enters("1.1", client)
		e.has("1.1", 2100*time.Millisecond, only(redirect.TimedOut))
	})
}

// A dead CRM costs a few callers their time, and the others nothing.
func TestADeadCRMCostsCallersNothing(t *testing.T) {
	play(t, func(t *testing.T, e *rig) {
		well := false
		e.crm = func(ctx context.Context, _ redirect.Query) ([]string, error) {
			if well {
				return []string{"anna"}, nil
			}
			return nil, errors.New("HTTP 503")
		}
		for i := range 20 {
			channel := bridge.ChannelID(fmt.Sprintf("1.%d", i))
			e.enters(channel, client)
			if i < 5 {
				e.has(channel, 0, only(redirect.Failed))
			} else {
				e.has(channel, 0, only(redirect.CircuitOpen))
			}
		}
		if asked := len(e.questions()); asked != 5 || e.r.Stats().Circuit != "open" {
			t.Errorf("asked %d times, the circuit is %s", asked, e.r.Stats().Circuit)
		}
		// The first probe finds the CRM still dead, the next one finds it well.
		time.Sleep(10*time.Second + time.Millisecond)
		e.enters("2.1", client)
		e.has("2.1", 0, only(redirect.Failed))
		e.enters("2.2", client)
		e.has("2.2", 0, only(redirect.CircuitOpen))
		well = true
		time.Sleep(10*time.Second + time.Millisecond)
		e.enters("2.3", client)
		e.has("2.3", 0, toAnna)
		e.enters("2.4", client)
		e.has("2.4", 0, toAnna)
		for message, times := range map[string]int{
			"trouble with redirecting callers": 1, "callers are redirected again": 1,
			"the CRM is not asked for responsible users: it has failed again and again": 2,
			"the CRM is asked for responsible users again":                              1,
		} {
			if got := e.logged(message); got != times {
				t.Errorf("%q: %d lines, want %d", message, got, times)
			}
		}
	})
}

// An answer without a user is a success for the circuit breaker.
func TestAnAnswerWithoutAUserDoesNotOpenTheCircuit(t *testing.T) {
	play(t, func(t *testing.T, e *rig) {
		e.crm = names()
		for i := range 20 {
			e.enters(bridge.ChannelID(fmt.Sprintf("1.%d", i)), client)
		}
		if asked := len(e.questions()); asked != 20 || e.r.Stats().Circuit != "closed" {
			t.Errorf("asked %d times, the circuit is %s", asked, e.r.Stats().Circuit)
		}
	})
}

func TestMoreThanAHundredCallersGoOnUnasked(t *testing.T) {
	play(t, func(t *testing.T, e *rig) {
		answer := make(chan struct{})
		e.crm = func(ctx context.Context, _ redirect.Query) ([]string, error) {
			select {
			case <-answer:
				return []string{"anna"}, nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		for i := range 100 {
			e.r.Enter(redirect.Caller{Channel: bridge.ChannelID(fmt.Sprintf("1.%d", i)), Number: client, Arguments: []string{"redirect"}})
		}
		synctest.Wait()
		e.enters("2.1", client)
		e.has("2.1", 0, only(redirect.Overload))
		close(answer)
		synctest.Wait()
		if stats := e.r.Stats(); stats.Results[redirect.Found] != 100 || stats.Results[redirect.Overload] != 1 {
			t.Errorf("%+v", stats)
		}
	})
}

// Two events of one channel make one question. A channel that enters again later makes
// another one.
func TestACallerIsServedOnceAtATime(t *testing.T) {
	play(t, func(t *testing.T, e *rig) {
		e.crm = func(ctx context.Context, _ redirect.Query) ([]string, error) {
			time.Sleep(time.Second)
			return []string{"anna"}, nil
		}
		caller := redirect.Caller{Channel: "1.1", Number: client, Arguments: []string{"redirect"}}
		e.r.Enter(caller)
		e.r.Enter(caller)
		e.enters("1.1", client)
		e.mu.Lock()
		delete(e.went, "1.1")
		e.mu.Unlock()
		e.enters("1.1", client)
		if asked := len(e.questions()); asked != 2 {
			t.Errorf("asked %d times", asked)
		}
	})
}

func TestOthersChannelsGoOnUntouched(t *testing.T) {
	play(t, func(t *testing.T, e *rig) {
		for i, arguments := range [][]string{nil, nil, {"ivr"}, {"ivr"}, {"redirect", "now", "please"}, {"redirect", "a context"}, {"redirect", ""}} {
			channel := bridge.ChannelID(fmt.Sprintf("1.%d", i))
			e.r.Enter(redirect.Caller{Channel: channel, Number: client, Arguments: arguments})
			synctest.Wait()
			e.has(channel, 0, nil)
		}
		if lines := e.logged("the dial plan sends channels here with arguments that mean nothing; write Stasis(kontur-ari,redirect)"); lines != 5 {
			t.Errorf("%d lines", lines)
		}
		if stats := e.r.Stats(); stats.Dismissed != 7 || len(stats.Results) != 0 || len(e.questions()) != 0 {
			t.Errorf("%+v", stats)
		}
	})
}
