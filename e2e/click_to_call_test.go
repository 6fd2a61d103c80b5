package e2e_test

import (
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"kontur-ari/crm/crmtest"
	"kontur-ari/e2e/lab"
)

// Row 22: the user's phone rings and shows the client, then the client is dialled.
func TestTheCRMOrdersACall(t *testing.T) {
	d := newDeployment(t)
	d.order(d.command("101"))
	own := d.rings("101")
	// The CRM receives the leg before anyone has picked up.
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

// Row 23: the user's phone was called, and the client was never dialled.
func TestAnOrderedCallFails(t *testing.T) {
	failed := []string{"call-started " + ordered, "101>client appeared", "101>client disconnected", "101>client finished", "call-failed"}
	for _, test := range []struct {
		name, extension, cause string
		play                   func(*deployment)
	}{
		{"busy", "101", "busy", func(d *deployment) { d.must(d.called("101").Reject(486)) }},
		{"declined", "101", "declined", func(d *deployment) { d.must(d.rings("101").Reject(603)) }},
		{"no answer", "101", "no answer", func(d *deployment) { d.ends(d.rings("101")) }},
		{"phone gone", "105", "offline", func(*deployment) {}},
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

// Row 24: the CRM receives the refusal at once, and no phone rings.
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

// Row 25: a repeated order dials once, also when the daemon dies in between.
func TestARepeatedOrderDialsOnce(t *testing.T) {
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

// All of a user's telephones ring. The one that is picked up dials, the other stops ringing.
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

// A phone registers a contact that looks like a call over the trunk. kontur-ari dials
// none of it: the user's endpoint rings alone.
func TestAContactOfAPhoneCallsNothingElse(t *testing.T) {
	const contact = "x&PJSIP/trunk/sip:78091234567"
	d := newDeployment(t)
	d.must(d.Phone("101").RegisterAlso(d.ctx, contact))
	// Unregister it before the lab is given back.
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
	// The second phone may have stopped ringing before it could answer.
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

// A thousand orders arrive at once, each with a key of its own. As many calls ring as one
// user may have. Every other order is refused, and each one is answered.
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
