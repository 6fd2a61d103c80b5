package redirect

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"
)

// The channel variables that the dial plan finds when it goes on.
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
	// continueWithin bounds one try of telling a channel to go on, continueTries how
	// many there are, continuePause what is between them. It is not part of the
	// caller's time: who must go on must go on late as well.
	continueWithin = time.Second
	continueTries  = 3
	continuePause  = 200 * time.Millisecond
	// lookWithin bounds looking for those who still wait when we stop.
	lookWithin = 2 * time.Second
)

// handover is what became of a caller in the end: a closed set.
type handover string

const (
	// handedOver: the channel goes on and has the result.
	handedOver handover = "handed over"
	// bare: the channel goes on, but not all variables could be set.
	bare handover = "without result"
	// gone: the caller hung up, or the channel went on without us.
	gone handover = "gone"
	// stuck: the channel could not be told to go on.
	stuck handover = "stuck"
)

// release sets the variables and lets the channel go on.
func (r *Redirector) release(caller Caller, decided decision, deadline time.Time) handover {
	// A third of what was kept is for going on: whoever hears nothing would rather
	// do so in time than know why.
	kept := reserved(r.config.Timeout)
	until := deadline.Add(-kept / 3)
	if least := time.Now().Add(kept * 2 / 3); until.Before(least) {
		until = least
	}
	setting, cancel := context.WithDeadline(context.WithoutCancel(r.life), until)
	err := r.setVariables(setting, caller, decided)
	cancel()
	switch handed := r.letGo(caller); {
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

// letGo tells the channel to go on, more than once if need be.
func (r *Redirector) letGo(caller Caller) handover {
	// The dial plan may ask again as soon as the channel goes on.
	r.mu.Lock()
	delete(r.underway, caller.Channel)
	r.mu.Unlock()
	var err error
	for try := range continueTries {
		if try > 0 {
			time.Sleep(continuePause)
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.life), continueWithin)
		err = r.config.Switch.Continue(ctx, caller.Channel)
		cancel()
		switch {
		case err == nil:
			return handedOver
		case errors.Is(err, ErrGone):
			// After a try that had no answer, that one may have done it.
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

// dismiss lets a channel go on that was not sent here to be asked about.
func (r *Redirector) dismiss(caller Caller) {
	r.mu.Lock()
	news := r.foreign == nil || !slices.Equal(r.foreign, caller.Arguments)
	r.foreign = append([]string{}, caller.Arguments...)
	r.mu.Unlock()
	if news {
		r.log.Warn("the dial plan sends channels here with arguments that mean nothing; write Stasis(kontur-ari,redirect)",
			zap.String("channel", string(caller.Channel)), zap.Strings("arguments", caller.Arguments))
	}
	r.counters.dismiss(r.letGo(caller))
}

// releaseWaiting lets everybody go on whom Asterisk shows as waiting for us. It is
// for the few who came in the moment of a stop, and may fail: where Asterisk is away
// nobody waits.
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
