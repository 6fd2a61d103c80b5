package e2e_test

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"kontur-ari/e2e/phone"
)

// The flows are what people do with their telephones. Each ends with all calls over.

func inboundCallerHangsUp(s *stage) {
	caller := s.comesIn("78005550101")
	callee := s.rings("101")
	s.picksUp(callee, caller)
	s.hangsUp(caller, callee)
}

func inboundCalleeHangsUp(s *stage) {
	caller := s.comesIn("78005550101")
	callee := s.rings("101")
	s.picksUp(callee, caller)
	s.hangsUp(callee, caller)
}

// inboundNoRinging is answered without a 180 before.
func inboundNoRinging(s *stage) {
	caller := s.comesIn("78005550101")
	callee := s.called("101")
	s.picksUp(callee, caller)
	s.hangsUp(caller, callee)
}

func inboundGivesUp(s *stage) {
	caller := s.comesIn("78005550101")
	callee := s.rings("101")
	s.must(caller.AwaitRinging(s.ctx))
	s.hangsUp(caller, callee)
}

func inboundNoAnswer(s *stage) {
	caller := s.comesIn("78005551101")
	callee := s.rings("101")
	s.ends(callee)
	s.ends(caller)
}

func inboundBusy(s *stage) {
	caller := s.comesIn("78005550101")
	s.must(s.called("101").Reject(486))
	s.refused(caller, 486)
}

func inboundDeclined(s *stage) {
	caller := s.comesIn("78005550101")
	s.must(s.rings("101").Reject(603))
	s.ends(caller)
}

func inboundMenu(s *stage) {
	caller := s.comesIn("78005550140")
	s.must(caller.AwaitAnswered(s.ctx))
	s.must(caller.Hangup(s.ctx))
}

func recordedOverARI(s *stage) {
	caller, callee := s.talksTo101("78005550101")
	channel, err := s.ChannelNamed(s.ctx, "PJSIP/trunk")
	s.must(err)
	// The snoop channel is in kontur-ari's own application, because that one surely exists.
	// kontur-ari must leave such a channel alone.
	snoop := url.Values{"spy": {"both"}, "app": {"kontur-ari-" + s.client}, "appArgs": {"listens"}, "snoopId": {"snoop-" + s.client}}
	s.must(s.REST(s.ctx, http.MethodPost, "/channels/"+channel+"/snoop?"+snoop.Encode()))
	s.must(s.AwaitRunning(s.ctx, "Stasis"))
	record := url.Values{"name": {"talk-" + s.client}, "format": {"wav"}}
	s.recordsOverARI("snoop-"+s.client, record)
	s.must(caller.Speak())
	s.must(s.pause(talk))
	s.hangsUp(caller, callee)
}

// recordsOverARI starts a recording of a channel. A snoop channel shows that it runs Stasis
// a moment before it is there; ARI refuses with 409 until then.
func (s *stage) recordsOverARI(channel string, record url.Values) {
	s.Helper()
	for {
		err := s.REST(s.ctx, http.MethodPost, "/channels/"+channel+"/record?"+record.Encode())
		if err == nil || !strings.Contains(err.Error(), "409") {
			s.must(err)
			return
		}
		s.must(s.pause(time.Millisecond))
	}
}

func inboundGroup(s *stage) {
	caller := s.comesIn("78005550120")
	first, second, third := s.rings("101"), s.rings("102"), s.rings("103")
	s.picksUp(second, caller)
	s.ends(first)
	s.ends(third)
	s.hangsUp(caller, second)
}

// inboundChain rings 101 for a while, then 102.
func inboundChain(s *stage) {
	caller := s.comesIn("78005550121")
	s.ends(s.rings("101"))
	second := s.rings("102")
	s.picksUp(second, caller)
	s.hangsUp(second, caller)
}

func inboundQueue(s *stage) {
	caller := s.comesIn("78005550130")
	s.ends(s.rings("101"))
	second := s.rings("102")
	s.picksUp(second, caller)
	s.hangsUp(caller, second)
}

func inboundHold(s *stage) {
	caller := s.comesIn("78005550101")
	callee := s.rings("101")
	s.picksUp(callee, caller)
	s.must(callee.Hold(s.ctx))
	s.must(callee.Resume(s.ctx))
	s.hangsUp(caller, callee)
}

