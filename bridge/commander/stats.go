package commander

// Stats are counts since the start.
type Stats struct {
	// Repeated are the orders that had been given before, and were not given again.
	Repeated int64
	// Untold is what the switch could not be told, of what the Tracker has asked for.
	Untold int64
}

// Stats may be called at any time.
func (c *Commander) Stats() Stats {
	return Stats{Repeated: c.repeated.Load(), Untold: c.untold.Load()}
}
