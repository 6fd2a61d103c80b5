package tracker

// Remembered counts everything that a Tracker holds of calls in progress. It is
// zero when nothing is going on, or memory leaks.
func (t *Tracker) Remembered() int {
	return len(t.calls) + len(t.channels) + len(t.byPair) + len(t.byBridge) + len(t.foreignCalls) + len(t.snoops) + len(t.dirty.calls) + len(t.dirty.bridges)
}
