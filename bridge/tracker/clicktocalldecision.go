package tracker

import "kontur-ari/bridge"

// DecideClick returns what [Tracker.Apply] would decide now about a click-to-call, where its
// user may have atOnce of them in progress (0: any number). The click-to-calls of calls that
// are over longer than [bridge.EndedMemory] calls ago are known to the store alone.
func (t *Tracker) DecideClick(given bridge.ClickToCall, atOnce int) bridge.ClickDecision {
	if id := given.Call(); t.calls[id] != nil || t.ended.has(id) {
		return bridge.ClickRepeated
	}
	ofUser := 0
	for _, c := range t.calls {
		if c.ClickToCall != nil && c.ClickToCall.From == given.From {
			ofUser++
		}
	}
	if atOnce > 0 && ofUser >= atOnce {
		return bridge.ClickTooMany
	}
	return bridge.ClickAccepted
}
