package daemon

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"

	"kontur-ari/ari"
	"kontur-ari/ari/aritest"
	"kontur-ari/bridge"
	"kontur-ari/bridge/redirect"
	"kontur-ari/internal/secret"
)

const redirectApplication = "kontur-ari"

func newWaitingRoom(t *testing.T, server *aritest.Server) waitingRoom {
	t.Helper()
	switcher, err := ari.NewSwitch(ari.Config{
		URL: server.URL, Username: aritest.Username, Password: secret.New(aritest.Password), Application: redirectApplication,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(switcher.Close)
	return waitingRoom{switcher, redirectApplication}
}

func TestAnEndpointIsAPhoneThatCanBeCalledOrNot(t *testing.T) {
	server := aritest.Start(t)
	server.SetEndpoint("PJSIP/101", "online")
	server.SetEndpoint("PJSIP/102", "online", "1.1")
	server.SetEndpoint("PJSIP/103", "offline")
	server.SetEndpoint("PJSIP/104", "unknown")
	room := newWaitingRoom(t, server)
	for endpoint, want := range map[string]redirect.PhoneState{
		"PJSIP/101": redirect.PhoneFree, "PJSIP/102": redirect.PhoneBusy, "PJSIP/103": redirect.PhoneOffline,
		"PJSIP/104": redirect.PhoneOffline, "PJSIP/105": redirect.PhoneOffline,
	} {
		if got, err := room.PhoneState(t.Context(), endpoint); got != want || err != nil {
			t.Errorf("%s: %v, %v, want %v", endpoint, got, err, want)
		}
	}
	server.Refuse(500)
	if got, err := room.PhoneState(t.Context(), "PJSIP/101"); got != redirect.PhoneUnread || err == nil {
		t.Errorf("refused: %v, %v", got, err)
	}
}

func TestAChannelThatWentOnIsGone(t *testing.T) {
	server := aritest.Start(t)
	room := newWaitingRoom(t, server)
	server.Leftover("1.1", "+79997775533", redirectApplication, "redirect")
	if err := room.SetVariable(t.Context(), "1.1", "KONTUR_RESULT", "BUSY"); err != nil {
		t.Error(err)
	}
	if err := room.Continue(t.Context(), "1.1"); err != nil {
		t.Error(err)
	}
	if err := room.Continue(t.Context(), "1.1"); !errors.Is(err, redirect.ErrGone) {
		t.Errorf("continue: %v", err)
	}
	if err := room.SetVariable(t.Context(), "1.1", "KONTUR_RESULT", "BUSY"); !errors.Is(err, redirect.ErrGone) {
		t.Errorf("set: %v", err)
	}
	server.Refuse(503)
	if err := room.Continue(t.Context(), "1.2"); err == nil || errors.Is(err, redirect.ErrGone) {
		t.Errorf("no answer: %v", err)
	}
}

func TestAChannelGoesOnAtAnExtension(t *testing.T) {
	server := aritest.Start(t)
	room := newWaitingRoom(t, server)
	server.Leftover("1.1", "+79997775533", redirectApplication, "redirect", "kontur-responsible")
	if err := room.ContinueAt(t.Context(), "1.1", "kontur-responsible", "101"); err != nil {
		t.Error(err)
	}
	if at := server.ContinuedAt("1.1"); at != "context=kontur-responsible&extension=101&priority=1" {
		t.Errorf("went on at %s", at)
	}
	if err := room.ContinueAt(t.Context(), "1.1", "kontur-responsible", "101"); !errors.Is(err, redirect.ErrGone) {
		t.Errorf("again: %v", err)
	}
}

func TestOnlyOurOwnCallersAreLookedFor(t *testing.T) {
	server := aritest.Start(t)
	room := newWaitingRoom(t, server)
	server.Leftover("1.1", "+79997775533", redirectApplication, "redirect")
	server.Leftover("1.2", "", "another", "redirect")
	got, err := room.Waiting(t.Context())
	want := []redirect.Caller{{Channel: "1.1", Call: "1.1", Number: "+79997775533", Arguments: []string{"redirect"}, Found: true}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v %s", err, diff)
	}
	// As long as another process is registered under our name, the callers are that one's.
	source := ari.NewSource(room.switcher, ari.SourceConfig{}, zap.NewNop())
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- source.Run(ctx, func(bridge.Event) {}) }()
	limit, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	if err := server.AwaitSubscribed(limit); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if got, err := room.Waiting(t.Context()); len(got) != 0 || err != nil || time.Since(began) < forgottenWithin {
		t.Errorf("of another process: %v, %v, after %v", got, err, time.Since(began))
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestACallersCallIsThatOfTheReports(t *testing.T) {
	start := ari.StasisStart{Channel: bridge.Channel{ID: "1.2"}}
	if got := callerOf(start).Call; got != "1.2" {
		t.Errorf("without a linkedid: %s", got)
	}
	start.Channel.LinkedID = "1.1"
	if got := callerOf(start).Call; got != "1.1" {
		t.Errorf("with one: %s", got)
	}
}

// A channel that was made for an order asks nothing of us, unless the dial plan sends
// it here as any other.
func TestAnOrderedChannelIsACallerWhenTheDialplanSendsIt(t *testing.T) {
	server := aritest.Start(t)
	room := newWaitingRoom(t, server)
	server.Leftover("kontur-ari~c1.1", "101", redirectApplication, "ordered")
	server.Leftover("kontur-ari~c2.1", "101", redirectApplication, "redirect")
	callers, err := room.Waiting(t.Context())
	if err != nil || len(callers) != 1 || callers[0].Channel != "kontur-ari~c2.1" {
		t.Errorf("%+v, %v", callers, err)
	}
}
