package e2e_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"kontur-ari/e2e/lab"
	"kontur-ari/e2e/phone"
)

const (
	// asking describes a call to the number whose dial plan asks for the responsible user.
	asking = "inbound client at 78005550150"
	// pollEvery is the pause between two looks at a condition.
	pollEvery = 10 * time.Millisecond
	// redirectBudget is how long kontur-ari lets a caller wait, by default. redirectLimit is
	// the limit in the dial plan.
	redirectBudget, redirectLimit = 1500 * time.Millisecond, 3 * time.Second
	// slack is what a busy machine may add to a time.
	slack = 2 * time.Second
)

// A redirected call has the story of any other: Stasis leaves no trace in it.
func TestRedirectFindsTheResponsible(t *testing.T) {
	d, questions := asksResponsible(t, names("106", "101", "103"))
	caller := d.comesIn("78005550150")
	callee := d.rings("101")
	d.awaitRedirected("FOUND " + lab.UserID("101") + " 101 SUCCESS")
	if asked := d.awaitAsked(questions, 1); asked.Encode() != "phoneNumber="+d.client {
		t.Errorf("the CRM was asked for %s", asked.Encode())
	}
	d.picksUp(callee, caller)
	d.hangsUp(caller, callee)
	d.expect(answeredLeg(asking, "client>101"))
}

// The call goes to the fallback, with the reason, where the responsible user can't be called
// or the CRM doesn't answer.
func TestRedirectFallsBack(t *testing.T) {
	for _, test := range []struct {
		name   string
		answer answering
		result string
	}{
		{"NumberUnknown", unknownNumber, "NOBODY"},
		{"NoUserNamed", namesAnyhow(), "NOBODY"},
		{"NotInTheDirectory", names("199"), "NOBODY"},
		{"Offline", names("106"), "OFFLINE"},
		{"CRMDown", unavailable, "ERROR"},
		{"CRMSlow", silent, "TIMEOUT"},
	} {
		t.Run(test.name, func(t *testing.T) {
			d, _ := asksResponsible(t, test.answer)
			began := time.Now()
			caller := d.comesIn("78005550150")
			callee := d.rings("102")
			if waited := time.Since(began); waited > redirectBudget+slack {
				t.Errorf("the caller waited for %s", waited)
			}
			d.awaitRedirected(test.result + " SUCCESS")
			d.picksUp(callee, caller)
			d.hangsUp(callee, caller)
			d.expect(answeredLeg(asking, "client>102"))
		})
	}
}

// As on FreePBX, the dial plan reads its database after the redirect. Asterisk must allow
// it, both for the user found and for the fallback.
func TestRedirectLeavesTheDatabaseToTheDialplan(t *testing.T) {
	for _, test := range []struct {
		name, callee string
		answer       answering
	}{{"Found", "101", names("101")}, {"Fallback", "102", unknownNumber}} {
		t.Run(test.name, func(t *testing.T) {
			d, _ := asksResponsible(t, test.answer)
			caller := d.comesIn("78005550153")
			callee := d.rings(test.callee)
			d.picksUp(callee, caller)
			d.hangsUp(caller, callee)
			d.expect(answeredLeg("inbound client at 78005550153", "client>"+test.callee))
		})
	}
}

func TestRedirectPassesOverABusyPhone(t *testing.T) {
	d, _ := asksResponsible(t, names("101"), withoutInternal)
	talking := d.dials("101", "103")
	talked := d.rings("103")
	d.picksUp(talked, talking)
	caller := d.comesIn("78005550150")
	callee := d.rings("102")
	d.awaitRedirected("BUSY SUCCESS")
	d.picksUp(callee, caller)
	d.hangsUp(caller, callee)
	d.hangsUp(talking, talked)
	d.expect(answeredLeg(asking, "client>102"))
}

// After five failed questions kontur-ari asks a CRM that is down no more.
func TestRedirectLeavesADeadCRMInPeace(t *testing.T) {
	d, questions := asksResponsible(t, unavailable)
	var stories [][]string
	for i := range 5 {
		number := fmt.Sprintf("7495000000%d", i)
		caller := d.comesInAs(phone.As(number, "78005550150"))
		callee := d.rings("102")
		d.must(caller.AwaitRinging(d.ctx))
		d.hangsUp(caller, callee)
		stories = append(stories, missedLeg("inbound "+number+" at 78005550150", "client>102"))
	}
	caller := d.comesIn("78005550150")
	callee := d.rings("102")
	d.awaitRedirected("CIRCUIT SUCCESS")
	d.picksUp(callee, caller)
	d.hangsUp(caller, callee)
	d.expect(append(stories, answeredLeg(asking, "client>102"))...)
	if times := questions.times(); times != 5 {
		t.Errorf("the CRM was asked %d times", times)
	}
}

