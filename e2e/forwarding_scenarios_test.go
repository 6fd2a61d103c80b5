package e2e_test

import (
	"kontur-ari/e2e/lab"
	"kontur-ari/e2e/phone"
)

// outsideMobile is a mobile number that calls are forwarded to. It belongs to no user.
const outsideMobile = "79161110199"

// forwardingScenarios are calls that go on to a mobile or to another phone
// (lab/conf/extensions_forwarding.conf).
var forwardingScenarios = []scenario{
	{"followme_desk_answers", "a client calls 101, whose desk phone and 102's mobile ring over Local channels; the desk phone answers", followMeDesk, [][]string{{
		"call-started inbound client at 78005553340",
		"client>101 appeared & client>102 appeared", "client>101 connected & client>102 disconnected",
		"client>101 disconnected", "client>101 finished", "call-finished", "register-call client>101 answered, client>102 missed",
	}}},
	{"followme_mobile_answers", "a client calls 101, whose desk phone and 102's mobile ring over Local channels; the mobile answers", followMeMobile, [][]string{mobileAnswers("78005553340", "client>102")}},
	{"followme_gives_up", "a client calls 101, whose desk phone and 102's mobile ring over Local channels, and gives up", followMeGivesUp, [][]string{followMeMissed("78005553340")}},
	{"followme_no_answer", "a client calls 101, whose desk phone and 102's mobile ring over Local channels; nobody answers", followMeNoAnswer, [][]string{followMeMissed("78005553344")}},
	{"followme_mobile_busy", "a client calls 101, whose desk phone and 102's mobile ring over Local channels; the mobile is busy, the desk phone answers", followMeMobileBusy, [][]string{{
		"call-started inbound client at 78005553340",
		"client>101 appeared & client>102 appeared", "client>102 disconnected", "client>101 connected",
		"client>101 disconnected", "client>101 finished", "call-finished", "register-call client>101 answered, client>102 missed",
	}}},
	{"followme_kept_desk_answers", "a client calls 101, whose desk phone and 102's mobile ring over Local channels that stay (/n); the desk phone answers", followMeKeptDesk, [][]string{{
		"call-started inbound client at 78005553341",
		"client>101 appeared & client>102 appeared", "client>101 connected & client>102 disconnected",
		"client>101 disconnected", "client>101 finished", "call-finished", "register-call client>101 answered, client>102 missed",
	}}},
	{"followme_kept_mobile_answers", "a client calls 101, whose desk phone and 102's mobile ring over Local channels that stay (/n); the mobile answers", followMeKeptMobile, [][]string{mobileAnswers("78005553341", "client>102")}},
	{"followme_outside", "a client calls 101, whose desk phone and nobody's mobile ring over Local channels; the mobile answers", followMeOutside, [][]string{mobileAnswers("78005553342", "client>client")}},
	{"followme_kept_outside", "a client calls 101, whose desk phone and nobody's mobile ring over Local channels that stay (/n); the mobile answers", followMeKeptOutside, [][]string{mobileAnswers("78005553343", "client>client")}},
	{"followme_application", "a client calls 101, the application FollowMe rings the desk phone and 102's mobile; the mobile answers", followMeApplication, [][]string{mobileAnswers("78005553345", "client>102")}},
	{"followme_asks_taken", "a client calls 101, whose desk phone and 102's mobile ring; the mobile answers, is asked and takes the call", followMeAsksTaken, [][]string{mobileAnswers("78005553346", "client>102")}},
	{"followme_asks_refused", "a client calls 101, whose desk phone and 102's mobile ring; the mobile answers, is asked and refuses, the desk phone answers", followMeAsksRefused, [][]string{{
		"call-started inbound client at 78005553346",
		"client>101 appeared & client>102 appeared", "client>102 disconnected", "client>101 connected",
		"client>101 disconnected", "client>101 finished", "call-finished", "register-call client>101 answered, client>102 missed",
	}}},
	{"forwarded_to_colleague", "a client calls a number that is forwarded to 102's mobile, which answers", forwardedToColleague, [][]string{answeredLeg("inbound client at 78005553350", "client>102")}},
	{"forwarded_outside", "a client calls a number that is forwarded to nobody's mobile, which answers", forwardedOutside, [][]string{answeredLeg("inbound client at 78005553351", "client>client")}},
	{"forwarded_outside_busy", "a client calls a number that is forwarded to nobody's mobile, which is busy", forwardedOutsideBusy, [][]string{missedLeg("inbound client at 78005553351", "client>client")}},
	{"forwarded_when_unanswered", "a client calls 101, who doesn't answer; 102's mobile is called and answers", forwardedWhenUnanswered, [][]string{mobileLater("78005553352", "client>102")}},
	{"phone_forwards_inside", "a client calls 101, whose phone forwards to 102 (302); 102 answers", phoneForwardsInside, [][]string{mobileLater("78005550101", "client>102")}},
	{"phone_forwards_to_mobile", "a client calls 101, whose phone forwards to 102's mobile (302), which answers", phoneForwardsToMobile, [][]string{mobileLater("78005550101", "client>102")}},
	{"phone_forwards_outside", "a client calls 101, whose phone forwards to nobody's mobile (302), which answers", phoneForwardsOutside, [][]string{mobileLater("78005550101", "client>client")}},
	{"phone_forwards_no_answer", "a client calls 101, whose phone forwards to 102 (302); the client gives up while 102 rings", phoneForwardsNoAnswer, [][]string{{
		"call-started " + direct,
		"client>101 appeared", "client>101 disconnected", "client>102 appeared", "client>102 disconnected",
		"client>101 finished | client>102 finished", "call-finished", "register-call client>101 missed, client>102 missed",
	}}},
	{"phone_forwards_colleague", "103 calls 101, whose phone forwards to 102's mobile (302), which answers", phoneForwardsColleague, [][]string{{
		"call-started internal", "103>101 appeared", "103>101 disconnected", "103>102 appeared", "103>102 connected",
		"103>102 disconnected", "103>102 finished", "call-finished", "register-call 103>101 missed, 103>102 answered",
	}}},
}

