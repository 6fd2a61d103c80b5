package main

import (
	"context"
	"time"

	"kontur-ari/e2e/lab"
	"kontur-ari/e2e/phone"
)

// story is a call and what the CRM is to be told of it.
type story struct {
	title   string
	happens func(context.Context, *lab.Lab) error
	told    []string
}

var stories = []story{
	{
		"a client calls, 101 answers, the client hangs up",
		answered,
		[]string{"started(inbound)", "L1 appeared", "L1 connected", "L1 disconnected", "L1 finished", "CALL-FINISHED", "REGISTER"},
	},
	{
		"a client calls, 101 rings, nobody answers",
		missed,
		[]string{"started(inbound)", "L1 appeared", "L1 disconnected", "L1 finished", "CALL-FINISHED", "REGISTER"},
	},
	{
		"102 calls a client, who answers and hangs up",
		outgoing,
		[]string{"started(outbound)", "L1 appeared", "L1 connected", "L1 disconnected", "L1 finished", "CALL-FINISHED", "REGISTER"},
	},
}

func answered(ctx context.Context, l *lab.Lab) error {
	caller, err := l.Trunk.Call(ctx, phone.As("79997775533", "78005550101"))
	if err != nil {
		return err
	}
	callee, err := l.Phone("101").AwaitCall(ctx, "")
	if err != nil {
		return err
	}
	if err := talk(ctx, callee, caller); err != nil {
		return err
	}
	return caller.Hangup(ctx)
}

// missed calls a number that rings for four seconds.
func missed(ctx context.Context, l *lab.Lab) error {
	caller, err := l.Trunk.Call(ctx, phone.As("79997775533", "78005551101"))
	if err != nil {
		return err
	}
	callee, err := l.Phone("101").AwaitCall(ctx, "")
	if err != nil {
		return err
	}
	if err := callee.Ring(); err != nil {
		return err
	}
	_, err = caller.AwaitEnded(ctx)
	return err
}

func outgoing(ctx context.Context, l *lab.Lab) error {
	const client = "79161234567"
	caller, err := l.Phone("102").Dial(ctx, client)
	if err != nil {
		return err
	}
	callee, err := l.Trunk.AwaitCall(ctx, client)
	if err != nil {
		return err
	}
	if err := talk(ctx, callee, caller); err != nil {
		return err
	}
	return callee.Hangup(ctx)
}

// conversation is how long people talk here.
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
	select {
	case <-time.After(conversation):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
