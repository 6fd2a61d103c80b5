package e2e_test

import (
	"strings"
	"testing"
	"time"

	"kontur-ari/e2e/lab"
	"kontur-ari/e2e/phone"
)

// recordedScenarios are calls that the dial plan records (lab/conf/extensions_recording.conf)
// and what the CRM must receive of them.
var recordedScenarios = []struct {
	name       string
	play       func(*stage)
	stories    [][]string
	recordings []string
}{
	{"inbound", recordedInbound, [][]string{answeredLeg("inbound client at 78005557101", "client>101")}, []string{"client>101: client 101"}},
	{"outbound", recordedOutbound, [][]string{answeredLeg(outgoing, "101>client")}, []string{"101>client: client 101"}},
	{"blind transfer", recordedBlindTransfer, [][]string{{
		"call-started inbound client at 78005557101", "client>101 appeared", "client>101 connected",
		"client>101 disconnected", "client>102 appeared", "client>102 connected",
		"client>102 disconnected", "client>102 finished", "call-finished",
		"register-call client>101 answered, client>102 answered",
	}}, []string{"client>101: client 101 102"}},
	{"attended transfer", recordedAttendedTransfer, [][]string{
		{
			"call-started inbound client at 78005557101", "client>101 appeared", "client>101 connected", "client>101 paused", "client>101 connected",
			"client>102 appeared", "client>102 connected", "client>101 disconnected",
			"client>102 disconnected", "client>102 finished", "call-finished",
			"register-call client>101 answered, client>102 answered",
		},
		{
			"call-started internal", "101>102 appeared", "101>102 connected", "101>102 disconnected", "101>102 finished",
			"call-finished", "register-call 101>102 answered",
		},
	}, []string{"client>101: client 101 102"}},
	{"ring group", recordedGroup, [][]string{{
		"call-started inbound client at 78005557120",
		"client>101 appeared & client>102 appeared & client>103 appeared",
		"client>102 connected & client>101 disconnected & client>103 disconnected",
		"client>102 disconnected", "client>102 finished", "call-finished",
		"register-call client>101 missed, client>102 answered, client>103 missed",
	}}, []string{"client>102: client 102"}},
	{"queue", recordedQueue, [][]string{{
		"call-started inbound client at 78005557130",
		"client>101 appeared", "client>101 disconnected", "client>102 appeared", "client>102 connected", "client>102 disconnected", "client>102 finished",
		"call-finished", "register-call client>101 missed, client>102 answered",
	}}, []string{"client>102: client 102"}},
	{"not answered", recordedMissed, [][]string{missedLeg("inbound client at 78005557101", "client>101")}, nil},
	{"not recorded", inboundCallerHangsUp, [][]string{answeredLeg(direct, "client>101")}, nil},
	{"message", messageLeft, [][]string{missedLeg("inbound client at 78005554421", "client>101")}, []string{"client>101: client"}},
	{"message at once", messageAtOnce, [][]string{{
		"call-started inbound client at 78005554424", "call-finished", "register-call client>somebody missed",
	}}, []string{"the call: client"}},
}

// quickly shortens the times in which recordings are found and settle.
func quickly(config *lab.DaemonConfig) {
	config.Recordings = map[string]string{"settle_time": "300ms", "missing_after": "20s"}
}

func TestTheCRMHasTheRecordingsOfEveryCall(t *testing.T) {
	for _, kind := range []struct {
		name    string
		options lab.Options
	}{{"Asterisk reports their names", recommendedVariables}, {"found by their names", withoutVariables}} {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			for _, scenario := range recordedScenarios {
				t.Run(scenario.name, func(t *testing.T) {
					d := newDeploymentOn(t, &kind.options, quickly)
					scenario.play(d.stage)
					d.expect(scenario.stories...)
					d.expectRecordings(scenario.recordings...)
				})
			}
		})
	}
}

// The dial plan records an ordered call as any other.
func TestAnOrderedCallIsRecorded(t *testing.T) {
	for name, options := range map[string]*lab.Options{"reported": &recommendedVariables, "named": &withoutVariables} {
		t.Run(name, func(t *testing.T) {
			d := newDeploymentOn(t, options, quickly)
			d.client = d.recordedNumber()
			d.order(d.command("101"))
			own := d.rings("101")
			client := d.dialsOn(own)
			d.answers(client, "101", "trunk")
			d.whistles(map[*phone.Call]int{client: clientsTone, own: tone101})
			d.hangsUp(own, client)
			d.expect(answeredLeg(ordered, "101>client"))
			d.expectRecordings("101>client: client 101")
		})
	}
}

