package commander

import (
	"errors"
	"time"

	"go.uber.org/zap"

	"kontur-ari/bridge"
	"kontur-ari/internal/retry"
)

// Act carries out what the Tracker asks for, in the background. It repeats requests that
// fail for one to two and a half minutes. After that, the snapshot of the next connection makes the
// Tracker ask again.
func (c *Commander) Act(actions []bridge.Action) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.life.Err() != nil {
		return
	}
	for _, action := range actions {
		if action.Kind == bridge.ActionStopRecording {
			c.ended.add(string(action.Channel))
		}
		c.background.Go(func() { c.act(action) })
	}
}

// actPauses are the pauses between attempts, and actAttempts how many there are. Even the
// shortest pauses add up to more than a minute, the longest to 136 s.
var actPauses = retry.Pauses{First: 50 * time.Millisecond, Longest: 5 * time.Second}

const actAttempts = 34

func (c *Commander) act(action bridge.Action) {
	fields := []zap.Field{zap.String("call", string(action.Call)), zap.String("channel", string(action.Channel)), zap.String("action", string(action.Kind))}
	for attempt := 1; ; attempt++ {
		err := c.ask(action)
		switch {
		case err == nil, errors.Is(err, bridge.ErrNoChannel):
			c.log.Debug("done", append(fields, zap.Int("attempt", attempt), zap.Error(err))...)
			return
		case attempt == actAttempts, errors.Is(err, bridge.ErrDeclined):
			c.failedActions.Add(1)
			c.log.Error("the switch could not be told", append(fields, zap.Int("attempt", attempt), zap.Error(err))...)
			return
		case attempt == 1:
			c.log.Warn("the switch can't be told", append(fields, zap.Int("attempt", attempt), zap.Error(err))...)
		}
		if retry.Sleep(c.life, actPauses.After(attempt)) != nil {
			return
		}
	}
}

// ask makes the request that an action stands for.
func (c *Commander) ask(action bridge.Action) error {
	switch action.Kind {
	case bridge.ActionDial:
		return c.phones.Dial(c.life, action.Channel, action.Number)
	case bridge.ActionRecord:
		return c.record(action)
	case bridge.ActionStopRecording:
		return c.phones.Hangup(c.life, action.Channel, normalClearing)
	}
	return c.phones.Hangup(c.life, action.Channel, answeredElsewhere)
}

// Causes of ITU-T Q.850.
const (
	normalClearing    = 16
	answeredElsewhere = 26
)
