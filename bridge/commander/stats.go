package commander

// Stats are counts since the start.
type Stats struct {
	// Repeated counts commands that repeat an earlier click-to-call.
	Repeated int64
	// Failed counts requests of the Tracker that the switch did not carry out.
	Failed int64
}

// Stats may be called at any time.
func (c *Commander) Stats() Stats {
	return Stats{Repeated: c.repeated.Load(), Failed: c.failedActions.Load()}
}
