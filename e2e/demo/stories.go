package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"kontur-ari/crm/crmtest"
	"kontur-ari/e2e/lab"
	"kontur-ari/e2e/phone"
)

// story is a call and the requests that the CRM must receive.
type story struct {
	title   string
	happens func(context.Context, stage) error
	reports []string
}

// stage is where a story happens.
type stage struct {
	*lab.Lab
	// system sends the CRM's commands.
	system *crmtest.System
}

var stories = []story{
	{
		"a client calls, 101 answers, the client hangs up",
		answered,
		[]string{"started(inbound)", "L1 appeared", "L1 connected", "L1 disconnected", "L1 finished", "CALL-FINISHED", "REGISTER"},
	},
	{
		"a client calls, 101 rings and does not answer",
		missed,
		[]string{"started(inbound)", "L1 appeared", "L1 disconnected", "L1 finished", "CALL-FINISHED", "REGISTER"},
	},
	{
		"102 calls a client, who answers and hangs up",
		outgoing,
		[]string{"started(outbound)", "L1 appeared", "L1 connected", "L1 disconnected", "L1 finished", "CALL-FINISHED", "REGISTER"},
	},
	{
		"101 clicks on a client's number in the CRM, picks up the telephone, the client answers, 101 hangs up in the CRM",
		clicked,
		[]string{"started(outbound)", "L1 appeared", "L1 connected", "L1 disconnected", "L1 finished", "CALL-FINISHED", "REGISTER"},
	},
}

func answered(ctx context.Context, s stage) error {
	caller, err := s.Trunk.Call(ctx, phone.As("79997775533", "78005550101"))
	if err != nil {
		return err
	}
	callee, err := s.Phone("101").AwaitCall(ctx, "")
	if err != nil {
		return err
	}
	if err := talk(ctx, callee, caller); err != nil {
		return err
	}
	return caller.Hangup(ctx)
}

// missed calls a number that rings for four seconds.
func missed(ctx context.Context, s stage) error {
	caller, err := s.Trunk.Call(ctx, phone.As("79997775533", "78005551101"))
	if err != nil {
		return err
	}
	callee, err := s.Phone("101").AwaitCall(ctx, "")
	if err != nil {
		return err
	}
	if err := callee.Ring(); err != nil {
		return err
	}
	_, err = caller.AwaitEnded(ctx)
	return err
}

func outgoing(ctx context.Context, s stage) error {
	const client = "79161234567"
	caller, err := s.Phone("102").Dial(ctx, client)
	if err != nil {
		return err
	}
	callee, err := s.Trunk.AwaitCall(ctx, client)
	if err != nil {
		return err
	}
	if err := talk(ctx, callee, caller); err != nil {
		return err
	}
	return callee.Hangup(ctx)
}

func clicked(ctx context.Context, s stage) error {
	const client = "79161234567"
	command := crmtest.CallBody{CommunicationID: uuid.NewString(), FromUserID: lab.UserID("101"), ClientPhone: client}
	answer, err := s.system.Call(ctx, command)
	if err != nil {
		return err
	}
	if !answer.Taken() {
		return fmt.Errorf("CALL is answered with %d %s", answer.Code, answer.Body)
	}
	own, err := s.Phone("101").AwaitCall(ctx, "")
	if err != nil {
		return err
	}
	if err := errors.Join(own.Ring(), own.Answer(ctx)); err != nil {
		return err
	}
	callee, err := s.Trunk.AwaitCall(ctx, client)
	if err != nil {
		return err
	}
	if err := errors.Join(callee.Ring(), callee.Answer(ctx), s.AwaitTogether(ctx, "101", "trunk"), converse(ctx)); err != nil {
		return err
	}
	answer, err = s.system.Hangup(ctx, command.CommunicationID, crmtest.HangupBody{UserID: command.FromUserID})
	if err == nil && !answer.Taken() {
		err = fmt.Errorf("HANGUP is answered with %d %s", answer.Code, answer.Body)
	}
	return err
}

// conversation is how long a talk lasts.
const conversation = time.Second

// talk has the callee pick up, and both talk.
func talk(ctx context.Context, callee, caller *phone.Call) error {
	if err := callee.Ring(); err != nil {
		return err
	}
	if err := caller.AwaitRinging(ctx); err != nil {
		return err
	}
	if err := callee.Answer(ctx); err != nil {
		return err
	}
	if err := caller.AwaitAnswered(ctx); err != nil {
		return err
	}
	return converse(ctx)
}

// converse waits for the length of a talk.
func converse(ctx context.Context) error {
	select {
	case <-time.After(conversation):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
