package e2e_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"kontur-ari/crm/crmtest"
	"kontur-ari/e2e/lab"
	"kontur-ari/e2e/phone"
)

// clickToCallGiven is how the CRM is told of the calls that it has ordered itself: which of our
// numbers the client sees is not known before he is dialled.
const ordered = "outbound client from "

// command is a CALL of the CRM, by the user of an extension.
func (d *deployment) command(extension string) crmtest.CallBody {
	return crmtest.CallBody{CommunicationID: uuid.NewString(), FromUserID: lab.UserID(extension), ClientPhone: d.client}
}

// order has the CRM give a command, and wants it taken.
func (d *deployment) order(body crmtest.CallBody) {
	d.Helper()
	answer, err := d.crm.System(d.daemon.Commands).Call(d.ctx, body)
	d.must(err)
	if !answer.Taken() || strings.TrimSpace(string(answer.Body)) != `"OK"` {
		d.Fatalf("CALL is answered with %d %s", answer.Code, answer.Body)
	}
}

// orderRefused has the CRM give a command, and wants it refused like that.
func (d *deployment) orderRefused(body crmtest.CallBody, status string) {
	d.Helper()
	answer, err := d.crm.System(d.daemon.Commands).Call(d.ctx, body)
	d.must(err)
	if answer.Code != http.StatusConflict || answer.Status != status || answer.Message == "" || !answer.Echoed {
		d.Errorf("CALL is answered with %d %s, not with 409 %s", answer.Code, answer.Body, status)
	}
}

// hangup has the CRM hang up, and gives the status of its refusal: "" when it was
// obeyed.
func (d *deployment) hangup(communication string, body crmtest.HangupBody) string {
	d.Helper()
	answer, err := d.crm.System(d.daemon.Commands).Hangup(d.ctx, communication, body)
	d.must(err)
	if !answer.Taken() && answer.Code != http.StatusConflict {
		d.Errorf("HANGUP is answered with %d %s", answer.Code, answer.Body)
	}
	return answer.Status
}

// counts are how kontur-ari counts the CRM's commands.
func (d *deployment) counts() lab.CommandCounts {
	d.Helper()
	counts, err := d.daemon.CommandCounts(d.ctx)
	d.must(err)
	return counts
}

// leg waits until the CRM has been told of a leg, and gives its id.
func (d *deployment) leg(name string) string {
	d.Helper()
	d.awaitLine(name + " appeared")
	for _, call := range d.crm.Calls() {
		for id, parties := range legNames(call) {
			if parties == name {
				return id
			}
		}
	}
	d.Fatalf("no leg %s", name)
	return ""
}

// invited are the calls that have reached a phone, or the trunk, and in which the
// client of this test is named: the first message of each.
func (d *deployment) invited(name string) map[string]string {
	calls := make(map[string]string)
	for _, message := range strings.Split(d.Phone(name).Trace(), " received\n")[1:] {
		if id := callID.FindString(message); strings.HasPrefix(message, "INVITE ") && strings.Contains(message, d.client) && calls[id] == "" {
			calls[id] = message
		}
	}
	return calls
}

var callID = regexp.MustCompile(`(?m)^Call-ID: .*$`)

func (d *deployment) invitations(name string) int { return len(d.invited(name)) }

// invitation is the one call that has reached a phone.
func (d *deployment) invitation(name string) string {
	d.Helper()
	calls := slices.Collect(maps.Values(d.invited(name)))
	if len(calls) != 1 {
		d.Fatalf("%s was called %d times", name, len(calls))
	}
	return calls[0]
}

// dialsOn has a phone picked up, after which the client's rings.
func (d *deployment) dialsOn(own *phone.Call) (client *phone.Call) {
	d.Helper()
	d.must(own.Answer(d.ctx))
	client = d.reachesTrunk(d.client)
	d.must(client.Ring())
	return client
}

// answers has whom the switch has dialled pick up.
func (d *deployment) answers(callee *phone.Call, endpoints ...string) {
	d.Helper()
	d.must(callee.Answer(d.ctx))
	d.must(d.AwaitTogether(d.ctx, endpoints...))
}