// Where the caller hides his number, kontur-ari asks the CRM by the call's id.
func TestRedirectAsksByTheCallForAHiddenNumber(t *testing.T) {
	d, questions := asksResponsible(t, namesAnyhow("101"))
	caller := d.comesInAs(phone.As("", "78005550152"))
	callee := d.rings("101")
	if asked := d.awaitAsked(questions, 1).Get("externalId"); asked == "" || strings.Contains(asked, "/") {
		t.Errorf("the CRM was asked for the call %q", asked)
	}
	d.picksUp(callee, caller)
	d.hangsUp(caller, callee)
	d.expect(answeredLeg("inbound anonymous at 78005550152", "client>101"))
}

func TestRedirectIsGivenUpByTheCaller(t *testing.T) {
	d, questions := asksResponsible(t, silent)
	caller := d.comesIn("78005550150")
	d.awaitAsked(questions, 1)
	d.must(caller.Hangup(d.ctx))
	d.expect([]string{"call-started " + asking, "call-finished", "register-call client>somebody missed"})
}

// Without a daemon the dial plan continues at once.
func TestRedirectWithoutADaemon(t *testing.T) {
	d, _ := asksResponsible(t, names("101"))
	if code, err := d.daemon.Terminate(d.ctx); code != 0 || err != nil {
		t.Fatalf("code %d, %v", code, err)
	}
	began := time.Now()
	caller := d.comesIn("78005550150")
	callee := d.rings("102")
	if waited := time.Since(began); waited > slack {
		t.Errorf("the caller waited for %s", waited)
	}
	d.awaitRedirected("- FAILED")
	d.must(d.daemon.Start(d.ctx))
	d.picksUp(callee, caller)
	d.hangsUp(caller, callee)
	d.expect(answeredLeg(asking, "client>102"))
}

// A daemon that receives SIGTERM sends the caller back to the dial plan before it exits.
func TestRedirectOfAStoppedDaemonGoesOn(t *testing.T) {
	d, questions := asksResponsible(t, silent)
	caller := d.comesIn("78005550151")
	d.awaitAsked(questions, 1)
	began := time.Now()
	if code, err := d.daemon.Terminate(d.ctx); code != 0 || err != nil {
		t.Fatalf("code %d, %v", code, err)
	}
	callee := d.rings("102")
	if waited := time.Since(began); waited > redirectBudget+slack {
		t.Errorf("the caller waited for %s", waited)
	}
	d.awaitRedirected("ERROR SUCCESS")
	d.must(d.daemon.Start(d.ctx))
	d.picksUp(callee, caller)
	d.hangsUp(caller, callee)
	d.expect(answeredLeg("inbound client at 78005550151", "client>102"))
}

// A killed daemon leaves the caller waiting in Stasis. The next daemon sends him back to the
// dial plan.
func TestRedirectOfAKilledDaemonIsEndedByTheNext(t *testing.T) {
	d, questions := asksResponsible(t, silent)
	caller := d.comesIn("78005550151")
	d.awaitAsked(questions, 1)
	d.repeats++
	d.must(d.daemon.Kill())
	d.must(d.AwaitRunning(d.ctx, "Stasis"))
	d.must(d.daemon.Start(d.ctx))
	callee := d.rings("102")
	d.awaitRedirected("ERROR SUCCESS")
	d.picksUp(callee, caller)
	d.hangsUp(caller, callee)
	d.expect(answeredLeg("inbound client at 78005550151", "client>102"))
}

// Where no next daemon starts, the limit in the dial plan ends the wait.
func TestRedirectOfAKilledDaemonIsEndedByTheDialplan(t *testing.T) {
	d, questions := asksResponsible(t, silent)
	began := time.Now()
	caller := d.comesIn("78005550150")
	d.awaitAsked(questions, 1)
	d.repeats++
	d.must(d.daemon.Kill())
	callee := d.rings("102")
	if waited := time.Since(began); waited > redirectLimit+slack {
		t.Errorf("the caller waited for %s", waited)
	}
	d.awaitRedirected("- SUCCESS")
	d.must(d.daemon.Start(d.ctx))
	d.picksUp(callee, caller)
	d.hangsUp(caller, callee)
	d.expect(answeredLeg(asking, "client>102"))
}

// The line to Asterisk is cut while kontur-ari asks the CRM. After it is mended, the caller
// goes back to the dial plan.
func TestRedirectOverABrokenLine(t *testing.T) {
	var line *relay
	d, questions := asksResponsible(t, silent, func(config *lab.DaemonConfig) {
		line = startRelay(t, config.Lab)
		config.URL = line.url()
	})
	caller := d.comesIn("78005550151")
	d.awaitAsked(questions, 1)
	line.cut()
	// Wait until every attempt to send him back has failed.
	d.awaitDaemonLogged("a caller can't be told to go on")
	line.mend()
	callee := d.rings("102")
	d.awaitRedirected("ERROR SUCCESS")
	d.picksUp(callee, caller)
	d.hangsUp(caller, callee)
	d.expect(answeredLeg("inbound client at 78005550151", "client>102"))
}

// awaitDaemonLogged waits until kontur-ari has logged a text.
func (d *deployment) awaitDaemonLogged(text string) {
	d.Helper()
	for !strings.Contains(d.daemon.Log(), text) {
		d.must(d.pause(pollEvery))
	}
}
