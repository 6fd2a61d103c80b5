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

// stage is where one test makes its calls. Its methods fail the test when what they wait
// for doesn't happen.
type stage struct {
	testing.TB
	*lab.Lab
	ctx context.Context
	// client is a number outside that no other test uses.
	client string
	phones map[string]bool // the phones that took part, for the report of a failure
}

// patience is how long one test may take. Most take a second or two; the rest is
// for machines that are busy.
const patience = 90 * time.Second

var clients atomic.Int64

// newStage sets the stage for one test, once the calls of the test before are gone. The
// test runs in parallel with others, each on an exchange of its own.
//
// The exchange has the wanted options. Where wanted is nil, any exchange will do.
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

// clear reports what happened in a failed test, and hangs up all its calls.
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

// phone returns an employee's phone, and notes that it takes part.
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

// called waits for the next call to an employee's phone, which does not ring yet.
func (s *stage) called(extension string) *phone.Call {
	s.Helper()
	call, err := s.phone(extension).AwaitCall(s.ctx, "")
	s.must(err)
	return call
}

// rings waits for the next call to an employee's phone, which then rings.
func (s *stage) rings(extension string) *phone.Call {
	s.Helper()
	call := s.called(extension)
	s.must(call.Ring())
	return call
}

// reachesTrunk waits for a call to an outside number, over the first trunk.
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

// picksUpBehindLocal is picksUp for a phone dialled over a Local channel, which goes away
// when the two talk.
func (s *stage) picksUpBehindLocal(callee, caller *phone.Call) {
	s.Helper()
	s.picksUp(callee, caller)
	s.must(callee.Speak())
	s.must(caller.Speak())
	s.must(s.AwaitGone(s.ctx, "Local/"))
}

// picksUpOverLocal is picksUp for a phone dialled over a Local channel that stays. There are
// then two conversations, one on either side of it.
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

// joins is an employee dialling a number that connects him to an existing call: a parked
// one, or one that rings elsewhere. It waits until the two can talk.
func (s *stage) joins(extension, number string) *phone.Call {
	s.Helper()
	talks, err := s.Talks(s.ctx)
	s.must(err)
	call := s.dials(extension, number)
	s.must(call.AwaitAnswered(s.ctx))
	s.must(s.AwaitTalks(s.ctx, talks+1))
	return call
}

// sends is a blind transfer by REFER: an employee sends the other side of his call to a
// number, and hangs up.
func (s *stage) sends(call *phone.Call, number string) {
	s.Helper()
	talks, err := s.Talks(s.ctx)
	s.must(err)
	s.must(call.Refer(s.ctx, number))
	s.must(s.AwaitFewerTalks(s.ctx, talks))
	s.must(call.Hangup(s.ctx))
}

// hangsUp ends a call, and waits until the other side's call has ended too.
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
