package commander

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"kontur-ari/bridge"
	"kontur-ari/internal/retry"
)

// recoverPause is the pause between two attempts with a switch that doesn't answer.
const recoverPause = time.Second

// Recover finds the result of each click-to-call that the last process was carrying out when
// it ended. It returns when all have one, or ctx ends. Call it once, after a snapshot of
// the switch was applied: the Tracker must know the telephones that ring.
func (c *Commander) Recover(ctx context.Context) {
	for _, click := range c.unfinished {
		for !c.recoverClick(ctx, click) {
			if retry.Sleep(ctx, recoverPause) != nil {
				return
			}
		}
	}
}

// recoverClick finds how far a click-to-call had come: telephones that ring go on ringing, and
// channels that don't ring yet are hung up. It returns false where the switch can't be
// asked now.
func (c *Commander) recoverClick(ctx context.Context, click bridge.ClickToCall) bool {
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
		// The first telephone may be gone while the second one rings.
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
	// Where ctx ends first, it is stored later, or the next process recovers it again.
	return c.tracking.Give(ctx, event) == nil
}

// mostPhones bounds the telephones of one user that recovery looks for.
const mostPhones = 10
