package bridge

// Remembered counts everything that a Tracker holds of calls in progress. It is
// zero when nothing is going on, or memory leaks.
func (t *Tracker) Remembered() int {
	return len(t.calls) + len(t.channels) + len(t.byPair) + len(t.byRoom) + len(t.guests) + len(t.snoops) + len(t.stirred.calls) + len(t.stirred.rooms)
}