// Row 22: the user's phone rings and shows the client, then the client is dialled.
func TestTheCRMOrdersACall(t *testing.T) {
	d := newDeployment(t)
	d.order(d.command("101"))
	own := d.rings("101")
	// The CRM is told before anybody has picked up.
	d.awaitLine("101>client appeared")
	client := d.dialsOn(own)
	d.answers(client, "101", "trunk")
	d.hangsUp(client, own)
	d.expect(answeredLeg(ordered, "101>client"))
	invitation := d.invitation("101")
	if !strings.Contains(invitation, "\nFrom: \""+d.client+"\" <sip:"+d.client+"@") {
		t.Errorf("the phone does not show the client:\n%s", invitation)
	}
	if strings.Contains(invitation, "answer") {
		t.Errorf("the phone is asked to pick up by itself:\n%s", invitation)
	}
	// The CRM learns our number when it is known.
	if calls := d.crm.Calls(); calls[0].Requests[len(calls[0].Requests)-1].Body.ExternalVatsPhone != lab.OutsideNumber {
		t.Errorf("registered as %+v", calls[0].Requests[len(calls[0].Requests)-1].Body)
	}
}

func TestAPhoneIsAskedToPickUpByItself(t *testing.T) {
	d := newDeployment(t, func(config *lab.DaemonConfig) { config.AutoAnswer = true })
	d.order(d.command("101"))
	own := d.rings("101")
	invitation := d.invitation("101")
	for _, header := range []string{"Call-Info: <sip:127.0.0.1>;answer-after=0", "Alert-Info: <http://127.0.0.1>;info=alert-autoanswer"} {
		if !strings.Contains(invitation, header) {
			t.Errorf("no %s in\n%s", header, invitation)
		}
	}
	client := d.dialsOn(own)
	d.answers(client, "101", "trunk")
	d.hangsUp(own, client)
	d.expect(answeredLeg(ordered, "101>client"))
}

func TestTheClientOfAnOrderedCallIsBusy(t *testing.T) {
	d := newDeployment(t)
	d.order(d.command("101"))
	client := d.dialsOn(d.rings("101"))
	d.must(client.Reject(486))
	d.expect(missedLeg(ordered, "101>client"))
}

// Row 23: somebody's phone was called, and nobody was dialled.
func TestAnOrderedCallFails(t *testing.T) {
	failed := []string{"call-started " + ordered, "101>client appeared", "101>client disconnected", "101>client finished", "call-failed"}
	for _, test := range []struct {
		name, extension, cause string
		play                   func(*deployment)
	}{
		{"busy", "101", "busy", func(d *deployment) { d.must(d.called("101").Reject(486)) }},
		{"declined", "101", "declined", func(d *deployment) { d.must(d.rings("101").Reject(603)) }},
		{"no answer", "101", "no answer", func(d *deployment) { d.ends(d.rings("101")) }},
		{"nobody there", "105", "offline", func(*deployment) {}},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := newDeployment(t, func(config *lab.DaemonConfig) { config.RingTime = "2s" })
			d.order(d.command(test.extension))
			test.play(d)
			var want []string
			for _, line := range failed {
				want = append(want, strings.ReplaceAll(line, "101", test.extension))
			}
			d.expect(want)
			if !strings.Contains(d.daemon.Log(), `"cause":"`+test.cause+`"`) {
				t.Errorf("the cause is not logged as %s", test.cause)
			}
			if counts := d.counts(); counts.Calls != 1 || counts.CallsFailed[test.cause] != 1 || len(counts.CallsFailed) != 1 {
				t.Errorf("counted as %+v", counts)
			}
		})
	}
}

