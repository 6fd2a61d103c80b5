package ari_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kontur-ari/ari"
	"kontur-ari/ari/aritest"
	"kontur-ari/bridge"
)

// refusing is a transport to a machine where nobody listens.
type refusing struct{}

func (refusing) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
}

func newSwitch(t *testing.T, server *aritest.Server) *ari.Switch {
	t.Helper()
	rest, err := ari.NewSwitch(configFor(server))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(rest.Close)
	return rest
}

func TestSwitchReadsVariables(t *testing.T) {
	server := aritest.Start(t)
	rest := newSwitch(t, server)
	server.SetVariable("pbx/1 1.1", "CALLERID(dnid)", "+7 (495) 111-22-33")
	got, err := rest.Variable(t.Context(), bridge.ChannelID("pbx/1 1.1"), "CALLERID(dnid)")
	if err != nil || got != "+7 (495) 111-22-33" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err = rest.Variable(t.Context(), "1.1", "CALLERID(dnid)"); !errors.Is(err, ari.ErrNotFound) {
		t.Errorf("missing variable: %v", err)
	}
}

func TestSwitchErrorsSayWhatAndHideSecrets(t *testing.T) {
	server := aritest.Start(t)
	rest := newSwitch(t, server)
	for status, want := range map[int]error{
		401: ari.ErrUnauthorized, 404: ari.ErrNotFound, 409: ari.ErrConflict, 500: ari.ErrFailed, 503: ari.ErrUnavailable,
	} {
		server.Refuse(status)
		_, err := rest.Variable(t.Context(), "1.1", "secret-variable")
		failure, ok := errors.AsType[*ari.RESTError](err)
		if !ok || !errors.Is(err, want) {
			t.Fatalf("%d: %v", status, err)
		}
		if failure.Method != "GET" || failure.Path != "/channels/1.1/variable" || failure.Status != status || failure.Message != http.StatusText(status) {
			t.Errorf("%d: %+v", status, failure)
		}
		if text := err.Error(); strings.Contains(text, aritest.Password) || strings.Contains(text, "secret-variable") {
			t.Errorf("%d: %q says too much", status, text)
		}
	}
}

func TestSwitchBoundsItsRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := aritest.StartInMemory(t)
		rest := newSwitch(t, server)
		server.Slow("GET /channels", aritest.Forever)
		began := time.Now()
		_, err := rest.Channels(t.Context())
		if took := time.Since(began); took != 5*time.Second {
			t.Errorf("took %v", took)
		}
		if !errors.Is(err, ari.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
	})
}

func TestSwitchDoesNotFollowRedirects(t *testing.T) {
	server := aritest.Start(t)
	rest := newSwitch(t, server)
	server.Refuse(http.StatusFound)
	if _, err := rest.Channels(t.Context()); !errors.Is(err, ari.ErrUnavailable) {
		t.Errorf("%v", err)
	}
}
