package daemon

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"kontur-ari/ari"
	"kontur-ari/bridge"
	"kontur-ari/bridge/redirect"
	"kontur-ari/bridge/store"
	"kontur-ari/cmd/kontur-ari/internal/setup"
	"kontur-ari/configs"
	"kontur-ari/crm"
	"kontur-ari/internal/retry"
)

const (
	// forgottenWithin bounds the wait for Asterisk to notice that we have left.
	forgottenWithin = time.Second
	// forgottenEvery is the pause between two queries for that.
	forgottenEvery = 50 * time.Millisecond
)

// newRedirector makes the part that asks the CRM who is responsible for a caller.
func newRedirector(cfg configs.Config, client *crm.Client, db *store.Store, switcher *ari.Switch, log *zap.Logger) (*redirect.Redirector, error) {
	numbers, err := setup.Numbers(cfg)
	if err != nil {
		return nil, err
	}
	return redirect.New(redirect.Config{
		CRM:        responsibleUsers{client},
		Switch:     waitingRoom{switcher, cfg.Asterisk.Application},
		Identities: db,
		Numbers:    numbers,
		Users:      setup.Users(cfg),
		Timeout:    cfg.Redirect.Timeout,
	}, log), nil
}

// responsibleUsers is the CRM as package redirect asks it.
type responsibleUsers struct{ client *crm.Client }

func (r responsibleUsers) Responsible(ctx context.Context, query redirect.Query) ([]string, error) {
	return r.client.Responsible(ctx, crm.RedirectQuery(query))
}

// waitingRoom is Asterisk's Stasis as package redirect commands it.
type waitingRoom struct {
	switcher    *ari.Switch
	application string
}

func (w waitingRoom) PhoneState(ctx context.Context, endpoint string) (redirect.PhoneState, error) {
	known, err := w.switcher.Endpoint(ctx, endpoint)
	switch {
	case errors.Is(err, ari.ErrNotFound):
		return redirect.PhoneOffline, nil
	case err != nil:
		return redirect.PhoneUnread, err
	case known.State != ari.EndpointOnline:
		return redirect.PhoneOffline, nil
	case len(known.Channels) > 0:
		return redirect.PhoneBusy, nil
	}
	return redirect.PhoneFree, nil
}

func (w waitingRoom) SetVariable(ctx context.Context, channel bridge.ChannelID, name, value string) error {
	return goneIfNotWaiting(w.switcher.SetVariable(ctx, channel, name, value))
}

func (w waitingRoom) Continue(ctx context.Context, channel bridge.ChannelID) error {
	return goneIfNotWaiting(w.switcher.Continue(ctx, channel))
}

func (w waitingRoom) ContinueAt(ctx context.Context, channel bridge.ChannelID, context, extension string) error {
	return goneIfNotWaiting(w.switcher.ContinueAt(ctx, channel, context, extension))
}

// Waiting waits until Asterisk has noticed that we don't listen any more: until then one
// more channel may enter. If another process listens under our name, the callers are
// that one's, and none are returned.
func (w waitingRoom) Waiting(ctx context.Context) ([]redirect.Caller, error) {
	if free, err := w.nameIsFree(ctx); err != nil || !free {
		return nil, err
	}
	starts, err := w.switcher.Waiting(ctx, w.application)
	var callers []redirect.Caller
	for _, start := range starts {
		if !start.IsClickToCall() && !start.IsSnoop() {
			callers = append(callers, callerOf(start))
		}
	}
	return callers, err
}

// nameIsFree waits up to forgottenWithin until no process is registered under our name.
func (w waitingRoom) nameIsFree(ctx context.Context) (bool, error) {
	for until := time.Now().Add(forgottenWithin); ; {
		_, err := w.switcher.Application(ctx, w.application)
		switch {
		case errors.Is(err, ari.ErrNotFound):
			return true, nil
		case err != nil, time.Now().After(until):
			return false, err
		}
		if err := retry.Sleep(ctx, forgottenEvery); err != nil {
			return false, err
		}
	}
}

// goneIfNotWaiting adds [redirect.ErrGone] where the channel no longer waits: Asterisk
// answers "conflict" for one that has gone on, and "not found" after a hangup.
func goneIfNotWaiting(err error) error {
	if errors.Is(err, ari.ErrNotFound) || errors.Is(err, ari.ErrConflict) {
		return fmt.Errorf("%w: %w", redirect.ErrGone, err)
	}
	return err
}

// callerOf returns a channel in Stasis as a caller of package redirect.
func callerOf(start ari.StasisStart) redirect.Caller {
	call := bridge.CallID(start.Channel.LinkedID)
	if call == "" {
		// A caller who waits before anyone was dialled is the first channel of the call.
		call = bridge.CallID(start.Channel.ID)
	}
	return redirect.Caller{
		Channel: start.Channel.ID, Call: call, Number: start.Channel.CallerNumber,
		Arguments: start.Arguments, Found: start.Found,
	}
}

// redirectDetails are what /readyz shows of the redirect.
func redirectDetails(stats redirect.Stats) map[string]any {
	return map[string]any{
		"results": stats.Results, "underway": stats.Underway, "circuit": stats.Circuit,
		"gone": stats.Gone, "bare": stats.Bare, "stuck": stats.Stuck, "dismissed": stats.Dismissed,
	}
}
