package commander

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"kontur-ari/bridge"
)

// recoverPause is between two tries to ask a switch that doesn't answer.
const recoverPause = time.Second

// Recover finds out what became of the orders that the last process was in the
// middle of when it ended. It returns when all are settled, or ctx ends. Call it once,
// when a snapshot of the switch has been taken: the Tracker knows the phones that ring
// by then.
func (c *Commander) Recover(ctx context.Context) {
	for _, click := range c.unfinished {
		for !c.settle(ctx, click) {
			select {
			case <-ctx.Done():
				return
			case <-time.After(recoverPause):
			}
		}
	}
}

// conclude tells how far an order had come: phones that ring go on ringing, and those
// that were not called yet never are. False: the switch can't be asked now.
func (c *Commander) settle(ctx context.Context, click bridge.ClickToCall) bool {
	var rung []bridge.ChannelID
	for n := 1; ; n++ {
		state, err := c.phones.State(ctx, click.Channel(n))
		switch {
		case errors.Is(err, bridge.ErrNoChannel):
		case err != nil:
			return false
		case state != bridge.StateDown:
			rung = append(rung, click.Channel(n))
			continue
		default:
			if err := c.phones.Hangup(ctx, click.Channel(n), normalClearing); err != nil && !errors.Is(err, bridge.ErrNoChannel) {
				return false
			}
			continue
		}
		// The first may be gone and the second ring.
		if n > mostPhones {
			break
		}
	}
	c.log.Info("an order is found unfinished", zap.String("call", string(click.Call())), zap.Int("phones", len(rung)))
	event := bridge.NewClickPlacedEvent(click, rung, c.config.Now())
	if len(rung) == 0 {
		refusal := &bridge.Refusal{Status: bridge.RefusedSwitch, Message: "The order was interrupted before the telephone rang."}
		event = bridge.NewClickRefusedEvent(click, refusal, false, c.config.Now())
	}
	// When ctx ends first it is stored later, or found unfinished again.
	return c.tracking.Give(ctx, event) == nil
}

// mostPhones is how many telephones of one user are looked for.
const mostPhones = 10
