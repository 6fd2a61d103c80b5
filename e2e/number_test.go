package e2e_test

import (
	"strings"
	"testing"

	"kontur-ari/e2e/phone"
)

// callers are callers as carriers show them, and the number that the CRM receives for each.
// They call the menu, which makes the shortest call.
var callers = []struct {
	name     string
	invite   phone.Invite
	reported string
}{
	{"Plain", phone.As("79997775533", "78005550140"), "79997775533"},
	{"Plus", phone.As("+79997775533", "78005550140"), "79997775533"},
	{"Eight", phone.As("89997775533", "78005550140"), "79997775533"},
	{"WithoutCountry", phone.As("9997775533", "78005550140"), "79997775533"},
	{"EightWritten", phone.As("8 (999) 777-55-33", "78005550140"), "79997775533"},
	{"PlusWritten", phone.As("+7 (999) 777-55-33", "78005550140"), "79997775533"},
	{"Foreign", phone.As("+493012345678", "78005550140"), "493012345678"},
	{"ForeignWithoutPlus", phone.As("493012345678", "78005550140"), "493012345678"},
	{"Emergency", phone.As("112", "78005550140"), "112"},
	{"Anonymous", phone.As("anonymous", "78005550140"), "anonymous"},
	{"Private", private("anonymous", ""), "anonymous"},
	// No field of ARI shows that the carrier was asked to hide the number.
	{"PrivateButAsserted", private("anonymous", "79997775533"), "79997775533"},
	{"Name", phone.As("sip.user", "78005550140"), "anonymous"},
	{"Empty", phone.As("", "78005550140"), "anonymous"},
	{"LongName", phone.As(strings.Repeat("x", 100), "78005550140"), "anonymous"},
	{"LongNumber", phone.As(strings.Repeat("7", 100), "78005550140"), "anonymous"},
	{"NamedInRussian", named("79997775533", "Иван «Ваня» Петров"), "79997775533"},
	{"CompanyWithPlus", phone.As("79997775533", "+78005550140"), "79997775533"},
	{"CompanyWithEight", phone.As("79997775533", "88005550140"), "79997775533"},
}

func private(from, asserted string) phone.Invite {
	invite := phone.As(from, "78005550140")
	invite.Name, invite.Privacy, invite.Asserted = "Anonymous", "id", asserted
	return invite
}

func named(from, name string) phone.Invite {
	invite := phone.As(from, "78005550140")
	invite.Name = name
	return invite
}

func TestCallersNumbersAreUnderstood(t *testing.T) {
	d := newDeployment(t)
	var stories [][]string
	for _, caller := range callers {
		call := d.comesInAs(caller.invite)
		d.must(call.AwaitAnswered(d.ctx))
		d.must(call.Hangup(d.ctx))
		d.must(d.AwaitIdle(d.ctx))
		stories = append(stories, []string{
			"call-started inbound " + caller.reported + " at 78005550140", "call-finished", "register-call client>somebody missed",
		})
	}
	d.expect(stories...)
	if t.Failed() {
		for i, caller := range callers {
			t.Logf("call %d: %s", i+1, caller.name)
		}
	}
}

// dialled are numbers as employees dial them, and the number that the CRM receives for each.
var dialled = []struct{ number, reported string }{
	{"79997775533", "79997775533"},
	{"89997775533", "79997775533"},
	{"+79997775533", "79997775533"},
	{"+493012345678", "493012345678"},
	{"810493012345678", "493012345678"},
	{"+7 (999) 777-55-33", "79997775533"},
	{"+7999", "7999"},
	{"+" + strings.Repeat("7", 40), "anonymous"},
}

func TestDialledNumbersAreUnderstood(t *testing.T) {
	d := newDeployment(t)
	var stories [][]string
	for _, number := range dialled {
		caller := d.dials("101", number.number)
		d.must(d.reachesTrunk(number.number).Reject(486))
		d.refused(caller, 486)
		d.must(d.AwaitIdle(d.ctx))
		stories = append(stories, missedLeg("outbound "+number.reported+" from 79229929292", "101>client"))
	}
	d.expect(stories...)
}

func TestADirectCallOfAHiddenCallerIsReportedWithItsLeg(t *testing.T) {
	d := newDeployment(t)
	caller := d.comesInAs(phone.As("anonymous", "78005550101"))
	callee := d.rings("101")
	d.picksUp(callee, caller)
	d.hangsUp(caller, callee)
	d.expect(answeredLeg("inbound anonymous at 78005550101", "client>101"))
}
