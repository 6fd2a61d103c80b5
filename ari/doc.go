// Package ari turns one Asterisk's REST Interface into a lossless, ordered
// stream of [bridge.Event]. [Source] keeps the websocket and reports whether events
// flow. [Switch] is the request side of the same interface, and [Phones] the requests
// for click-to-call. [Decode] is the one place where Asterisk's JSON becomes a bridge
// event.
//
// Asterisk 22.10.1 was measured to behave like this, and the package relies on it:
//
//   - An application subscribed to everything (subscribeAll=true) includes device
//     states, and closing such a websocket while events flow can hang ARI until
//     Asterisk is restarted (asterisk/asterisk issue 2170). So the application is
//     connected with subscribeAll=false and subscribed to all channels and all
//     bridges by a request of its own, which does not have that fault.
//   - Subscription and event filter live as long as the websocket: both are set
//     again after every connect, and verified, then and every few seconds.
//   - A websocket opened within about 0.3 s of the end of its predecessor may be
//     accepted and never receive an event, because the teardown of the old session
//     unregisters the new one's application. So there is always a pause first.
//   - A second websocket for the same application silently takes over. The first
//     receives ApplicationReplaced (only if its event filter lets that pass) and then
//     nothing more. It must not fight: see [StoodDown].
//   - A channel that runs Stasis(application) while no websocket is open continues in
//     the dial plan at once. One that entered before the websocket closed stays there
//     until a request lets it continue. So each connection searches for those.
//   - A new channel enters Stasis a millisecond or two after the answer to the request
//     that created it. Requests that need it there are answered 409 until then.
//   - ARI takes the time that a phone rings in whole seconds: see [Phones.Ring].
//   - A phone chooses the address that it registers, and PJSIP_DIAL_CONTACTS returns it
//     as it is, even when it contains "&": see [Phones.Contacts].
//   - A variable set over ARI makes Asterisk refuse later DB() of that channel, as long
//     as live_dangerously=no: see [Switch.SetVariable].
//   - Asterisk does not queue events while no websocket is open. After every connect the
//     Source therefore reads all channels and bridges, and delivers them as the first
//     event of the connection ([bridge.EventSnapshot]). bridge/tracker decides from it
//     what becomes of calls whose events were lost (reconcile.go).
//
// The package is the only one that imports github.com/CyCoreSystems/ari, and
// takes from it names and data types; its client drops events when its reader is
// slow and has neither deadlines nor pings.
package ari
