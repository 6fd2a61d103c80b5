// Package ari turns one Asterisk's REST Interface into a lossless, ordered
// stream of [bridge.Event]: [Source] keeps the websocket and says truthfully
// whether events flow; [Switch] is the request side of the same interface;
// [Decode] is the one place where Asterisk's JSON becomes a bridge event.
//
// What Asterisk 22 was measured to do, and what this package is built around:
//
//   - An application subscribed to everything (subscribeAll=true) includes device
//     states, and closing such a websocket while events flow can hang ARI until
//     Asterisk is restarted (asterisk/asterisk issue 2170). So the application is
//     connected with subscribeAll=false and subscribed to all channels and all
//     bridges by a request of its own, which does not have that fault.
//   - Subscription and event filter live as long as the websocket: both are set
//     again after every connect, and verified, then and every few seconds.
//   - A websocket opened within about 0.3 s of the end of its predecessor may be
//     accepted and yet stay deaf for ever, because the teardown of the old session
//     unregisters the new one's application. So there is always a pause first.
//   - A second websocket for the same application silently takes over. The first
//     is told ApplicationReplaced (only if its event filter lets that pass) and
//     hears nothing more. It must not fight: see [StoodDown].
//   - A channel that runs Stasis(application) while no websocket is open goes on in
//     the dial plan at once. One that entered before the websocket closed stays there
//     until it is told to go on, by whoever; so each connection looks for those.
//   - Events of a gap are not queued. After every connect the Source therefore
//     reads all channels and bridges and hands that over as the first event of
//     the connection ([bridge.EventSnapshot]).
//
// The package is the only one that imports github.com/CyCoreSystems/ari, and
// takes from it names and data types; its client drops events when its reader is
// slow and has neither deadlines nor pings.
package ari
