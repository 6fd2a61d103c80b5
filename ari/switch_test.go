package ari_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kontur-ari/ari"
	"kontur-ari/ari/aritest"
	"kontur-ari/bridge"
)

// refusing is a transport to a machine that refuses connections.
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

// An id that would change the path of a request names nothing: nothing is sent.
func TestIDsThatChangeThePathAreRefused(t *testing.T) {
	for _, id := range []string{"..", ".", ""} {
		a, phones := newAsterisk(t, `{"value":"PJSIP/101/sip:x"}`, 200)
		_, variable := phones.Variable(t.Context(), bridge.ChannelID(id), "CALLERID(dnid)")
		_, contacts := phones.Contacts(t.Context(), bridge.ChannelID(id), "PJSIP/101")
		_, state := phones.State(t.Context(), bridge.ChannelID(id))
		for name, err := range map[string]error{
			"hang up": phones.Hangup(t.Context(), bridge.ChannelID(id), 16), "ring": phones.Ring(t.Context(), bridge.ChannelID(id), time.Second),
			"dial": phones.Dial(t.Context(), bridge.ChannelID(id), "79997775533"), "record": phones.Record(t.Context(), bridge.ChannelID(id), "r"),
			"go on": phones.Continue(t.Context(), bridge.ChannelID(id)), "set": phones.SetVariable(t.Context(), bridge.ChannelID(id), "a", "b"),
			"variable": variable, "contacts": contacts, "state": state,
		} {
			if !errors.Is(err, bridge.ErrNoChannel) {
				t.Errorf("%s %q: %v", name, id, err)
			}
			if _, ok := errors.AsType[*ari.RESTError](err); !ok {
				t.Errorf("%s %q: %T", name, id, err)
			}
		}
		if _, err := phones.Endpoint(t.Context(), "PJSIP/"+id); !errors.Is(err, ari.ErrNotFound) {
			t.Errorf("endpoint %q: %v", id, err)
		}
		for name, err := range map[string]error{
			"fetch": phones.FetchRecording(t.Context(), id, io.Discard), "delete": phones.DeleteRecording(t.Context(), id),
		} {
			if !errors.Is(err, bridge.ErrNoStoredRecording) {
				t.Errorf("%s a recording %q: %v", name, id, err)
			}
		}
		if len(a.asked) != 0 {
			t.Errorf("Asterisk was asked %q", a.what())
		}
	}
}

// An id with such a part is an id like any other.
func TestIDsWithDotsAndSlashesAreKeptWhole(t *testing.T) {
	a, phones := newAsterisk(t, "", 204)
	for _, id := range []bridge.ChannelID{"../..", "a/../b", "...", "%2e%2e", "1.1"} {
		if err := phones.Hangup(t.Context(), id, 16); err != nil {
			t.Error(err)
		}
	}
	want := []string{"DELETE /ari/channels/..%2F..", "DELETE /ari/channels/a%2F..%2Fb", "DELETE /ari/channels/...", "DELETE /ari/channels/%252e%252e", "DELETE /ari/channels/1.1"}
	if !slices.Equal(a.what(), want) {
		t.Errorf("asked %q", a.what())
	}
}
