package e2e_test

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/google/uuid"

	"kontur-ari/crm/crmtest"
	"kontur-ari/e2e/lab"
	"kontur-ari/e2e/phone"
)

// ordered describes a call that the CRM has ordered. It ends without our number: which
// one the client sees is unknown until he is dialled.
const ordered = "outbound client from "

// command is a CALL command of the CRM, from the user of an extension to the client.
func (d *deployment) command(extension string) crmtest.CallBody {
	return crmtest.CallBody{CommunicationID: uuid.NewString(), FromUserID: lab.UserID(extension), ClientPhone: d.client}
}

// order sends a CALL command, which kontur-ari must accept.
func (d *deployment) order(body crmtest.CallBody) {
	d.Helper()
	answer, err := d.crm.System(d.daemon.Commands).Call(d.ctx, body)
	d.must(err)
	if !answer.Taken() || strings.TrimSpace(string(answer.Body)) != `"OK"` {
		d.Fatalf("CALL is answered with %d %s", answer.Code, answer.Body)
	}
}

// orderRefused sends a CALL command, which kontur-ari must refuse with that status.
func (d *deployment) orderRefused(body crmtest.CallBody, status string) {
	d.Helper()
	answer, err := d.crm.System(d.daemon.Commands).Call(d.ctx, body)
	d.must(err)
	if answer.Code != http.StatusConflict || answer.Status != status || answer.Message == "" || !answer.Echoed {
		d.Errorf("CALL is answered with %d %s, not with 409 %s", answer.Code, answer.Body, status)
	}
}

// counts reads kontur-ari's metrics of the CRM's commands.
func (d *deployment) counts() lab.CommandCounts {
	d.Helper()
	counts, err := d.daemon.CommandCounts(d.ctx)
	d.must(err)
	return counts
}

// leg waits until the CRM has received a leg, and returns its id.
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

// invited returns the calls that have reached a phone or the trunk and name this test's
// client: the first INVITE of each, by its Call-ID header.
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

// invitation returns the INVITE of the only call that has reached a phone.
func (d *deployment) invitation(name string) string {
	d.Helper()
	calls := slices.Collect(maps.Values(d.invited(name)))
	if len(calls) != 1 {
		d.Fatalf("%s was called %d times", name, len(calls))
	}
	return calls[0]
}

// dialsOn answers the employee's phone, after which the client's phone rings.
func (d *deployment) dialsOn(own *phone.Call) (client *phone.Call) {
	d.Helper()
	d.must(own.Answer(d.ctx))
	client = d.reachesTrunk(d.client)
	d.must(client.Ring())
	return client
}

// answers picks up the dialled phone, and waits until the endpoints can talk.
func (d *deployment) answers(callee *phone.Call, endpoints ...string) {
	d.Helper()
	d.must(callee.Answer(d.ctx))
	d.must(d.AwaitTogether(d.ctx, endpoints...))
}
