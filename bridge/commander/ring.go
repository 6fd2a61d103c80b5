package commander

import (
	"context"
	"errors"

	"go.uber.org/zap"

	"kontur-ari/bridge"
	"kontur-ari/bridge/directory"
)

// ring rings all telephones of a user and returns those that ring. It creates all channels
// before the first one rings: until then, no user notices anything.
func (c *Commander) ring(ctx context.Context, click bridge.ClickToCall, phones []directory.User) (rung []bridge.ChannelID, refusal *bridge.Refusal) {
	made, unknown := c.create(ctx, click, phones)
	for _, channel := range made {
		switch err := c.ringOne(ctx, channel); {
		case err == nil:
			rung = append(rung, channel)
		default:
			unknown = errors.Join(unknown, err)
		}
	}
	switch {
	case len(rung) > 0:
		return rung, nil
	case unknown != nil:
		c.log.Warn("a phone can't be rung", zap.String("call", string(click.Call())), zap.Error(unknown))
		return nil, &bridge.Refusal{Status: bridge.RefusedSwitch, Message: "The telephone exchange can't be reached, or doesn't ring the user's telephone."}
	}
	return nil, &bridge.Refusal{Status: bridge.RefusedOffline, Message: "No telephone of the user is registered at the telephone exchange."}
}

// create creates the channels. The error says why some are missing, unless no telephone is
// registered there.
func (c *Commander) create(ctx context.Context, click bridge.ClickToCall, phones []directory.User) (made []bridge.ChannelID, unknown error) {
	count := 0
	create := func(phone directory.User, endpoint string) bool {
		count++
		call := bridge.PhoneCall{
			Channel: click.Channel(count), Endpoint: endpoint, Extension: phone.Extension,
			Shows: click.Number, AutoAnswer: c.config.AutoAnswer,
		}
		err := c.createOne(ctx, call)
		if err == nil {
			made = append(made, call.Channel)
		} else if !errors.Is(err, bridge.ErrDeclined) {
			unknown = errors.Join(unknown, err)
		}
		return err == nil
	}
	for _, phone := range phones {
		if !create(phone, phone.Endpoint) {
			continue
		}
		contacts, err := c.phones.Contacts(ctx, made[len(made)-1], phone.Endpoint)
		if err != nil {
			c.logOneTelephone(click, phone.Endpoint, err)
		}
		// The first contact has its channel already.
		for i := 1; i < len(contacts); i++ {
			create(phone, contacts[i])
		}
	}
	return made, unknown
}

// logOneTelephone logs why an endpoint is rung as a whole, which reaches one of its
// telephones. A telephone that registers a bad address may be an attack.
func (c *Commander) logOneTelephone(click bridge.ClickToCall, endpoint string, err error) {
	level := zap.DebugLevel
	if errors.Is(err, bridge.ErrContacts) {
		level = zap.WarnLevel
	}
	c.log.Log(level, "only one telephone of an endpoint rings", zap.String("call", string(click.Call())),
		zap.String("endpoint", endpoint), zap.Error(err))
}

// createOne creates one channel. Without a clear answer it asks the switch whether the channel
// exists, and never repeats the request.
func (c *Commander) createOne(ctx context.Context, call bridge.PhoneCall) error {
	err := c.phones.Create(ctx, call)
	if err == nil {
		return nil
	}
	if errors.Is(err, bridge.ErrDeclined) {
		c.log.Info("a phone can't be called", zap.String("channel", string(call.Channel)), zap.String("endpoint", call.Endpoint), zap.Error(err))
		return err
	}
	if _, found := c.phones.State(ctx, call.Channel); found == nil {
		return nil
	}
	return err
}

// ringOne rings one channel. Without a clear answer it asks the switch whether the channel
// rings, and else hangs it up: rather no ringing than ringing twice.
func (c *Commander) ringOne(ctx context.Context, channel bridge.ChannelID) error {
	err := c.phones.Ring(ctx, channel, c.config.RingTimeout)
	if err == nil {
		return nil
	}
	if state, found := c.phones.State(ctx, channel); found == nil && state != bridge.StateDown {
		return nil
	}
	if gone := c.phones.Hangup(ctx, channel, normalClearing); gone != nil && !errors.Is(gone, bridge.ErrNoChannel) {
		return errors.Join(err, gone)
	}
	return err
}
