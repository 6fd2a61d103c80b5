package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"runtime/debug"
	"time"

	"go.uber.org/zap"

	"kontur-ari/bridge"
)

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !s.enter() {
		panic(http.ErrAbortHandler) // the connection is being closed
	}
	defer s.handlers.Done()
	peer := s.gate.peer(r)
	s.answer(w, r, peer).write(w, r)
}

// answer calls judge, and turns a panic into an error response: the CRM stops calling an
// integration that breaks connections.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, peer netip.Addr) (a answer) {
	defer func() {
		if fault := recover(); fault != nil {
			s.stats.add(func(s *Stats) { s.Failed++ })
			s.log.Error("a request met a fault of ours", zap.Stringer("peer", peer),
				zap.String("error", fmt.Sprint(fault)), zap.ByteString("stack", debug.Stack()))
			found, _ := s.router.find(r.URL.Path)
			a = failure(found.target, nil)
		}
	}()
	return s.judge(w, r, peer)
}

// judge decides about a request and, if all is well, does what it asks for. The order
// goes from cheap to dear. The connection and the header come first: they cost nothing.
// The key is next, and may cost a question to the CRM. The body comes last: a stranger
// can't have it parsed, and learns nothing of what commands look like. A malformed
// command may cost a question, but questions are bounded, and the CRM's own keys are
// mostly known.
func (s *Server) judge(w http.ResponseWriter, r *http.Request, peer netip.Addr) answer {
	found, reason := s.screen(r, peer)
	if reason != "" {
		return s.reject(reason, found.target, peer)
	}
	if a, good := s.authorise(r, found.target, peer); !good {
		return a
	}
	if !found.target.isCommand() {
		// Nothing in a webhook's body is of use, so it is not even read.
		return s.hook(found.target, peer)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.config.Limits.BodyBytes))
	if err != nil {
		return s.reject(classify(err), found.target, peer, zap.Error(err))
	}
	return s.obey(found, body, peer)
}

// screen looks at everything that a request says before its body, but for the key.
func (s *Server) screen(r *http.Request, peer netip.Addr) (route, Reason) {
	if !s.gate.admits(peer) {
		return route{}, RejectedNetwork
	}
	found, reason := s.router.find(r.URL.Path)
	switch {
	case reason != "":
		return route{}, reason
	case r.Method != http.MethodPost:
		return found, RejectedMethod
	case r.ContentLength > s.config.Limits.BodyBytes:
		return found, RejectedSize
	case found.target.isCommand() && !isJSON(r.Header):
		return found, RejectedMediaType
	}
	return found, ""
}

// authorise reports whether the CRM takes the request's key; the answer is for when
// it doesn't.
func (s *Server) authorise(r *http.Request, t target, peer netip.Addr) (answer, bool) {
	keys := r.Header.Values(headerKey)
	if len(keys) != 1 || !plausible(keys[0]) {
		return s.reject(RejectedNoKey, t, peer), false
	}
	switch found := s.keys.judge(r.Context(), peer, keys[0]); found.verdict {
	case verdictGood:
		return answer{}, true
	case verdictBad:
		return s.reject(RejectedKey, t, peer), false
	case verdictUnaffordable:
		a := s.reject(RejectedBudget, t, peer)
		a.retryAfter = s.keys.budget.pause(peer)
		return a, false
	default:
		return s.reject(RejectedUnchecked, t, peer, zap.Error(found.err)), false
	}
}

// reject counts and notes a request that got no further.
func (s *Server) reject(reason Reason, t target, peer netip.Addr, fields ...zap.Field) answer {
	return s.rejectBecause(reason, t, peer, "The body did not arrive whole; send it again", fields...)
}

func (s *Server) rejectBecause(reason Reason, t target, peer netip.Addr, message string, fields ...zap.Field) answer {
	s.notices.note(reason, append(fields, zap.String("request", string(t)), zap.Stringer("peer", peer))...)
	return rejection(reason, t, message)
}

