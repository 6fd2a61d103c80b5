package daemon

import "context"

// Shares of the time left that the steps of a stop may take.
const (
	// shortly is for parts that end at once unless something hangs.
	shortly = 0.25
	// commandShare is for the commands under way, which are answered.
	commandShare = 0.3
	// redirectShare is for the callers who wait in Stasis: each is sent on.
	redirectShare = 0.6
	// intakeShare is for the events in memory. There is no other copy of them.
	intakeShare = 0.75
	// deliveryShare is for the reports that are ready. The outbox keeps the others.
	deliveryShare = 0.95
)

// arrange puts the parts into the order of their start. They stop in reverse: read the list
// from its end for the order of a stop. The number is a part's share of the time left.
func (d *Daemon) arrange(health, commands, redirecting, serving *part) []stage {
	source := &part{name: "the event source", run: func(ctx context.Context) error { return d.source.Run(ctx, d.intake.Put) }}
	takingIn := &part{name: "the intake", run: d.intake.Run, vital: true}
	delivering := &part{name: "the delivery", run: d.deliver, drain: d.drain, vital: true}
	return []stage{
		{shortly, []*part{health, {name: "the store's file", run: d.watchStore, vital: true}}},
		{deliveryShare, []*part{delivering}},
		{intakeShare, []*part{takingIn}},
		// Its requests to Asterisk cause events, so it stops before the intake.
		{shortly, []*part{commands}},
		{shortly, d.upkeep()},
		// Once the source has stopped no caller enters; those who wait are sent on.
		{redirectShare, []*part{redirecting}},
		{shortly, []*part{source}},
		// A command needs everything else.
		{commandShare, []*part{serving}},
	}
}

// upkeep returns the parts that nothing runs through.
func (d *Daemon) upkeep() []*part {
	parts := []*part{
		upkeep("the recovery of click-to-calls", d.recoverClickToCalls),
		upkeep("the watchdog", func(ctx context.Context) { watchdog(ctx, d.log, d.passLocks) }),
		upkeep("the inspection of the store", d.inspect),
		upkeep("the removal of old entries", d.prune),
		upkeep("the limit of the store's size", d.pruneToSize),
		upkeep("the authorisation", d.authorise),
		upkeep("the record of when Asterisk was heard", d.recordHeard),
		upkeep("the return of memory", func(ctx context.Context) { returnMemory(ctx, d.dispatcher.Reachable) }),
	}
	if d.courier != nil {
		parts = append(parts, upkeep("the recordings", d.courier.Run))
	}
	return parts
}
