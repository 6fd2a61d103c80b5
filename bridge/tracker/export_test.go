package tracker

// Remembered counts everything that a Tracker holds of calls in progress. It must be zero when
// no call is in progress; anything else is a leak.
func (t *Tracker) Remembered() int {
	return len(t.calls) + len(t.channels) + len(t.byPair) + len(t.byBridge) + len(t.foreignCalls) + len(t.snoops) + len(t.dirty.calls) + len(t.dirty.bridges)
}