func TestRecordingsAreConvertedWhereConfigured(t *testing.T) {
	d := newDeployment(t, quickly, func(config *lab.DaemonConfig) { config.Recordings["format"] = "mp3" })
	recordedInbound(d.stage)
	d.expect(answeredLeg("inbound client at 78005557101", "client>101"))
	d.expectRecordings("client>101: client 101")
	if file := d.crm.Files()[0]; file.ContentType != "audio/mpeg" || !strings.HasSuffix(file.Name, ".mp3") {
		t.Errorf("the CRM has %s, %s", file.Name, file.ContentType)
	}
}

// talk is how long people talk; a recognisable tone takes some tenths of a second.
// laterTalk is for a party that joins later, whom MixMonitor records after a second or two.
const (
	talk      = 800 * time.Millisecond
	laterTalk = 3 * time.Second
)

// whistles plays each party's tone into the call for a while.
func (s *stage) whistles(tones map[*phone.Call]int) {
	s.Helper()
	for call, hertz := range tones {
		s.must(call.Whistle(hertz))
	}
	s.must(s.pause(talk))
}

func recordedInbound(s *stage) {
	caller := s.comesIn("78005557101")
	callee := s.rings("101")
	s.picksUp(callee, caller)
	s.whistles(map[*phone.Call]int{caller: clientsTone, callee: tone101})
	s.hangsUp(caller, callee)
}

// recordedNumber is the number of a client whose calls the dial plan records.
func (s *stage) recordedNumber() string { return "7996" + s.client[4:] }

func recordedOutbound(s *stage) {
	s.client = s.recordedNumber()
	caller := s.dials("101", s.client)
	callee := s.reachesTrunk(s.client)
	s.must(callee.Ring())
	s.picksUp(callee, caller)
	s.whistles(map[*phone.Call]int{callee: clientsTone, caller: tone101})
	s.hangsUp(caller, callee)
}

// recordedTalk is the client's call to 101, who answers; both are heard.
func recordedTalk(s *stage) (caller, callee *phone.Call) {
	caller = s.comesIn("78005557101")
	callee = s.rings("101")
	s.picksUp(callee, caller)
	s.whistles(map[*phone.Call]int{caller: clientsTone, callee: tone101})
	return caller, callee
}

func recordedBlindTransfer(s *stage) {
	caller, first := recordedTalk(s)
	s.sends(first, "102")
	s.ends(first)
	second := s.rings("102")
	s.picksUp(second, caller)
	s.whistles(map[*phone.Call]int{second: tone102})
	s.must(s.pause(laterTalk - talk))
	s.hangsUp(caller, second)
}

func recordedAttendedTransfer(s *stage) {
	caller, first := recordedTalk(s)
	consultation, second := asks102(s, first)
	joins(s, first, consultation)
	s.whistles(map[*phone.Call]int{second: tone102})
	s.must(s.pause(laterTalk - talk))
	s.hangsUp(caller, second)
}

func recordedGroup(s *stage) {
	caller := s.comesIn("78005557120")
	first, second, third := s.rings("101"), s.rings("102"), s.rings("103")
	s.picksUp(second, caller)
	s.ends(first)
	s.ends(third)
	s.whistles(map[*phone.Call]int{caller: clientsTone, second: tone102})
	s.hangsUp(caller, second)
}

func recordedQueue(s *stage) {
	caller := s.comesIn("78005557130")
	s.ends(s.rings("101"))
	second := s.rings("102")
	s.picksUp(second, caller)
	s.whistles(map[*phone.Call]int{caller: clientsTone, second: tone102})
	s.hangsUp(caller, second)
}

func recordedMissed(s *stage) {
	caller := s.comesIn("78005557101")
	callee := s.rings("101")
	s.must(s.pause(talk))
	s.must(caller.Hangup(s.ctx))
	s.ends(callee)
}

func messageLeft(s *stage) {
	caller := s.comesIn("78005554421")
	s.ends(s.rings("101"))
	s.leavesSound(caller)
}

func messageAtOnce(s *stage) {
	s.leavesSound(s.comesIn("78005554424"))
}

// leavesSound leaves a voicemail message with the client's tone, and hangs up.
func (s *stage) leavesSound(caller *phone.Call) {
	s.Helper()
	s.must(caller.AwaitAnswered(s.ctx))
	s.must(s.AwaitRecorder(s.ctx))
	s.whistles(map[*phone.Call]int{caller: clientsTone})
	s.must(caller.Hangup(s.ctx))
}
