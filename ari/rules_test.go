package ari

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"kontur-ari/internal/secret"
)

func TestClassify(t *testing.T) {
	for status, want := range map[int]error{
		200: nil, 201: nil, 204: nil,
		400: ErrRejected, 401: ErrUnauthorized, 403: ErrUnauthorized, 404: ErrNotFound, 405: ErrRejected,
		409: ErrConflict, 412: ErrRejected, 422: ErrRejected,
		500: ErrFailed, 501: ErrFailed, 502: ErrUnavailable, 503: ErrUnavailable, 504: ErrUnavailable,
		0: ErrUnavailable, 101: ErrUnavailable, 302: ErrUnavailable,
	} {
		if got := classify(status); got != want {
			t.Errorf("classify(%d) = %v, want %v", status, got, want)
		}
	}
}

func TestRESTErrorHidesQueryAndKeepsCause(t *testing.T) {
	failure := &RESTError{Method: "POST", Path: "/channels"}
	err := error(failure.because(&url.Error{Op: "Post", URL: "http://x/ari/channels?endpoint=79991112233", Err: context.DeadlineExceeded}))
	if strings.Contains(err.Error(), "7999") {
		t.Errorf("the query is in %q", err)
	}
	if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, ErrUnavailable) {
		t.Errorf("%v is neither a timeout nor unavailable", err)
	}
}

func TestCauseOf(t *testing.T) {
	refused := &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	status := func(code int) error { return fmt.Errorf("x: %w", &RESTError{Status: code}) }
	for name, test := range map[string]struct {
		err  error
		want Cause
	}{
		"nothing":            {nil, CauseNone},
		"replaced":           {errReplaced, CauseReplaced},
		"silent":             {fmt.Errorf("%w: %w", errSilent, context.DeadlineExceeded), CauseSilent},
		"application gone":   {deafIfNotFound(status(404)), CauseDeaf},
		"bad password":       {status(401), CauseUnauthorized},
		"read-only user":     {status(403), CauseUnauthorized},
		"no ARI there":       {status(404), CauseNoARI},
		"end of stream":      {fmt.Errorf("%w: %w", errClosed, io.EOF), CauseClosed},
		"refused":            {(&RESTError{}).because(refused), CauseUnreachable},
		"handshake hangs":    {fmt.Errorf("%w: %w", errHandshake, (&RESTError{}).because(context.DeadlineExceeded)), CauseUnreachable},
		"handshake says 503": {&RESTError{Status: 503}, CauseFailed},
		"snapshot too slow":  {fmt.Errorf("snapshot: %w", (&RESTError{}).because(context.DeadlineExceeded)), CauseFailed},
	} {
		if got := causeOf(test.err); got != test.want {
			t.Errorf("%s: cause %q, want %q", name, got, test.want)
		}
	}
	for _, cause := range []Cause{CauseUnreachable, CauseUnauthorized, CauseNoARI, CauseClosed, CauseSilent, CauseDeaf, CauseFailed, CauseReplaced} {
		if advice[cause] == "" {
			t.Errorf("no advice for %q", cause)
		}
	}
	if !strings.Contains(advice[CauseUnauthorized], "asterisk.password") || !strings.Contains(advice[CauseNoARI], "ari.conf") {
		t.Error("the advice doesn't name what to check")
	}
}

// A dead connection has to be noticed within 15 s, and no reconnection may come
// within 0.3 s: both follow from the defaults.
func TestDefaultTimings(t *testing.T) {
	timings := Timings{}.withDefaults(false)
	if silent := timings.PingEvery + timings.PongWithin; silent > 15*time.Second {
		t.Errorf("a silent connection is noticed after %v", silent)
	}
	if deaf := timings.CheckEvery + 2*timings.CheckWithin; deaf > 15*time.Second {
		t.Errorf("a deaf connection is noticed after %v", deaf)
	}
	if timings.Pause < 300*time.Millisecond {
		t.Errorf("reconnects after %v", timings.Pause)
	}
	if kept := (Timings{Pause: time.Second}).withDefaults(false); kept.Pause != time.Second {
		t.Errorf("a timing that was set became %v", kept.Pause)
	}
}