// Row 24: the CRM is told at once, and nobody's phone rings.
func TestAnOrderIsRefused(t *testing.T) {
	d := newDeployment(t)
	to := func(number string) crmtest.CallBody {
		body := d.command("101")
		body.ClientPhone = number
		return body
	}
	d.orderRefused(crmtest.CallBody{CommunicationID: uuid.NewString(), FromUserID: uuid.NewString(), ClientPhone: d.client}, "userNotFound")
	d.orderRefused(d.command("106"), "userOffline")
	oneself, colleague := d.command("101"), d.command("101")
	oneself.ToUserID, colleague.ToUserID = lab.UserID("101"), uuid.NewString()
	d.orderRefused(oneself, "invalidArgs")
	d.orderRefused(colleague, "userNotFound")
	for _, number := range []string{
		"", "seven", "101", "112", "+442071838750", "*7279997775533", strings.Repeat("7", 100),
		"79997775533&PJSIP/102", "79997775533,30,g", "79997775533/../channels", "a@79997775533", "${SHELL(id)}",
		"79997775533\r\nAction: Originate", "79997775533\x00", "\"79997775533\"",
	} {
		d.orderRefused(to(number), "numberNotAllowed")
	}
	d.must(d.Kill())
	d.must(d.daemon.AwaitUnready(d.ctx))
	d.orderRefused(d.command("101"), "switchUnavailable")
	d.must(d.Restart(d.ctx))
	d.must(d.daemon.AwaitReady(d.ctx))
	d.expect()
	want := map[string]int{"userNotFound": 2, "userOffline": 1, "invalidArgs": 1, "numberNotAllowed": 15, "switchUnavailable": 1}
	if counts := d.counts(); counts.Calls != 0 || !maps.Equal(counts.Refused, want) {
		t.Errorf("counted as %+v, want refused %v", counts, want)
	}
	if invitations := d.invitations("101"); invitations != 0 {
		t.Errorf("101 was called %d times", invitations)
	}
}

// Row 25: also when the first answer is lost, or the daemon dies in between.
func TestAnOrderThatComesAgain(t *testing.T) {
	d := newDeployment(t)
	body := d.command("101")
	d.order(body)
	own := d.rings("101")
	d.order(body)
	client := d.dialsOn(own)
	d.order(body)
	d.answers(client, "101", "trunk")
	d.repeats++
	d.must(d.daemon.Kill())
	d.must(d.daemon.Start(d.ctx))
	d.order(body)
	d.hangsUp(own, client)
	d.expect(answeredLeg(ordered, "101>client"))
	d.order(body)
	if invitations := d.invitations("101"); invitations != 1 {
		t.Errorf("the phone was called %d times", invitations)
	}
	other := body
	other.ClientPhone = "79990000000"
	answer, err := d.crm.System(d.daemon.Commands).Call(d.ctx, other)
	d.must(err)
	if answer.Status != "communicationReused" {
		t.Errorf("with another number it is answered with %d %s", answer.Code, answer.Body)
	}
}

// Row 26.
func TestTheCRMOrdersAnInternalCall(t *testing.T) {
	d := newDeployment(t, withoutInternal)
	body := d.command("101")
	body.ToUserID = lab.UserID("102")
	d.order(body)
	own := d.rings("101")
	d.must(own.Answer(d.ctx))
	colleague := d.rings("102")
	d.answers(colleague, "101", "102")
	d.hangsUp(own, colleague)
	d.expect(answeredLeg("internal", "101>102"))
}

// All of a user's telephones ring. The one that is picked up dials, the other stops.
func TestAllTelephonesOfAUserRing(t *testing.T) {
	for _, test := range []struct{ name, first, second string }{
		{"the first", "107", lab.SecondDevice}, {"the second", lab.SecondDevice, "107"},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := newDeployment(t)
			d.order(d.command("107"))
			picked, other := d.rings(test.first), d.rings(test.second)
			d.must(d.AwaitRinging(d.ctx, 2))
			client := d.dialsOn(picked)
			d.ends(other)
			d.answers(client, "107", "trunk")
			d.hangsUp(client, picked)
			d.expect(answeredLeg(ordered, "107>client"))
		})
	}
}

