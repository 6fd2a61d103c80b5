package e2e_test

import (
	"net/http"
	"testing"

	"github.com/google/uuid"

	"kontur-ari/crm/crmtest"
	"kontur-ari/e2e/lab"
)

// hangup sends a HANGUP command and returns the status of its refusal: "" where
// kontur-ari accepted it.
func (d *deployment) hangup(communication string, body crmtest.HangupBody) string {
	d.Helper()
	answer, err := d.crm.System(d.daemon.Commands).Hangup(d.ctx, communication, body)
	d.must(err)
	if !answer.Taken() && answer.Code != http.StatusConflict {
		d.Errorf("HANGUP is answered with %d %s", answer.Code, answer.Body)
	}
	return answer.Status
}

// Row 27: the CRM hangs up a call by its leg or by its communication.
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

// The CRM can also hang up a call that it didn't order, whose channels are in no
// application.
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

// A caller who hangs up in the CRM ends his own channel, not the colleague's.
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