// clientHolds is the client pressing hold.
func clientHolds(s *stage) {
	caller := s.comesIn("78005550101")
	callee := s.rings("101")
	s.picksUp(callee, caller)
	s.must(caller.Hold(s.ctx))
	s.must(caller.Resume(s.ctx))
	s.hangsUp(callee, caller)
}

// phoneGone calls an employee whose phone is off and still registered.
func phoneGone(s *stage) {
	caller := s.comesIn("78005551105")
	s.ends(caller)
}

// phoneUnknown calls an employee whose phone never registered.
func phoneUnknown(s *stage) {
	caller := s.comesIn("78005550106")
	s.ends(caller)
}

func outboundAnswered(s *stage) {
	caller := s.dials("101", s.client)
	callee := s.reachesTrunk(s.client)
	s.must(callee.Ring())
	s.picksUp(callee, caller)
	s.hangsUp(caller, callee)
}

func outboundClientHangsUp(s *stage) {
	caller := s.dials("101", s.client)
	callee := s.reachesTrunk(s.client)
	s.must(callee.Ring())
	s.picksUp(callee, caller)
	s.hangsUp(callee, caller)
}

func outboundBusy(s *stage) {
	caller := s.dials("101", s.client)
	s.must(s.reachesTrunk(s.client).Reject(486))
	s.refused(caller, 486)
}

func outboundDeclined(s *stage) {
	caller := s.dials("101", s.client)
	callee := s.reachesTrunk(s.client)
	s.must(callee.Ring())
	s.must(callee.Reject(603))
	s.ends(caller)
}

func outboundNoAnswer(s *stage) {
	// Numbers that begin like this ring for a short while only.
	s.client = "7999111" + s.client[7:]
	caller := s.dials("101", s.client)
	callee := s.reachesTrunk(s.client)
	s.must(callee.Ring())
	s.ends(callee)
	s.ends(caller)
}

func outboundGivesUp(s *stage) {
	caller := s.dials("101", s.client)
	callee := s.reachesTrunk(s.client)
	s.must(callee.Ring())
	s.must(caller.AwaitRinging(s.ctx))
	s.hangsUp(caller, callee)
}

// outboundFailOver is refused by the first trunk and answered over the second.
func outboundFailOver(s *stage) {
	caller := s.dials("101", s.client)
	s.must(s.reachesTrunk(s.client).Reject(503))
	callee := s.reachesTrunk2(s.client)
	s.must(callee.Ring())
	s.picksUp(callee, caller)
	s.hangsUp(caller, callee)
}

func outboundAllTrunksFail(s *stage) {
	caller := s.dials("101", s.client)
	s.must(s.reachesTrunk(s.client).Reject(503))
	s.must(s.reachesTrunk2(s.client).Reject(503))
	s.ends(caller)
}

func internalAnswered(s *stage) {
	caller := s.dials("101", "102")
	callee := s.rings("102")
	s.picksUp(callee, caller)
	s.hangsUp(caller, callee)
}

func internalNoAnswer(s *stage) {
	caller := s.dials("101", "103")
	callee := s.rings("103")
	s.ends(callee)
	s.ends(caller)
}

func internalGivesUp(s *stage) {
	caller := s.dials("101", "102")
	callee := s.rings("102")
	s.must(caller.AwaitRinging(s.ctx))
	s.hangsUp(caller, callee)
}

func echoTest(s *stage) {
	caller := s.dials("101", "*65")
	s.must(caller.AwaitAnswered(s.ctx))
	s.must(caller.Hangup(s.ctx))
}

// twoCallsAtOnce is 101 talking to the client, and taking a second client's call during it.
func twoCallsAtOnce(s *stage) {
	caller := s.comesIn("78005550101")
	callee := s.rings("101")
	s.picksUp(callee, caller)
	other := s.comesInAs(phone.As("79990000000", "78005550101"))
	second := s.rings("101")
	s.must(callee.Hold(s.ctx))
	s.picksUp(second, other)
	s.hangsUp(other, second)
	s.must(callee.Resume(s.ctx))
	s.hangsUp(caller, callee)
}

// outsiderCalled and outsiderCalls are calls of 104, an employee who isn't in the CRM.
func outsiderCalled(s *stage) {
	caller := s.comesIn("78005550104")
	callee := s.rings("104")
	s.picksUp(callee, caller)
	s.hangsUp(caller, callee)
}

func outsiderCalls(s *stage) {
	caller := s.dials("104", s.client)
	callee := s.reachesTrunk(s.client)
	s.picksUp(callee, caller)
	s.hangsUp(caller, callee)
}