// A phone registers an address that looks like a call over the trunk. Nothing of it is
// dialled: the user's endpoint rings alone.
func TestAContactOfAPhoneCallsNothingElse(t *testing.T) {
	const contact = "x&PJSIP/trunk/sip:78091234567"
	d := newDeployment(t)
	d.must(d.Phone("101").RegisterAlso(d.ctx, contact))
	// Before the lab is given back.
	defer func() { d.must(d.Phone("101").UnregisterAlso(d.ctx, contact)) }()
	d.order(d.command("101"))
	own := d.rings("101")
	d.must(d.AwaitRinging(d.ctx, 1))
	d.must(d.AwaitChannels(d.ctx, "PJSIP/", 1))
	d.awaitDaemonLogged("contacts that are not dialled")
	client := d.dialsOn(own)
	d.answers(client, "101", "trunk")
	d.hangsUp(own, client)
	d.expect(answeredLeg(ordered, "101>client"))
	for _, dialled := range []string{"INVITE sip:78091234567@"} {
		if strings.Contains(d.Phone("101").Trace()+d.Trunk.Trace(), dialled) {
			t.Errorf("%s was called", dialled)
		}
	}
}

// Two telephones that are picked up in one moment dial once.
func TestTelephonesThatArePickedUpTogetherDialOnce(t *testing.T) {
	d := newDeployment(t)
	d.order(d.command("107"))
	first, second := d.rings("107"), d.rings(lab.SecondDevice)
	d.must(d.AwaitRinging(d.ctx, 2))
	answered := make(chan error, 1)
	go func() { answered <- second.Answer(d.ctx) }()
	d.must(first.Answer(d.ctx))
	// It may have been stopped before it could be picked up.
	<-answered
	client := d.reachesTrunk(d.client)
	d.must(client.Ring())
	d.must(d.AwaitChannels(d.ctx, "PJSIP/107-", 1))
	d.answers(client, "107", "trunk")
	d.must(client.Hangup(d.ctx))
	d.must(d.AwaitGone(d.ctx, "PJSIP/107-"))
	d.expect(answeredLeg(ordered, "107>client"))
	if invitations := d.invitations("trunk"); invitations != 1 {
		t.Errorf("the client was called %d times", invitations)
	}
}

// Row 27.
func TestTheCRMHangsUp(t *testing.T) {
	answered := answeredLeg(ordered, "101>client")
	failed := []string{"call-started " + ordered, "101>client appeared", "101>client disconnected", "101>client finished", "call-failed"}
	user := lab.UserID("101")
	for _, test := range []struct {
		name  string
		play  func(d *deployment, communication string)
		story []string
	}{
		{"while they talk, by the leg", func(d *deployment, communication string) {
			own := d.rings("101")
			client := d.dialsOn(own)
			d.answers(client, "101", "trunk")
			leg := d.leg("101>client")
			for _, other := range []string{lab.UserID("102"), uuid.NewString()} {
				if status := d.hangup("", crmtest.HangupBody{RealtimeCallItemID: leg, UserID: other}); status != "userNotInCall" {
					d.Errorf("another user: %q", status)
				}
			}
			if status := d.hangup("", crmtest.HangupBody{RealtimeCallItemID: "1.1", UserID: user}); status != "callNotFound" {
				d.Errorf("an unknown leg: %q", status)
			}
			if status := d.hangup(communication, crmtest.HangupBody{RealtimeCallItemID: leg, UserID: user}); status != "" {
				d.Errorf("refused: %s", status)
			}
			d.ends(own)
			d.ends(client)
			d.awaitLine("call-finished")
			if status := d.hangup("", crmtest.HangupBody{RealtimeCallItemID: leg, UserID: user}); status != "callNotFound" {
				d.Errorf("a second time: %q", status)
			}
		}, answered},
		{"while the client rings, by the communication", func(d *deployment, communication string) {
			own := d.rings("101")
			client := d.dialsOn(own)
			d.leg("101>client")
			if status := d.hangup(communication, crmtest.HangupBody{UserID: user}); status != "" {
				d.Errorf("refused: %s", status)
			}
			d.ends(own)
			d.ends(client)
		}, missedLeg(ordered, "101>client")},
		{"while the own phone rings", func(d *deployment, _ string) {
			own := d.rings("101")
			if status := d.hangup("", crmtest.HangupBody{RealtimeCallItemID: d.leg("101>client"), UserID: user}); status != "" {
				d.Errorf("refused: %s", status)
			}
			d.ends(own)
		}, failed},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := newDeployment(t)
			body := d.command("101")
			d.order(body)
			test.play(d, body.CommunicationID)
			d.expect(test.story)
		})
	}
}