// mobileAnswers is the story of a call that rings at 101 and at a mobile, which answers.
// leg is the mobile's.
func mobileAnswers(number, leg string) []string {
	return []string{
		"call-started inbound client at " + number,
		"client>101 appeared & " + leg + " appeared", leg + " connected & client>101 disconnected",
		leg + " disconnected", leg + " finished", "call-finished", "register-call client>101 missed, " + leg + " answered",
	}
}

// mobileLater is the story of a call that 101 doesn't answer. Then a mobile or a colleague
// does, whose leg is given.
func mobileLater(number, leg string) []string {
	return []string{
		"call-started inbound client at " + number,
		"client>101 appeared", "client>101 disconnected", leg + " appeared", leg + " connected",
		leg + " disconnected", leg + " finished", "call-finished", "register-call client>101 missed, " + leg + " answered",
	}
}

func followMeMissed(number string) []string {
	return []string{
		"call-started inbound client at " + number,
		"client>101 appeared & client>102 appeared", "client>101 disconnected & client>102 disconnected",
		"client>101 finished | client>102 finished", "call-finished", "register-call client>101 missed, client>102 missed",
	}
}

// deskAndMobile is a call from outside that rings at 101 and at a mobile.
func (s *stage) deskAndMobile(number, mobileNumber string) (caller, desk, mobile *phone.Call) {
	s.Helper()
	caller = s.comesIn(number)
	desk, mobile = s.rings("101"), s.reachesTrunk(mobileNumber)
	s.must(mobile.Ring())
	// Wait for both phones and the Local channels to them: Asterisk may send a Dial event
	// after the phone's ringing.
	s.must(s.AwaitRinging(s.ctx, 4))
	return caller, desk, mobile
}

func followMeDesk(s *stage) {
	caller, desk, mobile := s.deskAndMobile("78005553340", lab.ColleaguesMobile)
	s.picksUpBehindLocal(desk, caller)
	s.ends(mobile)
	s.hangsUp(caller, desk)
}

func followMeMobile(s *stage) {
	caller, desk, mobile := s.deskAndMobile("78005553340", lab.ColleaguesMobile)
	s.picksUpBehindLocal(mobile, caller)
	s.ends(desk)
	s.hangsUp(caller, mobile)
}

func followMeGivesUp(s *stage) {
	caller, desk, mobile := s.deskAndMobile("78005553340", lab.ColleaguesMobile)
	s.hangsUp(caller, desk)
	s.ends(mobile)
}

func followMeNoAnswer(s *stage) {
	caller, desk, mobile := s.deskAndMobile("78005553344", lab.ColleaguesMobile)
	s.ends(desk)
	s.ends(mobile)
	s.ends(caller)
}

func followMeMobileBusy(s *stage) {
	caller, desk, mobile := s.deskAndMobile("78005553340", lab.ColleaguesMobile)
	s.must(mobile.Reject(486))
	s.must(s.AwaitGone(s.ctx, "Local/"+lab.ColleaguesMobile))
	s.picksUpBehindLocal(desk, caller)
	s.hangsUp(desk, caller)
}

func followMeKeptDesk(s *stage) {
	caller, desk, mobile := s.deskAndMobile("78005553341", lab.ColleaguesMobile)
	s.picksUpOverLocal(desk, caller)
	s.ends(mobile)
	s.hangsUp(caller, desk)
}

