package commander

import (
	"context"
	"errors"
	"strings"

	"go.uber.org/zap"

	"kontur-ari/bridge"
	"kontur-ari/bridge/tracker"
)

// Hangup implements [bridge.Commander].
func (c *Commander) Hangup(ctx context.Context, command bridge.HangupCommand) error {
	legs, err := c.legs(ctx, command)
	if err != nil {
		return err
	}
	if len(legs) == 0 {
		return &bridge.Refusal{Status: bridge.RefusedLeg, Message: "No such call goes on at the telephone exchange."}
	}
	user := c.userID(command.UserID)
	var channels []bridge.ChannelID
	for _, leg := range legs {
		if own := leg.Channels(user); len(own) > 0 {
			channels = append(channels, own...)
			c.tracking.Put(bridge.NewHangupEvent(bridge.HangupNews{Call: leg.Call, Leg: leg.ID, User: user}, c.config.Now()))
		}
	}
	if len(channels) == 0 {
		return &bridge.Refusal{Status: bridge.RefusedParty, Message: "userId: this user has no part in the call."}
	}
	for _, channel := range channels {
		if err := c.phones.Hangup(ctx, channel, normalClearing); err != nil && !errors.Is(err, bridge.ErrNoChannel) {
			c.log.Warn("a channel can't be hung up", zap.String("call", string(legs[0].Call)), zap.String("channel", string(channel)), zap.Error(err))
			return &bridge.Refusal{Status: bridge.RefusedSwitch, Message: "The telephone exchange can't be reached, or doesn't hang up."}
		}
	}
	c.log.Debug("hung up for the CRM", zap.String("call", string(legs[0].Call)), zap.String("leg", string(legs[0].ID)), zap.String("user", command.UserID))
	return nil
}

// userID returns a user's id as written in the directory; reports carry that.
func (c *Commander) userID(id string) string {
	if entries := c.config.Directory.Users(id); len(entries) > 0 {
		return entries[0].ID
	}
	return id
}

// legs returns the open legs that a command is about: the one it names, else all of the
// call.
func (c *Commander) legs(ctx context.Context, command bridge.HangupCommand) ([]bridge.OpenLeg, error) {
	isIt := func(leg bridge.OpenLeg) bool { return leg.ID == command.Leg }
	if command.Leg == "" {
		if command.CommunicationID == "" {
			return nil, &bridge.Refusal{Status: bridge.RefusedInvalid, Message: "realtimeCallItemId: is missing, and so is the communication's id in the path."}
		}
		call, found, err := c.clicks.CallOf(ctx, command.CommunicationID)
		if err != nil {
			return nil, err
		}
		isIt = func(leg bridge.OpenLeg) bool {
			return strings.EqualFold(leg.CommunicationID, command.CommunicationID) || found && leg.Call == call
		}
	}
	var legs []bridge.OpenLeg
	c.tracking.Look(func(t *tracker.Tracker) {
		for _, leg := range t.OpenLegs() {
			if isIt(leg) {
				legs = append(legs, leg)
			}
		}
	})
	return legs, nil
}