// Calls that nobody ordered are hung up too; their channels are in no application.
func TestTheCRMHangsUpACallThatCameIn(t *testing.T) {
	d := newDeployment(t)
	caller := d.comesIn("78005550101")
	callee := d.rings("101")
	d.picksUp(callee, caller)
	d.leg("client>101")
	communication := d.crm.Calls()[0].CommunicationID
	if status := d.hangup(communication, crmtest.HangupBody{UserID: lab.UserID("101")}); status != "" {
		t.Errorf("refused: %s", status)
	}
	d.ends(caller)
	d.ends(callee)
	d.expect(answeredLeg(direct, "client>101"))
}

// Who has called a colleague hangs up his own phone, not the colleague's.
func TestTheCRMHangsUpForTheCaller(t *testing.T) {
	d := newDeployment(t)
	caller := d.dials("101", "102")
	callee := d.rings("102")
	d.must(caller.AwaitRinging(d.ctx))
	if status := d.hangup("", crmtest.HangupBody{RealtimeCallItemID: d.leg("101>102"), UserID: lab.UserID("101")}); status != "" {
		t.Errorf("refused: %s", status)
	}
	d.ends(caller)
	d.ends(callee)
	d.expect(missedLeg("internal", "101>102"))
}

// What is picked up while kontur-ari is away dials when it is back.
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

// A thousand orders at once, each with a key of its own: as many phones ring as one
// user may have ring, everybody else has a clear answer, and nobody is forgotten.
func TestAThousandOrdersAtOnce(t *testing.T) {
	d := newDeployment(t)
	system := d.crm.System(d.daemon.Commands)
	var mu sync.Mutex
	answers := make(map[string]int)
	var orders errgroup.Group
	orders.SetLimit(100)
	for range 1000 {
		orders.Go(func() error {
			answer, err := system.Call(d.ctx, d.command("101"))
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			answers[fmt.Sprintf("%d %s", answer.Code, answer.Status)]++
			if !answer.Echoed {
				answers["without echo"]++
			}
			return nil
		})
	}
	d.must(orders.Wait())
	if total := answers["200 "] + answers["409 tooManyCalls"] + answers["429 "]; answers["200 "] != 2 || total != 1000 {
		t.Errorf("answered %v", answers)
	}
	for range 2 {
		d.must(d.called("101").Reject(486))
	}
	failed := []string{"call-started " + ordered, "101>client appeared", "101>client disconnected", "101>client finished", "call-failed"}
	d.expect(failed, failed)
	if invitations := d.invitations("101"); invitations != 2 {
		t.Errorf("101 was called %d times", invitations)
	}
}

// A phone that has dialled, and waits in Stasis for something else when kontur-ari comes
// back to Asterisk, does not dial again.
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

// A command that waits for an Asterisk that hangs doesn't keep a stop waiting. When
// Asterisk goes on, nobody's phone rings, and the CRM is told of it.
func TestAStopDoesNotWaitForACommand(t *testing.T) {
	var application string
	d := newDeployment(t, func(config *lab.DaemonConfig) { application = config.Application })
	d.must(d.Freeze())
	t.Cleanup(func() { d.must(d.Thaw()) })
	body := d.command("101")
	over := make(chan struct{})
	go func() {
		defer close(over)
		// Its connection may be broken off.
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

// awaitOrdered waits until an order is in the journal, by the id of its call.
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

// A daemon that dies at any moment of an order rings nobody twice, and the CRM, which
// asks again, learns how it has ended.
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

// seeOrderThrough has 101 pick up where the phone rings, and wants the call told to
// its end either way.
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
