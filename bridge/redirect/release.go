package redirect

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"go.uber.org/zap"

	"kontur-ari/bridge"
	"kontur-ari/internal/retry"
)

// The channel variables that a dial plan finds which asks without a context. A variable
// that is set over ARI makes Asterisk 22 refuse DB() and its like to the channel, so
// dial plans that use them, such as FreePBX's, ask with one.
const (
	// VariableResult is the [Result]. It is set last: where it says FOUND, the
	// others are there.
	VariableResult = "KONTUR_RESULT"
	// VariableUser is the id in the CRM of the user to be called first.
	VariableUser = "KONTUR_USER"
	// VariableExten is the extension of that user's telephone.
	VariableExten = "KONTUR_EXTEN"
)

const (
	// continueWithin bounds one attempt to let a channel continue. continueAttempts is how
	// many there are, continuePause the pause between them. They come on top of the
	// caller's time: a late caller must continue too.
	continueWithin   = time.Second
	continueAttempts = 3
	continuePause    = 200 * time.Millisecond
	// lookWithin bounds the look for callers who still wait at a stop.
	lookWithin = 2 * time.Second
)

// handover is how serving a caller ended: a closed set.
type handover string

const (
	// handedOver: the channel goes on and has the result.
	handedOver handover = "handed over"
	// bare: the channel goes on, but not all variables could be set.
	bare handover = "without result"
	// gone: the caller hung up, or the channel continued by other means.
	gone handover = "gone"
	// stuck: no request to continue was answered.
	stuck handover = "stuck"
)

// place is where a channel goes on: behind Stasis, or at an extension of a context.
type place struct{ context, extension string }

// behindStasis is where the dial plan was left.
var behindStasis place

// contextShape is what the name of a context may be.
var contextShape = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,79}$`)

// answerContext returns the context in which the dial plan wants to go on at a
// responsible user's extension; "" where it reads variables instead. ours is false where
// the arguments ask for nothing that is known here.
func answerContext(arguments []string) (into string, ours bool) {
	switch {
	case len(arguments) == 0 || arguments[0] != Argument:
		return "", false
	case len(arguments) == 1:
		return "", true
	}
	return arguments[1], len(arguments) == 2 && contextShape.MatchString(arguments[1])
}

// handOver lets the channel go on with what was decided: at the extension that was found,
// else behind Stasis. Without a context the dial plan reads variables.
func (r *Redirector) handOver(caller Caller, into string, decided decision, deadline time.Time) handover {
	switch {
	case into == "":
		r.variablesOnce.Do(func() {
			r.log.Info("the dial plan reads variables, behind which Asterisk refuses it DB(); Stasis(kontur-ari,redirect,CONTEXT) has no such effect",
				zap.String("channel", string(caller.Channel)))
		})
		return r.releaseWithVariables(caller, decided, deadline)
	case decided.result == Found:
		return r.continueIn(caller, place{into, decided.phone.Extension})
	}
	return r.continueIn(caller, behindStasis)
}

// releaseWithVariables sets the variables and lets the channel go on.
func (r *Redirector) releaseWithVariables(caller Caller, decided decision, deadline time.Time) handover {
	// A third of the reserved time is for continuing: to continue in time matters more
	// than the result.
	kept := reserved(r.config.Timeout)
	until := deadline.Add(-kept / 3)
	if least := time.Now().Add(kept * 2 / 3); until.Before(least) {
		until = least
	}
	setting, cancel := context.WithDeadline(context.WithoutCancel(r.life), until)
	err := r.setVariables(setting, caller, decided)
	cancel()
	switch handed := r.continueIn(caller, behindStasis); {
	case handed != handedOver:
		return handed
	case err != nil:
		r.log.Warn("a caller goes on without KONTUR_RESULT", zap.String("channel", string(caller.Channel)),
			zap.String("call", string(caller.Call)), zap.Error(err))
		return bare
	}
	return handedOver
}

func (r *Redirector) setVariables(ctx context.Context, caller Caller, decided decision) error {
	variables := [][2]string{{VariableResult, string(decided.result)}}
	if decided.result == Found {
		variables = [][2]string{{VariableUser, decided.phone.UserID}, {VariableExten, decided.phone.Extension}, variables[0]}
	}
	for _, variable := range variables {
		if err := r.config.Switch.SetVariable(ctx, caller.Channel, variable[0], variable[1]); err != nil {
			return fmt.Errorf("setting %s: %w", variable[0], err)
		}
	}
	return nil
}

// continueIn lets the channel continue at a place, and repeats the request after a failure.
func (r *Redirector) continueIn(caller Caller, to place) handover {
	// The dial plan may ask again as soon as the channel goes on.
	r.mu.Lock()
	delete(r.underway, caller.Channel)
	r.mu.Unlock()
	var err error
	for try := range continueAttempts {
		if try > 0 {
			// A stop waits for it: each caller must go on.
			_ = retry.Sleep(context.WithoutCancel(r.life), continuePause)
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.life), continueWithin)
		err = r.goOn(ctx, caller.Channel, to)
		cancel()
		switch {
		case err == nil:
			return handedOver
		case errors.Is(err, ErrGone):
			// An earlier attempt without an answer may have done it.
			if try > 0 {
				return handedOver
			}
			return gone
		}
	}
	r.log.Error("a caller can't be told to go on, and hears nothing until Asterisk answers again",
		zap.String("channel", string(caller.Channel)), zap.String("call", string(caller.Call)), zap.Error(err))
	return stuck
}

func (r *Redirector) goOn(ctx context.Context, channel bridge.ChannelID, to place) error {
	if to == behindStasis {
		return r.config.Switch.Continue(ctx, channel)
	}
	return r.config.Switch.ContinueAt(ctx, channel, to.context, to.extension)
}

// dismiss lets a channel continue whose arguments mean nothing here.
func (r *Redirector) dismiss(caller Caller) {
	r.mu.Lock()
	news := r.foreign == nil || !slices.Equal(r.foreign, caller.Arguments)
	r.foreign = append([]string{}, caller.Arguments...)
	r.mu.Unlock()
	if news {
		r.log.Warn("the dial plan sends channels here with arguments that mean nothing; write Stasis(kontur-ari,redirect)",
			zap.String("channel", string(caller.Channel)), zap.Strings("arguments", caller.Arguments))
	}
	r.counters.dismiss(r.continueIn(caller, behindStasis))
}

// releaseWaiting lets the channels continue that Asterisk lists as waiting for us. It is for
// the few that came in the moment of a stop, and may fail: without Asterisk no channel
// waits.
func (r *Redirector) releaseWaiting(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	callers, err := r.config.Switch.Waiting(ctx)
	if err != nil {
		r.log.Warn("nobody knows whether callers still wait in Stasis", zap.Error(err))
		return
	}
	for _, caller := range callers {
		caller.Found = true
		r.serve(caller, time.Now())
	}
}
