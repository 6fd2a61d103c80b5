package e2e_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"kontur-ari/crm/crmtest"
	"kontur-ari/e2e/lab"
	"kontur-ari/e2e/phone"
)

// A phone that is picked up while kontur-ari is away dials once kontur-ari is back.
func TestAPhonePickedUpWhileTheDaemonIsAwayDialsLater(t *testing.T) {
	t.Run("the line is cut", func(t *testing.T) {
		g := newGapped(t)
		g.order(g.command("101"))
		own := g.rings("101")
		g.awaitLine("101>client appeared")
		g.cut()
		g.must(own.Answer(g.ctx))
		g.mend()
		client := g.reachesTrunk(g.client)
		g.must(client.Ring())
		g.answers(client, "101", "trunk")
		g.hangsUp(own, client)
		g.expect(answeredLeg(ordered, "101>client"))
	})
	t.Run("the daemon is dead", func(t *testing.T) {
		d := newDeployment(t)
		d.order(d.command("101"))
		own := d.rings("101")
		d.awaitLine("101>client appeared")
		d.repeats++
		d.must(d.daemon.Kill())
		d.must(own.Answer(d.ctx))
		d.must(d.daemon.Start(d.ctx))
		client := d.reachesTrunk(d.client)
		d.must(client.Ring())
		d.answers(client, "101", "trunk")
		d.hangsUp(own, client)
		d.expect(answeredLeg(ordered, "101>client"))
	})
}

// A phone that has dialled still waits in Stasis, for a redirect. It does not dial again when
// kontur-ari reconnects to Asterisk.
func TestAPhoneThatWaitsAfterwardsDialsOnce(t *testing.T) {
	var line *relay
	d, questions := asksResponsible(t, silent, func(config *lab.DaemonConfig) {
		line = startRelay(t, config.Lab)
		config.URL = line.url()
	})
	g := &gapped{deployment: d, line: line}
	d.client = "7998" + d.client[4:]
	d.order(d.command("101"))
	own := d.rings("101")
	d.must(d.dialsOn(own).Reject(486))
	d.awaitAsked(questions, 1)
	g.cut()
	g.mend()
	d.ends(own)
	d.expect(missedLeg(ordered, "101>client"))
	if invitations := d.invitations("trunk"); invitations != 1 {
		t.Errorf("the client was called %d times", invitations)
	}
}

// A command that waits for a hanging Asterisk doesn't delay a stop. When Asterisk goes on,
// no phone rings, and the CRM receives call-failed.
func TestAStopDoesNotWaitForACommand(t *testing.T) {
	var application string
	d := newDeployment(t, func(config *lab.DaemonConfig) { application = config.Application })
	d.must(d.Freeze())
	t.Cleanup(func() { d.must(d.Thaw()) })
	body := d.command("101")
	over := make(chan struct{})
	go func() {
		defer close(over)
		// The stop may close the connection of the command.
		_, _ = d.crm.System(d.daemon.Commands).Call(d.ctx, body)
	}()
	d.awaitOrdered(application + "~" + body.CommunicationID + ".1")
	// shutdown_timeout is 10 s.
	stopping, cancel := context.WithTimeout(d.ctx, 15*time.Second)
	defer cancel()
	code, err := d.daemon.Terminate(stopping)
	d.must(err)
	<-over
	t.Logf("it ended with code %d", code)
	d.must(d.Thaw())
	d.must(d.daemon.Start(d.ctx))
	d.expect([]string{"call-failed"})
	if invitations := d.invitations("101"); invitations != 0 {
		t.Errorf("101 was called %d times", invitations)
	}
}

// awaitOrdered waits until the journal holds the order of a call.
func (d *deployment) awaitOrdered(call string) {
	d.Helper()
	for {
		var ladder strings.Builder
		if err := d.daemon.Ladder(d.ctx, &ladder, call); err == nil && strings.Contains(ladder.String(), "CALL for user") {
			return
		}
		d.must(d.pause(pollEvery))
	}
}

// A daemon that dies at any moment of an order rings no phone twice. The CRM repeats the
// order and receives its outcome.
func TestAnOrderSurvivesACrash(t *testing.T) {
	random := moments(t)
	for i := range 8 {
		moment := random.IntN(60)
		t.Run(fmt.Sprintf("%02d", i), func(t *testing.T) {
			d := newDeployment(t)
			body := d.command("101")
			back := d.crashAfter(time.Duration(moment) * time.Millisecond)
			// The answer may be lost.
			_, _ = d.crm.System(d.daemon.Commands).Call(d.ctx, body)
			d.must(back())
			answer, err := d.crm.System(d.daemon.Commands).Call(d.ctx, body)
			d.must(err)
			if !answer.Taken() && answer.Status != "switchUnavailable" {
				t.Fatalf("asked again, it is answered with %d %s", answer.Code, answer.Body)
			}
			t.Logf("killed after %d ms, then answered with %d", moment, answer.Code)
			d.seeOrderThrough()
			if invitations := d.invitations("101"); invitations > 1 {
				t.Errorf("the phone was called %d times", invitations)
			}
		})
	}
}

// seeOrderThrough answers 101's phone if it rings. Either way the CRM must receive the
// call to its end.
func (d *deployment) seeOrderThrough() {
	d.Helper()
	failed := make(chan error, 1)
	waiting, stop := context.WithCancel(d.ctx)
	defer stop()
	go func() {
		failed <- d.crm.WaitFor(waiting, func(crm *crmtest.CRM) bool {
			calls := crm.Calls()
			return len(calls) > 0 && calls[0].Failed
		})
	}()
	rung := make(chan *phone.Call, 1)
	go func() {
		if call, err := d.phone("101").AwaitCall(waiting, ""); err == nil {
			rung <- call
		}
	}()
	select {
	case own := <-rung:
		d.must(own.Ring())
		client := d.dialsOn(own)
		d.answers(client, "101", "trunk")
		d.hangsUp(own, client)
		d.expect(answeredLeg(ordered, "101>client"))
	case err := <-failed:
		d.must(err)
		d.expect([]string{"call-failed"})
	}
}
