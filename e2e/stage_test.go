package e2e_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"kontur-ari/e2e/lab"
	"kontur-ari/e2e/phone"
)

// stage is where one test makes its calls. Its verbs fail the test when what
// they are for doesn't happen.
type stage struct {
	testing.TB
	*lab.Lab
	ctx context.Context
	// client is a number outside that no other test uses.
	client string
	phones map[string]bool // those that took part, for the report of a failure
}

// patience is how long one test may take. Most take a second or two; the rest is
// for machines that are busy.
const patience = 90 * time.Second

var clients atomic.Int64

// newStage sets the stage for one test, after the calls of the one before are
// gone. The test runs in parallel with others, each on an exchange of its own.
//
// The exchange is of the wanted kind; of any where that is nil.
func newStage(t *testing.T, wanted *lab.Options) *stage {
	t.Parallel()
	ctx, cancel := context.WithTimeoutCause(t.Context(), patience, fmt.Errorf("not done in %s", patience))
	t.Cleanup(cancel)
	l, err := labs.take(ctx, wanted)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := labs.giveBack(l); err != nil {
			t.Error(err)
		}
	})
	s := &stage{TB: t, Lab: l, ctx: ctx, phones: map[string]bool{"trunk": true}, client: fmt.Sprintf("7999%07d", clients.Add(1))}
	t.Cleanup(s.clear)
	s.must(l.AwaitIdle(ctx))
	return s
}

// clear leaves nothing of a test behind, and shows what happened if it failed.
func (s *stage) clear() {
	if !s.Failed() {
		return
	}
	users := make([]string, 0, len(s.phones))
	for user := range s.phones {
		users = append(users, user)
	}
	s.Log(s.Report(users...))
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), 10*time.Second)
	defer cancel()
	if err := s.HangupAll(ctx); err != nil {
		s.Log(err)
	}
}

func (s *stage) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// phone is an employee's phone that takes part.
func (s *stage) phone(extension string) *phone.Phone {
	s.phones[extension] = true
	return s.Phone(extension)
}

// comesIn is a call from the client to one of the company's numbers.
func (s *stage) comesIn(number string) *phone.Call {
	s.Helper()
	return s.comesInAs(phone.As(s.client, number))
}

func (s *stage) comesInAs(invite phone.Invite) *phone.Call {
	s.Helper()
	call, err := s.Trunk.Call(s.ctx, invite)
	s.must(err)
	return call
}

// dials is a call from an employee.
func (s *stage) dials(extension, number string) *phone.Call {
	s.Helper()
	call, err := s.phone(extension).Dial(s.ctx, number)
	s.must(err)
	return call
}

// called is what an employee's phone is called by next, and does not ring yet.
func (s *stage) called(extension string) *phone.Call {
	s.Helper()
	call, err := s.phone(extension).AwaitCall(s.ctx, "")
	s.must(err)
	return call
}

// rings has an employee's phone ring.
func (s *stage) rings(extension string) *phone.Call {
	s.Helper()
	call := s.called(extension)
	s.must(call.Ring())
	return call
}

// reachesTrunk is a call that arrives outside, over the first trunk.
func (s *stage) reachesTrunk(number string) *phone.Call {
	s.Helper()
	call, err := s.Trunk.AwaitCall(s.ctx, number)
	s.must(err)
	return call
}

func (s *stage) reachesTrunk2(number string) *phone.Call {
	s.Helper()
	s.phones["trunk2"] = true
	call, err := s.Trunk2.AwaitCall(s.ctx, number)
	s.must(err)
	return call
}

// picksUp answers callee's call, and waits until the two can talk.
func (s *stage) picksUp(callee, caller *phone.Call) {
	s.Helper()
	talks, err := s.Talks(s.ctx)
	s.must(err)
	s.must(callee.Answer(s.ctx))
	s.must(caller.AwaitAnswered(s.ctx))
	s.must(s.AwaitTalks(s.ctx, talks+1))
}

// picksUpBehindLocal is picksUp for a phone that the switch dials over a Local
// channel, which goes away when the two talk.
func (s *stage) picksUpBehindLocal(callee, caller *phone.Call) {
	s.Helper()
	s.picksUp(callee, caller)
	s.must(callee.Speak())
	s.must(caller.Speak())
	s.must(s.AwaitGone(s.ctx, "Local/"))
}

// picksUpOverLocal is picksUp for a phone that the switch dials over a Local
// channel that stays: there are two conversations, one on either side of it.
func (s *stage) picksUpOverLocal(callee, caller *phone.Call) {
	s.Helper()
	talks, err := s.Talks(s.ctx)
	s.must(err)
	s.must(callee.Answer(s.ctx))
	s.must(caller.AwaitAnswered(s.ctx))
	s.must(s.AwaitTalks(s.ctx, talks+2))
	s.must(callee.Speak())
	s.must(caller.Speak())
}

// joins has an employee dial something that connects to a call that goes on
// already, a parked one or one that rings elsewhere, and waits until the two can
// talk.
func (s *stage) joins(extension, number string) *phone.Call {
	s.Helper()
	talks, err := s.Talks(s.ctx)
	s.must(err)
	call := s.dials(extension, number)
	s.must(call.AwaitAnswered(s.ctx))
	s.must(s.AwaitTalks(s.ctx, talks+1))
	return call
}

// sends is a blind transfer: the other side of an employee's call is sent to a
// number, and the employee hangs up.
func (s *stage) sends(call *phone.Call, number string) {
	s.Helper()
	talks, err := s.Talks(s.ctx)
	s.must(err)
	s.must(call.Refer(s.ctx, number))
	s.must(s.AwaitFewerTalks(s.ctx, talks))
	s.must(call.Hangup(s.ctx))
}

// hangsUp ends a call, and waits until the other side knows it.
func (s *stage) hangsUp(who, other *phone.Call) {
	s.Helper()
	s.must(who.Hangup(s.ctx))
	s.ends(other)
}

// ends waits until a call is over.
func (s *stage) ends(call *phone.Call) phone.Ending {
	s.Helper()
	ending, err := call.AwaitEnded(s.ctx)
	s.must(err)
	return ending
}

// refused waits until a call was refused with that SIP status.
func (s *stage) refused(call *phone.Call, code int) {
	s.Helper()
	if ending := s.ends(call); ending.Code != code {
		s.Fatalf("the call %s, not with %d", ending, code)
	}
}