func TestConfigIsChecked(t *testing.T) {
	good := Config{URL: "http://127.0.0.1:8088/ari/", Username: "kontur", Password: secret.New("hunter2"), Application: "kontur-ari"}
	for key, spoil := range map[string]func(*Config){
		"asterisk.url":         func(c *Config) { c.URL = "127.0.0.1:8088" },
		"asterisk.url is":      func(c *Config) { c.URL = "http://kontur:hunter2@%zz" },
		"must not hold":        func(c *Config) { c.URL = "http://kontur:hunter2@127.0.0.1:8088/ari" },
		"query":                func(c *Config) { c.URL += "?api_key=kontur:hunter2" },
		"asterisk.username":    func(c *Config) { c.Username = "" },
		"asterisk.password":    func(c *Config) { c.Password = secret.String{} },
		"asterisk.application": func(c *Config) { c.Application = "a,b" },
		"change the path":      func(c *Config) { c.Application = ".." },
	} {
		config := good
		spoil(&config)
		_, err := NewSwitch(config)
		if err == nil || !strings.Contains(err.Error(), key) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", key, err)
		}
	}
	rest, err := NewSwitch(good)
	if err != nil || rest.base.String() != "http://127.0.0.1:8088/ari" {
		t.Errorf("base %v, %v", rest, err)
	}
}

func TestSecretIsNotShown(t *testing.T) {
	config := Config{URL: "http://127.0.0.1/ari", Username: "u", Password: secret.New("hunter2"), Application: "a"}
	rest, err := NewSwitch(config)
	if err != nil {
		t.Fatal(err)
	}
	source := NewSource(rest, SourceConfig{}, zap.NewNop())
	encoded, err := json.Marshal(struct{ P secret.String }{config.Password})
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range []string{fmt.Sprint(config.Password), fmt.Sprintf("%v %+v %#v", config, config, config),
		fmt.Sprintf("%q %x %s", config.Password, config.Password, config.Password), string(encoded),
		fmt.Sprintf("%v %+v %#v", source, source, source), fmt.Sprintf("%v %+v %#v", *source.rest, source.rest, source.rest)} {
		if strings.Contains(shown, "hunter2") || strings.Contains(shown, "68756e") {
			t.Errorf("shown: %s", shown)
		}
	}
}

func TestUnknownTypesAreBounded(t *testing.T) {
	var c counters
	for i := range 3 * maxUnknownTypes {
		c.countUnknown(fmt.Sprintf("%d-%s", i, strings.Repeat("x", 1000)))
	}
	stats := c.snapshot()
	if len(stats.UnknownTypes) != maxUnknownTypes+1 || stats.UnknownTypes[otherTypes] != 2*maxUnknownTypes {
		t.Errorf("%d names, %d others", len(stats.UnknownTypes), stats.UnknownTypes[otherTypes])
	}
	for name := range stats.UnknownTypes {
		if len(name) > maxTypeName {
			t.Errorf("a name of %d bytes", len(name))
		}
	}
}

// An Asterisk on this host is asked again within a second: calls right after its restart must
// not be missed.
func TestAnAsteriskOnThisHostIsTriedAgainSoon(t *testing.T) {
	for host, want := range map[string]time.Duration{
		"localhost": time.Second, "LOCALHOST": time.Second, "127.0.0.1": time.Second, "127.1.2.3": time.Second, "::1": time.Second,
		"::ffff:127.0.0.1": time.Second, "10.0.0.1": 10 * time.Second, "pbx": 10 * time.Second, "localhost.example": 10 * time.Second,
	} {
		if got := (Timings{}).withDefaults(isLoopback(host)).PauseMax; got != want {
			t.Errorf("%s: the longest pause is %v, want %v", host, got, want)
		}
	}
	rest, err := NewSwitch(Config{URL: "http://[::1]:8088/ari", Username: "kontur", Password: secret.New("hunter2"), Application: "kontur-ari"})
	if err != nil {
		t.Fatal(err)
	}
	if source := NewSource(rest, SourceConfig{}, zap.NewNop()); source.config.Timings.PauseMax != time.Second {
		t.Errorf("the source waits for %v", source.config.Timings.PauseMax)
	}
}