func followMeKeptMobile(s *stage) {
	caller, desk, mobile := s.deskAndMobile("78005553341", lab.ColleaguesMobile)
	s.picksUpOverLocal(mobile, caller)
	s.ends(desk)
	s.hangsUp(mobile, caller)
}

func followMeOutside(s *stage) {
	caller, desk, mobile := s.deskAndMobile("78005553342", outsideMobile)
	s.picksUpBehindLocal(mobile, caller)
	s.ends(desk)
	s.hangsUp(caller, mobile)
}

func followMeKeptOutside(s *stage) {
	caller, desk, mobile := s.deskAndMobile("78005553343", outsideMobile)
	s.picksUpOverLocal(mobile, caller)
	s.ends(desk)
	s.hangsUp(mobile, caller)
}

func followMeApplication(s *stage) {
	caller := s.comesIn("78005553345")
	desk, mobile := s.rings("101"), s.reachesTrunk(lab.ColleaguesMobile)
	s.must(mobile.Ring())
	s.picksUpBehindLocal(mobile, caller)
	s.ends(desk)
	s.hangsUp(caller, mobile)
}

func followMeAsksTaken(s *stage) {
	caller, desk, mobile := s.followMeAsks("1")
	s.ends(desk)
	s.must(caller.AwaitAnswered(s.ctx))
	s.must(s.AwaitTalks(s.ctx, 1))
	s.must(mobile.Speak())
	s.must(caller.Speak())
	s.must(s.AwaitGone(s.ctx, "Local/"))
	s.hangsUp(caller, mobile)
}

func followMeAsksRefused(s *stage) {
	caller, desk, mobile := s.followMeAsks("2")
	s.ends(mobile)
	s.picksUpBehindLocal(desk, caller)
	s.hangsUp(caller, desk)
}

// followMeAsks answers at the mobile and presses a key when Asterisk asks for one.
func (s *stage) followMeAsks(key string) (caller, desk, mobile *phone.Call) {
	s.Helper()
	caller, desk, mobile = s.deskAndMobile("78005553346", lab.ColleaguesMobile)
	s.must(mobile.Answer(s.ctx))
	s.must(s.AwaitRunning(s.ctx, "Read"))
	s.must(mobile.Press(s.ctx, key))
	return caller, desk, mobile
}

func forwardedToColleague(s *stage) {
	caller := s.comesIn("78005553350")
	mobile := s.reachesTrunk(lab.ColleaguesMobile)
	s.must(mobile.Ring())
	s.picksUp(mobile, caller)
	s.hangsUp(mobile, caller)
}

func forwardedOutside(s *stage) {
	caller := s.comesIn("78005553351")
	mobile := s.reachesTrunk(outsideMobile)
	s.must(mobile.Ring())
	s.picksUp(mobile, caller)
	s.hangsUp(caller, mobile)
}

func forwardedOutsideBusy(s *stage) {
	caller := s.comesIn("78005553351")
	s.must(s.reachesTrunk(outsideMobile).Reject(486))
	s.ends(caller)
}

func forwardedWhenUnanswered(s *stage) {
	caller := s.comesIn("78005553352")
	s.ends(s.rings("101"))
	mobile := s.reachesTrunk(lab.ColleaguesMobile)
	s.must(mobile.Ring())
	s.picksUp(mobile, caller)
	s.hangsUp(caller, mobile)
}

func phoneForwardsInside(s *stage) {
	caller := s.comesIn("78005550101")
	s.must(s.called("101").Redirect("102"))
	second := s.rings("102")
	s.picksUpBehindLocal(second, caller)
	s.hangsUp(caller, second)
}

func phoneForwardsToMobile(s *stage) {
	s.phoneForwardsTo(lab.ColleaguesMobile, s.comesIn("78005550101"))
}

func phoneForwardsOutside(s *stage) {
	s.phoneForwardsTo(outsideMobile, s.comesIn("78005550101"))
}

func phoneForwardsColleague(s *stage) {
	s.phoneForwardsTo(lab.ColleaguesMobile, s.dials("103", "101"))
}

// phoneForwardsTo is 101's phone forwarding a call to a mobile.
func (s *stage) phoneForwardsTo(number string, caller *phone.Call) {
	s.Helper()
	s.must(s.called("101").Redirect(number))
	mobile := s.reachesTrunk(number)
	s.must(mobile.Ring())
	s.picksUpBehindLocal(mobile, caller)
	s.hangsUp(caller, mobile)
}

func phoneForwardsNoAnswer(s *stage) {
	caller := s.comesIn("78005550101")
	s.must(s.called("101").Redirect("102"))
	second := s.rings("102")
	s.must(caller.AwaitRinging(s.ctx))
	s.hangsUp(caller, second)
}
