package ari

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"kontur-ari/internal/secret"
)

// Config says which Asterisk to connect to, and as whom. URL, Username, Password and
// Application are required.
type Config struct {
	// URL is the ARI base, "http://127.0.0.1:8088/ari". No user info, no query.
	URL string
	// Username and Password are a user of ari.conf. A read-only user is not enough:
	// subscribing is a write.
	Username string
	Password secret.String
	// Application is the name of our ARI application. Asterisk sends its events to one
	// listener only: two daemons on one Asterisk need two names.
	Application string
	// RequestTimeout bounds one REST request, answer included. Zero means 5s.
	RequestTimeout time.Duration
	// Transport carries all requests and the websocket. nil means one of our own,
	// which ignores proxy settings of the environment: ARI is on this host or network.
	Transport http.RoundTripper
}

// requestTimeout is the default of [Config.RequestTimeout].
const requestTimeout = 5 * time.Second

// SourceConfig is what a [Source] does with the events of its Switch's Asterisk. Every
// field may be zero.
type SourceConfig struct {
	// LastHeard is when Asterisk was last heard before this Source; zero when that is
	// not known. See [Source.LastHeard].
	LastHeard time.Time
	// Timings are the limits and intervals; zero fields mean the defaults.
	Timings Timings
	// OnChange, if set, receives every change of the Source's status, in order, one
	// call at a time. It must not block and must not call the Source's Run.
	OnChange func(Status)
	// OnStasis, if set, receives every channel that waits in Stasis for the
	// application: as soon as Asterisk announces it, and after every connect those that
	// waited before. It may receive a channel twice. Goroutines that end before Run
	// returns call it, possibly several at a time. It must not block: it holds up
	// reading, as Run's sink does.
	OnStasis func(StasisStart)
}

// Timings are the Source's limits and intervals. A zero field means its default.
//
// With the defaults a dead connection is noticed within 15 s: a silent one after
// PingEvery+PongWithin = 8 s, one that still answers pings but brings no events
// after CheckEvery+2*CheckWithin = 12 s.
type Timings struct {
	// Handshake bounds connecting the websocket. Default 5s.
	Handshake time.Duration
	// PingEvery is the pause between two pings. Default 4s.
	PingEvery time.Duration
	// PongWithin is how long a pong, or any event in its stead, may take. Default 4s.
	PongWithin time.Duration
	// CheckEvery is the pause between two checks that subscription and filter are
	// still there. Default 4s.
	CheckEvery time.Duration
	// CheckWithin bounds one such check. Default 4s.
	CheckWithin time.Duration
	// SnapshotWithin bounds reading all channels and bridges. Default 30s.
	SnapshotWithin time.Duration
	// Pause is how long to wait before a first attempt to connect. It should not
	// be less than the default, 300ms: Asterisk 22 answers a reconnection at once
	// with a socket that never hears anything (2 of 12 measured, 0 of 10 with 0.3 s).
	Pause time.Duration
	// PauseMax caps the pause, which doubles with every failed attempt. The default is
	// 1s for an Asterisk on this host, where an attempt costs next to nothing and calls
	// right after its restart must not be missed, and 10s for another.
	PauseMax time.Duration
	// Stable is how long events must have flowed before the next pause is Pause
	// again. Default 10s.
	Stable time.Duration
	// StoodDownCheck is the pause between two checks, after standing down, whether
	// the other listener is gone. Default 15s.
	StoodDownCheck time.Duration
}

// withDefaults returns t with every field that isn't positive at its default. onThisHost:
// Asterisk runs here.
func (t Timings) withDefaults(onThisHost bool) Timings {
	longest := 10 * time.Second
	if onThisHost {
		longest = time.Second
	}
	for _, field := range []struct {
		value    *time.Duration
		standard time.Duration
	}{
		{&t.Handshake, 5 * time.Second},
		{&t.PingEvery, 4 * time.Second},
		{&t.PongWithin, 4 * time.Second},
		{&t.CheckEvery, 4 * time.Second},
		{&t.CheckWithin, 4 * time.Second},
		{&t.SnapshotWithin, 30 * time.Second},
		{&t.Pause, 300 * time.Millisecond},
		{&t.PauseMax, longest},
		{&t.Stable, 10 * time.Second},
		{&t.StoodDownCheck, 15 * time.Second},
	} {
		if *field.value <= 0 {
			*field.value = field.standard
		}
	}
	return t
}

// base checks the configuration and returns the parsed URL without a trailing
// slash. Its errors name the configuration file's keys.
func (c Config) base() (*url.URL, error) {
	base, err := url.Parse(c.URL)
	switch {
	case err != nil:
		// url.Error repeats the URL, which may hold a password typed into it.
		return nil, errors.New("asterisk.url is not a URL")
	case base.Scheme != "http" && base.Scheme != "https", base.Host == "":
		return nil, errors.New("asterisk.url must look like http://127.0.0.1:8088/ari")
	case base.User != nil:
		return nil, errors.New("asterisk.url must not hold credentials: use asterisk.username and asterisk.password")
	case base.RawQuery != "", base.Fragment != "":
		return nil, errors.New("asterisk.url must have neither query nor fragment")
	case c.Username == "":
		return nil, errors.New("asterisk.username is empty")
	case c.Password.IsZero():
		return nil, errors.New("asterisk.password is empty")
	case c.Application == "":
		return nil, errors.New("asterisk.application is empty")
	case strings.ContainsAny(c.Application, ",/?&# "):
		return nil, fmt.Errorf("asterisk.application %q: a name has no space and none of , / ? & #", c.Application)
	}
	if changesPath(c.Application) {
		return nil, fmt.Errorf("asterisk.application %q: a name made of dots would change the path of a request", c.Application)
	}
	base.Path = strings.TrimRight(base.Path, "/")
	return base, nil
}

// isLoopback reports whether a host of a URL is this one, reached over its loopback.
func isLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && address.Unmap().IsLoopback()
}
