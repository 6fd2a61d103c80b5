package e2e_test

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"kontur-ari/e2e/lab"
	"kontur-ari/e2e/phone"
)

// making configures kontur-ari to record conversations itself, but never those of 103.
func making(config *lab.DaemonConfig) {
	quickly(config)
	config.Recordings["make"] = "true"
	config.Recordings["make_never_users"] = "[" + lab.UserID("103") + "]"
}

// storedGone waits until Asterisk stores no recording of kontur-ari's any more. Recordings of
// other applications stay.
func (d *deployment) storedGone() {
	d.Helper()
	directory, _ := d.Spool("recording")
	for {
		left, err := filepath.Glob(directory + "/kontur-ari-*")
		d.must(err)
		if len(left) == 0 {
			return
		}
		if err := d.pause(20 * time.Millisecond); err != nil {
			d.Fatalf("Asterisk still keeps %q: %v", left, err)
		}
	}
}

func TestConversationsAreRecordedByUs(t *testing.T) {
	for _, scenario := range []struct {
		name       string
		play       func(*stage)
		stories    [][]string
		recordings []string
	}{
		{"inbound", madeInbound("101", tone101), [][]string{answeredLeg(direct, "client>101")}, []string{"client>101: client 101"}},
		{"outbound", madeOutbound, [][]string{answeredLeg(outgoing, "101>client")}, []string{"101>client: client 101"}},
		{"handed on", madeBlindTransfer, [][]string{{
			"call-started " + direct, "client>101 appeared", "client>101 connected",
			"client>101 disconnected", "client>102 appeared", "client>102 connected",
			"client>102 disconnected", "client>102 finished", "call-finished",
			"register-call client>101 answered, client>102 answered",
		}}, []string{"client>101: client 101 102"}},
		{"one of whom nothing is recorded", madeInbound("103", tone101), [][]string{answeredLeg("inbound client at 78005550103", "client>103")}, nil},
		{"recorded by the dial plan", recordedInbound, [][]string{answeredLeg("inbound client at 78005557101", "client>101")}, []string{"client>101: client 101"}},
		{"between employees", internalAnswered, [][]string{answeredLeg("internal", "101>102")}, nil},
		{"not answered", inboundGivesUp, [][]string{missedLeg(direct, "client>101")}, nil},
	} {
		t.Run(scenario.name, func(t *testing.T) {
			d := newDeploymentOn(t, &recommendedVariables, making)
			scenario.play(d.stage)
			d.expect(scenario.stories...)
			d.expectRecordings(scenario.recordings...)
			d.storedGone()
		})
	}
}

// madeInbound is a call of the client to an employee whose phone plays a tone.
func madeInbound(extension string, hertz int) func(*stage) {
	return func(s *stage) {
		caller := s.comesIn("78005550" + extension)
		callee := s.rings(extension)
		s.picksUp(callee, caller)
		s.whistles(map[*phone.Call]int{caller: clientsTone, callee: hertz})
		s.hangsUp(caller, callee)
	}
}

func madeOutbound(s *stage) {
	caller := s.dials("101", s.client)
	callee := s.reachesTrunk(s.client)
	s.must(callee.Ring())
	s.picksUp(callee, caller)
	s.whistles(map[*phone.Call]int{callee: clientsTone, caller: tone101})
	s.hangsUp(caller, callee)
}

func madeBlindTransfer(s *stage) {
	caller := s.comesIn("78005550101")
	first := s.rings("101")
	s.picksUp(first, caller)
	s.whistles(map[*phone.Call]int{caller: clientsTone, first: tone101})
	s.sends(first, "102")
	s.ends(first)
	second := s.rings("102")
	s.picksUp(second, caller)
	s.whistles(map[*phone.Call]int{second: tone102})
	s.must(s.pause(laterTalk - talk))
	s.hangsUp(caller, second)
}

// Asterisk goes on recording while kontur-ari is killed and started again.
func TestAKilledDaemonLosesNoRecordingThatItMakes(t *testing.T) {
	d := newDeployment(t, making)
	caller := d.comesIn("78005550101")
	callee := d.rings("101")
	d.picksUp(callee, caller)
	d.whistles(map[*phone.Call]int{caller: clientsTone})
	d.repeats++
	d.must(d.daemon.Kill())
	d.must(d.daemon.Start(d.ctx))
	d.whistles(map[*phone.Call]int{callee: tone101})
	d.hangsUp(caller, callee)
	d.expect(answeredLeg(direct, "client>101"))
	d.expectRecordings("client>101: client 101")
	d.storedGone()
}

// A call that ends while no kontur-ari runs leaves its recording to the next one.
func TestARecordingThatWasMadeUnheardIsFetched(t *testing.T) {
	d := newDeployment(t, making)
	caller := d.comesIn("78005550101")
	callee := d.rings("101")
	d.picksUp(callee, caller)
	d.whistles(map[*phone.Call]int{caller: clientsTone, callee: tone101})
	d.repeats++
	d.must(d.daemon.Kill())
	d.hangsUp(caller, callee)
	d.must(d.daemon.Start(d.ctx))
	d.expect(answeredLeg(direct, "client>101"))
	d.expectRecordings("client>101: client 101")
	d.storedGone()
}

// Another ARI application records the call by a snoop channel. Its recording is uploaded
// too, and stays stored in Asterisk.
func TestWhatAnotherApplicationRecordsIsFetched(t *testing.T) {
	d := newDeployment(t, quickly)
	caller := d.comesIn("78005550101")
	callee := d.rings("101")
	d.picksUp(callee, caller)
	channel, err := d.ChannelNamed(d.ctx, "PJSIP/trunk")
	d.must(err)
	other, err := d.Capture(d.ctx)
	d.must(err)
	d.must(d.REST(d.ctx, http.MethodPost, "/channels/"+channel+"/snoop?"+url.Values{"spy": {"both"}, "app": {"capture"}, "snoopId": {"other"}}.Encode()))
	d.must(d.AwaitRunning(d.ctx, "Stasis"))
	d.recordsOverARI("other", url.Values{"name": {"of-another"}, "format": {"wav"}})
	d.whistles(map[*phone.Call]int{caller: clientsTone, callee: tone101})
	d.hangsUp(caller, callee)
	d.expect(answeredLeg(direct, "client>101"))
	d.expectRecordings("client>101: client 101")
	d.must(other.Stop(d.ctx, d.Lab))
	directory, _ := d.Spool("recording")
	if _, err := os.Stat(directory + "/of-another.wav"); err != nil {
		t.Errorf("a recording that is not ours: %v", err)
	}
	d.must(d.REST(d.ctx, http.MethodDelete, "/recordings/stored/of-another"))
}