// obey hands a command to the Commander.
func (s *Server) obey(found route, body []byte, peer netip.Addr) answer {
	fields := []zap.Field{zap.String("request", string(found.target)), zap.Stringer("peer", peer)}
	var do func(context.Context) error
	var err error
	switch found.target {
	case targetCall:
		var c bridge.CallCommand
		c, err = decodeCall(body)
		fields = append(fields, zap.String("communication", c.CommunicationID), zap.String("user", c.FromUserID))
		do = func(ctx context.Context) error { return s.commander.Call(ctx, c) }
	default:
		var c bridge.HangupCommand
		c, err = decodeHangup(body, found.communication)
		fields = append(fields, zap.String("communication", c.CommunicationID), zap.String("leg", string(c.Leg)), zap.String("user", c.UserID))
		do = func(ctx context.Context) error { return s.commander.Hangup(ctx, c) }
	}
	if err != nil {
		return s.rejectBecause(RejectedBody, found.target, peer, err.Error(), zap.Error(err))
	}
	began := time.Now()
	err = s.bounded(do)
	return s.outcome(found.target, err, append(fields, zap.Duration("lasted", time.Since(began))))
}

// hook sets going what a webhook asks for.
func (s *Server) hook(t target, peer netip.Addr) answer {
	do := map[target]func(context.Context) error{targetSync: s.hooks.Synchronise, targetUpgrade: s.hooks.Upgrade}[t]
	var err error
	if do != nil {
		err = s.bounded(do)
	}
	if err != nil {
		s.stats.add(func(s *Stats) { s.Failed++ })
		s.log.Error("a webhook failed", zap.String("request", string(t)), zap.Stringer("peer", peer), zap.Error(err))
		return failure(t, err)
	}
	s.stats.add(func(s *Stats) { s.Webhooks++ })
	s.log.Debug("webhook taken", zap.String("request", string(t)), zap.Stringer("peer", peer))
	return accepted
}

// bounded does what was ordered, for CommandTime at most. It does not end with the
// request: a telephone that rings is not unrung by a connection that breaks.
func (s *Server) bounded(do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(s.life, s.config.Limits.CommandTime)
	defer cancel()
	return do(ctx)
}

// outcome counts and logs how a command ended, and says so to the CRM.
func (s *Server) outcome(t target, err error, fields []zap.Field) answer {
	refused, isRefusal := errors.AsType[*bridge.Refusal](err)
	switch {
	case err == nil:
		s.stats.add(func(s *Stats) { count(s, t) })
		s.log.Info("command obeyed", append(fields, zap.String("status", "OK"))...)
		return accepted
	case isRefusal:
		s.stats.add(func(s *Stats) { s.Refused[refused.Status]++ })
		s.log.Warn("command refused", append(fields, zap.String("status", string(refused.Status)), zap.String("reason", refused.Message))...)
		return refusal(http.StatusConflict, t, string(refused.Status), refused.Message)
	}
	s.stats.add(func(s *Stats) { s.Failed++ })
	a := failure(t, err)
	s.log.Error("command failed", append(fields, zap.Int("status", a.status), zap.Error(err))...)
	return a
}

func count(s *Stats, t target) {
	if t == targetCall {
		s.Calls++
		return
	}
	s.Hangups++
}

// failure is the answer to a failure of ours: 503 where it was a matter of time, or of
// room, 500 else. It says nothing of what went wrong in here.
func failure(t target, err error) answer {
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		a := refusal(http.StatusServiceUnavailable, t, "unavailable", "It could not be done in time; try again later")
		a.retryAfter = 5 * time.Second
		return a
	case errors.Is(err, bridge.ErrNoRoom):
		a := refusal(http.StatusServiceUnavailable, t, "unavailable", "It can't be stored now; try again later")
		a.retryAfter = 5 * time.Second
		return a
	}
	return refusal(http.StatusInternalServerError, t, "internalError", "Something went wrong here; the log of kontur-ari says what")
}
