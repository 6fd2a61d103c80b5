package tracker_test

const storiesIntroduction = `# Call stories

What the CRM receives for each kind of call, and which event of Asterisk causes it. Every
ladder is drawn from a real call, which SIP telephones made over an Asterisk 22. Its events
are kept in ` + "`e2e/testdata/captures`" + `, and ` + "`go test ./bridge/tracker -run Stories -update`" + `
writes this page from them. Times are seconds from the call's first event.

A column is one telephone: 101 to 107 are employees, ` + "`outside`" + ` is a trunk. It shows what the
telephone does: it *calls* or *rings*, or its owner *waits* (alone on the line), *talks*,
*holds* (has pressed hold) or is *parked*. Two calls in one column, as of two people outside,
are two words. Events that change neither a column nor what the CRM knows have no line.

A leg (L1, L2, ...) is one employee's part in a call. It begins when the phone is called and
lasts until its owner has nothing more to do with the call. Its first line names the caller
and the called. *appeared*, *connected*, *paused*, *disconnected* and *finished* are
call-events of a leg; the rest are requests about the whole call.

What holds for every call:

- call-started comes first, and once. register-call comes last, and lists all legs.
- A leg that was never connected is missed, and has no startedAt in register-call.
- Connected means that two people hear each other. A client in a menu or a queue is not
  connected, though the line is up. Neither is a phone that was picked up while it hears an
  announcement first.
- What ends comes before what begins: one ringing before the next, the transferer's leg
  before the leg of the transfer's target. The leg of an employee who consults before
  handing over is the exception: it stays until the client has another partner.
- *finished* comes once, on the leg that was connected last, or else on the last one.
- A call is finished when its last channel is gone.
- What can't be understood is left out, never guessed. The log gets one warning, "call not
  fully understood", with the call and the reason, and /readyz counts it.
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
	{"From outside, and no phone rings", `No phone was called, so there is no leg. register-call has one item all the same: a
missed call, with the call's id and without a user. A recorded message or a voicemail box
is not a person either.`,
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
	{"Forwarded", `By the dial plan, over Local channels, or by the phone itself (302). A mobile phone in the
directory is its user's. Any other counts as a second client, called for the first. Local
channels are never a leg.`,
		[]string{"followme_mobile_answers", "phone_forwards_inside", "forwarded_outside"}},
	{"Blind transfer", `By REFER, by the keys of the telephone, or by an operator's program. The transferer's leg
ends, and the phones at the target are called for the client.`,
		[]string{"blind_transfer", "blind_transfer_keys", "blind_transfer_no_answer", "outside_transfer", "outbound_blind_transfer"}},
	{"Attended transfer", `The consultation is a call of its own. The consulted employee gets a leg in the client's
call when the two are brought together. The id of this leg is the channel's with -2 behind
it, since the channel is a leg of the consultation already. A REFER makes Asterisk take the
client off hold for a moment, and the CRM receives that as well.

For Asterisk, a consultation by keys is part of the client's call (one linkedid). The CRM
receives it as a call of its own too, under the id of the Local channel that Asterisk makes
for it.`,
		[]string{"attended_transfer", "attended_keys", "attended_keys_ringing", "consultation_declined", "outside_transfer_attended"}},
	{"Parking", `Parking ends the leg. The employee who retrieves the client, by a call that dials no
phone, begins another.`,
		[]string{"park_retrieved", "park_timeout_answered"}},
	{"Pickup", `The ringing that is replaced ends, and the employee who has taken the call has a leg.`,
		[]string{"pickup_group"}},
	{"Conference", `Every employee who is in a room with a client has a leg in that client's call. They
end when the client leaves, though the employees may stay.`,
		[]string{"conference_client_leaves", "conference_two_clients"}},
	{"Two calls of one employee", `Nothing is shared between them.`,
		[]string{"two_calls_at_once"}},
	{"What is no call", `A telephone that reaches no other person makes no call: an echo test, one's own voicemail,
an empty parking place, a conference without a client. The CRM receives nothing.`,
		[]string{"echo_test"}},
}
