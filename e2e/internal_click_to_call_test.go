package e2e_test

import (
	"testing"

	"kontur-ari/e2e/lab"
)

// Row 26: the user's phone rings, and then the colleague's.
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
