package crmtest

import (
	"fmt"
	"time"
)

// Breach names the rule that a request broke.
type Breach string

// The rules that a [CRM] watches over.
const (
	// BreachRequest: path, method, workspace or headers are not the contract's,
	// or a request carries a secret that it has no business with.
	BreachRequest Breach = "request"
	// BreachBody: the body is not what the contract describes for its path.
	BreachBody Breach = "body"
	// BreachUnknownCall: a request about a call that was never started.
	BreachUnknownCall Breach = "unknown call"
	// BreachCommand: a report claims that the CRM ordered a call which it did not.
	BreachCommand Breach = "command"
	// BreachAnswer: a system call or webhook of the CRM was answered otherwise than
	// the contract says. No request broke it: [Violation.Request] is 0.
	BreachAnswer Breach = "answer"
	// BreachIdentity: not the id, or not the form of the id, that belongs here.
	BreachIdentity Breach = "identity"
	// BreachRepeat: a request was sent again although a later one has been sent,
	// or something that comes once came twice.
	BreachRepeat Breach = "repeat"
	// BreachOverlap: two requests of one call were in flight at once.
	BreachOverlap Breach = "overlap"
	// BreachOrder: a call's requests came in an order that can't be.
	BreachOrder Breach = "order"
	// BreachLeg: the events of a leg came in an order that can't be.
	BreachLeg Breach = "leg"
	// BreachTime: a timestamp is earlier than the one before it in its call.
	BreachTime Breach = "time"
	// BreachParties: from and to do not fit the direction, or each other.
	BreachParties Breach = "parties"
	// BreachFile: a report names a file that is not there.
	BreachFile Breach = "file"
	// BreachRegister: register-call says something else than the events did.
	BreachRegister Breach = "register"
)

// Violation is one broken rule.
type Violation struct {
	// Breach is the rule.
	Breach Breach
	// Request is the number of the request that broke it, see [Request.Number]; 0
	// where it was no request.
	Request int
	// Time is when the request was received.
	Time time.Time
	// Call is our own externalId of the call; "" where it is not known.
	Call string
	// Detail says in words what was wrong.
	Detail string
}

// String is one line that names everything.
func (v Violation) String() string {
	if v.Breach == BreachAnswer {
		return fmt.Sprintf("%s: %s", v.Breach, v.Detail)
	}
	return fmt.Sprintf("request %d, call %q: %s: %s", v.Request, v.Call, v.Breach, v.Detail)
}

// fault is a violation before it is known which request it belongs to.
type fault struct {
	breach Breach
	detail string
}

func faultf(breach Breach, format string, args ...any) fault {
	return fault{breach: breach, detail: fmt.Sprintf(format, args...)}
}
