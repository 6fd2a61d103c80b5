// Package pbxtest is a model of a telephone exchange for tests: what happens in it
// gives the events that Asterisk 22 would send. Only tests import it, bench and e2e
// included.
//
// It offers four things:
//
//   - A script language for single calls: [Play] turns a script into events, and
//     [ScriptOf] turns events into a script again.
//   - Random input for properties: [AnyTraffic] plays calls that can happen and knows
//     the truth about each; [AnyClickToCall] plays one click-to-call; [AnyStream] and
//     [AnyEvents] give events that make no sense at all.
//   - Judges of reports: a [Ledger] checks the rules that hold for any input, and
//     [Traffic.Want], [Traffic.Unfounded] and [Traffic.Missing] compare with the truth.
//   - A [Transcript] of reports, one line each, and the [Office] that all of it takes
//     place in.
//
// # The script language
//
// A script is a line for each thing that happens: seconds since [Midnight], a word,
// and arguments. A # begins a comment. Channels and bridges have any names; a pair
// A>B is a channel and the one that it dials.
//
//	0     new A PJSIP/trunk Ring caller=+79997775533 exten=79229929292
//	0.5   new B PJSIP/101 Down
//	0.5   dial A>B 101             the rest is the dial string
//	1     dialstatus A>B RINGING
//	4     enter B br1
//	4     enter A br1
//	9     gone A 16                with the cause of ITU-T Q.850
//
// The words:
//
//	new A ENDPOINT STATE [caller=N] [exten=N]    the channel is made; a half of a
//	                                             Local channel is named in full
//	state A Up                  callerid A NUMBER
//	dial A>B STRING             >B alone is an originate
//	dialstatus A>B ANSWER
//	enter A br1 [holding]       leave A br1
//	close br1                   merge br1>br2
//	hold A                      unhold A
//	blind B>A EXTEN             the event alone: B has sent A to EXTEN
//	attended B C A D            the event alone: B, whose second channel is C, has
//	                            joined A and D; - stands for none
//	app A Dial                  what the channel runs; "app A Stasis other" is an
//	                            application of another program
//	linked A X                  the linkedid of the channel, from now on
//	gone A CAUSE                kill: the exchange dies without an event
//	snapshot                    what kontur-ari asks for after a connect
//	order O u101 NUMBER [u102]  a click-to-call; its channels are kontur-ari~O.1, .2
//	settled O placed 1          that many phones ring; or "refused" or "failed" and
//	                            a status
//
// A line that begins with ~ happens while the connection is down, so it gives no
// event. A line that begins with ! is an event that comes late: it changes nothing
// in the exchange.
package pbxtest
