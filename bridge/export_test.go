package bridge

// Remembered counts everything that a Tracker holds of calls in progress. It is
// zero when nothing is going on, or memory leaks.
func (t *Tracker) Remembered() int {
	return len(t.calls) + len(t.byChannel) + len(t.byPair)
}
