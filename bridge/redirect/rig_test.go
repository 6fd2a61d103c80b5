package redirect_test

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"kontur-ari/bridge"
	"kontur-ari/bridge/directory"
	"kontur-ari/bridge/redirect"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const budget = 1500 * time.Millisecond

// rig is a switch and a CRM in the same process. They do what the test wants.
type rig struct {
	t    *testing.T
	r    *redirect.Redirector
	log  *observer.ObservedLogs
	came time.Time

	mu        sync.Mutex
	asked     []redirect.Query
	variables map[bridge.ChannelID]map[string]string
	went      map[bridge.ChannelID]time.Duration
	// at is where a channel went on, "context extension"; "" behind Stasis.
	at       map[bridge.ChannelID]string
	waiting  []redirect.Caller
	identity map[bridge.CallID]bridge.Identity

	// These say what the CRM, the telephones and the switch do. They are set before the first
	// caller comes.
	crm       func(context.Context, redirect.Query) ([]string, error)
	phone     func(context.Context, string) (redirect.PhoneState, error)
	set, cont func(ctx context.Context, try int) error
}

// hang is a request without an answer.
func hang(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }

// names is a CRM that names these users for everybody.
func names(users ...string) func(context.Context, redirect.Query) ([]string, error) {
	return func(context.Context, redirect.Query) ([]string, error) { return users, nil }
}

// phones are telephones in these states; others are offline.
func phones(states map[string]redirect.PhoneState) func(context.Context, string) (redirect.PhoneState, error) {
	return func(_ context.Context, endpoint string) (redirect.PhoneState, error) {
		if state, ok := states[endpoint]; ok {
			return state, nil
		}
		return redirect.PhoneOffline, nil
	}
}

// play runs a test in a bubble with a rig: every telephone is free, and the CRM names anna.
func play(t *testing.T, test func(t *testing.T, e *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		numbers, err := directory.NewNumbers("RU", regexp.MustCompile(`^\d{2,5}$`), "anonymous")
		if err != nil {
			t.Fatal(err)
		}
		core, log := observer.New(zap.InfoLevel)
		e := &rig{
			t: t, log: log, came: time.Now(),
			variables: map[bridge.ChannelID]map[string]string{}, went: map[bridge.ChannelID]time.Duration{},
			at:       map[bridge.ChannelID]string{},
			identity: map[bridge.CallID]bridge.Identity{},
			crm:      names("anna"),
			phone:    func(context.Context, string) (redirect.PhoneState, error) { return redirect.PhoneFree, nil },
		}
		e.r = redirect.New(redirect.Config{
			CRM: e, Switch: e, Identities: e, Numbers: numbers, Timeout: budget,
			Users: []directory.User{
				{ID: "anna", Extension: "101", Endpoint: "PJSIP/101"},
				{ID: "boris", Extension: "102", Endpoint: "PJSIP/102"},
			},
		}, zap.New(core))
		defer func() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			if err := e.r.Stop(ctx); err != nil {
				t.Errorf("stop: %v", err)
			}
		}()
		test(t, e)
	})
}

// enters lets a caller enter Stasis, and returns when the channel continued.
func (e *rig) enters(channel bridge.ChannelID, number string) {
	e.t.Helper()
	e.entersWith(channel, number, "redirect")
}

// entersWith is enters with other arguments of Stasis.
func (e *rig) entersWith(channel bridge.ChannelID, number string, arguments ...string) {
	e.t.Helper()
	e.mu.Lock()
	e.came = time.Now()
	e.mu.Unlock()
	e.r.Enter(redirect.Caller{Channel: channel, Call: bridge.CallID(channel), Number: number, Arguments: arguments})
	for range 100 {
		synctest.Wait()
		e.mu.Lock()
		_, went := e.went[channel]
		e.mu.Unlock()
		if went {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	e.t.Fatalf("%s never continued", channel)
}

// has compares a channel's variables, and when it went on.
func (e *rig) has(channel bridge.ChannelID, after time.Duration, want map[string]string) {
	e.t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	if got := e.variables[channel]; !maps.Equal(got, want) {
		e.t.Errorf("%s has %v, want %v", channel, got, want)
	}
	if got, went := e.went[channel]; !went || got != after {
		e.t.Errorf("%s went on after %v (%t), want %v", channel, got, went, after)
	}
}

func (e *rig) Responsible(ctx context.Context, query redirect.Query) ([]string, error) {
	e.mu.Lock()
	e.asked = append(e.asked, query)
	e.mu.Unlock()
	return e.crm(ctx, query)
}

func (e *rig) questions() []redirect.Query {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.asked)
}

func (e *rig) Identity(_ context.Context, call bridge.CallID) (bridge.Identity, bool, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	identity, known := e.identity[call]
	return identity, known, nil
}

func (e *rig) PhoneState(ctx context.Context, endpoint string) (redirect.PhoneState, error) {
	return e.phone(ctx, endpoint)
}

func (e *rig) SetVariable(ctx context.Context, channel bridge.ChannelID, name, value string) error {
	e.mu.Lock()
	_, went := e.went[channel]
	try := len(e.variables[channel])
	e.mu.Unlock()
	if went {
		return redirect.ErrGone
	}
	if e.set != nil {
		if err := e.set(ctx, try); err != nil {
			return err
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.variables[channel] == nil {
		e.variables[channel] = map[string]string{}
	}
	e.variables[channel][name] = value
	return nil
}

func (e *rig) Continue(ctx context.Context, channel bridge.ChannelID) error {
	return e.goOn(ctx, channel, "")
}

func (e *rig) ContinueAt(ctx context.Context, channel bridge.ChannelID, context, extension string) error {
	return e.goOn(ctx, channel, context+" "+extension)
}

func (e *rig) goOn(ctx context.Context, channel bridge.ChannelID, at string) error {
	if e.cont != nil {
		if err := e.cont(ctx, 0); err != nil {
			return err
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, went := e.went[channel]; went {
		return redirect.ErrGone
	}
	e.went[channel], e.at[channel] = time.Since(e.came), at
	return nil
}

func (e *rig) Waiting(context.Context) ([]redirect.Caller, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.waiting, nil
}

// logged counts the lines of the log with this message.
func (e *rig) logged(message string) int { return e.log.FilterMessage(message).Len() }
