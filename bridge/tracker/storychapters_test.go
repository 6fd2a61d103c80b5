package tracker_test

const storiesIntroduction = `# Call stories

What the CRM is told of each kind of call, and at which word of Asterisk. Every
ladder is drawn from a real call: an Asterisk 22 and SIP telephones made it, what
Asterisk said is kept in ` + "`e2e/testdata/captures`" + `, and this page is written from there
(` + "`go test ./bridge/tracker -run Stories -update`" + `). Times are seconds from the call's first
event.

A column is somebody's telephone: 101 to 107 are employees, ` + "`outside`" + ` is a trunk. In it
stands what the telephone does: it *calls* or *rings*, its owner *waits* (alone on
the line), *talks*, *holds* (has pressed hold) or is *parked*; where there are two
calls, as of two people outside, there are two words. Lines on which neither that nor the CRM's knowledge
changes are left out.

A leg (L1, L2, ...) is one employee's part in a call, from the moment when the phone
is called until its owner has nothing more to do with the call; behind its first
line stands who calls whom in it. *appeared*, *connected*, *paused*, *disconnected* and
*finished* are call-events of a leg; the rest are requests about the whole call.

What holds for every call:

- call-started comes first, and once. register-call comes last, and lists all legs.
- A leg that was never connected is missed, and has no startedAt in register-call.
- Connected means that two people hear each other. A client's line that is up, as in
  a menu or a queue, is not that; neither is a phone that was picked up and is told
  something before.
- What ends comes before what begins: one ringing before the next, a transferer's leg
  before that of whom the client is sent to. Only who consults before handing over
  stays until the client has somebody else.
- *finished* comes once, on the leg that was connected last, or else on the last one.
- A call is finished when its last channel is gone.
- What can't be understood is told less, never guessed. It leaves one warning in the
  log, "call not fully understood", with the call and the reason, and is counted in
  /readyz.
`

// storyChapter is a kind of call, and the captures that its ladders are drawn from.
type storyChapter struct {
	heading, text string
	captures      []string
}

var storyChapters = []storyChapter{
	{"From outside, to one phone", `The call begins with the trunk's channel. The number that was dialled is
externalVatsPhone.`,
		[]string{"inbound_caller_hangs_up", "inbound_gives_up", "inbound_declined", "inbound_hold"}},
	{"From outside, and no phone rings", `Nobody was called, so there is no leg. register-call has one item all the same,
with the call's id and without a user: a missed call. A recorded message or a
voicemail box is not a person either.`,
		[]string{"inbound_menu", "recorder_at_once", "voicemail_no_answer"}},
	{"To the outside", `The leg is the employee's own: it appears when the trunk is dialled, and lasts
through all trunks that are tried.`,
		[]string{"outbound_answered", "outbound_fail_over", "outbound_busy"}},
	{"Between employees", `Without a client. ` + "`calls.report_internal: false`" + ` leaves these calls out.`,
		[]string{"internal_answered"}},
	{"Several phones at once, or one after the other", `Every ringing of an employee's phone is a leg, and two telephones of one extension
that ring together are one. Where a queue rings the same phone again, that is another
leg.`,
		[]string{"inbound_group", "group_member_busy", "devices_second_answers", "queue_agent_again", "queue_local"}},
	{"Forwarded", `By the dial plan, over Local channels, or by the phone itself (302). A mobile phone
that stands in the directory is its user's; any other is a client who is called for
the client. Local channels are never a leg.`,
		[]string{"followme_mobile_answers", "phone_forwards_inside", "forwarded_outside"}},
	{"Blind transfer", `By REFER, by the keys of the telephone, or by an operator's program: the leg of who
transfers ends, and the phones at the target are called for the client.`,
		[]string{"blind_transfer", "blind_transfer_keys", "blind_transfer_no_answer", "outside_transfer", "outbound_blind_transfer"}},
	{"Attended transfer", `The consultation is a call of its own. Whoever was consulted gets a leg in the
client's call when the two are brought together; its id is that of the channel with
-2 behind it, since the channel is a leg of the consultation already. A REFER makes
Asterisk take the client off hold for a moment, and that is told.

For Asterisk, a consultation by keys is part of the client's call (one linkedid). It
is told as a call of its own too, under the id of the Local channel that Asterisk
makes for it.`,
		[]string{"attended_transfer", "attended_keys", "attended_keys_ringing", "consultation_declined", "outside_transfer_attended"}},
	{"Parking", `Parking ends the leg; who takes the client up, by a call that dials nobody, begins
another.`,
		[]string{"park_retrieved", "park_timeout_answered"}},
	{"Pickup", `The ringing that is replaced ends, and who has taken the call has a leg.`,
		[]string{"pickup_group"}},
	{"Conference", `Every employee who is in a room with a client has a leg in that client's call. They
end when the client leaves, though the employees may stay.`,
		[]string{"conference_client_leaves", "conference_two_clients"}},
	{"Two calls of one employee", `Nothing is shared between them.`,
		[]string{"two_calls_at_once"}},
	{"What is no call", `Whoever dials nobody makes no call: an echo test, one's own voicemail, an empty
parking place, a conference without a client. Nothing is told.`,
		[]string{"echo_test"}},
}
