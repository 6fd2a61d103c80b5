package server

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"time"

	"golang.org/x/time/rate"
)

// Config says where commands are taken, for which workspace and from whom. Listen
// and Workspace are required.
type Config struct {
	// Listen is host:port; port 0 takes any free one.
	Listen string
	// BasePath stands before every path: "" or /something.
	BasePath string
	// Workspace is the unique name of the workspace, as in the CRM's paths.
	Workspace string
	// TLSCert and TLSKey are paths of PEM files, both or none: without them plain
	// HTTP is spoken. They are read again when they change.
	TLSCert, TLSKey string
	// AllowedNetworks are those that commands may come from; empty: all.
	AllowedNetworks []netip.Prefix
	// TrustedProxies are those whose X-Forwarded-For is believed.
	TrustedProxies []netip.Prefix
	// Limits bound what a peer can cost; what is zero takes its default.
	Limits Limits
}

// Limits bound what one peer, and all of them together, can cost.
type Limits struct {
	// HeaderTime and ReadTime bound the arrival of a request's header and of the
	// whole request: 5 s and 10 s.
	HeaderTime, ReadTime time.Duration
	// IdleTime is how long a connection may wait for its next request: 60 s.
	IdleTime time.Duration
	// CheckTime bounds one question to the KeyChecker: 5 s.
	CheckTime time.Duration
	// CommandTime bounds the Commander and the hooks: 15 s.
	CommandTime time.Duration
	// HeaderBytes and BodyBytes bound a request: 16 KiB and 64 KiB.
	HeaderBytes int
	BodyBytes   int64
	// Connections is how many may be open at the same time: 4096. A further one
	// is closed at once, since those that are open cost the daemon its sockets to
	// Asterisk and the CRM.
	Connections int
	// PeerChecks bounds the questions to the KeyChecker about one peer's keys: 5 a
	// second, 20 at once. AllChecks does so for all peers that never had a good
	// key: 20 a second, 60 at once. Those that had may ask ten times as much, one of
	// them as well as all: the CRM may send a new key with every command.
	PeerChecks, AllChecks Budget
}

// Budget is so many a second in the long run, and so many at once.
type Budget struct {
	PerSecond rate.Limit
	Burst     int
}

// times is a budget so many times as large.
func (b Budget) times(n int) Budget { return Budget{b.PerSecond * rate.Limit(n), b.Burst * n} }

func (b Budget) limiter() *rate.Limiter { return rate.NewLimiter(b.PerSecond, b.Burst) }

// slack is what an answer may take to be written, beyond the times in which it
// comes about.
const slack = 5 * time.Second

// complete fills in what was left out.
func (l Limits) complete() Limits {
	l.HeaderTime = cmp.Or(l.HeaderTime, 5*time.Second)
	l.ReadTime = cmp.Or(l.ReadTime, 10*time.Second)
	l.IdleTime = cmp.Or(l.IdleTime, time.Minute)
	l.CheckTime = cmp.Or(l.CheckTime, 5*time.Second)
	l.CommandTime = cmp.Or(l.CommandTime, 15*time.Second)
	l.HeaderBytes = cmp.Or(l.HeaderBytes, 16<<10)
	l.BodyBytes = cmp.Or(l.BodyBytes, 64<<10)
	l.Connections = cmp.Or(l.Connections, 4096)
	l.PeerChecks = cmp.Or(l.PeerChecks, Budget{5, 20})
	l.AllChecks = cmp.Or(l.AllChecks, Budget{20, 60})
	return l
}

// complete checks the configuration and fills what was left out.
func (c Config) complete() (Config, error) {
	switch {
	case c.Workspace == "":
		return c, errors.New("server: no workspace")
	case (c.TLSCert == "") != (c.TLSKey == ""):
		return c, errors.New("server: server.tls_cert and server.tls_key belong together; set both or none")
	}
	c.Limits = c.Limits.complete()
	return c, nil
}

// KeyChecker asks the CRM about access keys.
type KeyChecker interface {
	// CheckKey reports whether the CRM takes the key for the instance of our
	// integration. The error means that this can't be known now, and holds no part
	// of the key. It may be called concurrently and ends with ctx. It may be asked
	// about any text that can stand in a header: strangers make keys up.
	CheckKey(ctx context.Context, key string) (bool, error)
}

// Hooks are what the CRM's webhooks set going. One that is nil has nothing to do,
// and the CRM gets OK. A hook starts the work and does not wait for its end; it
// may be called concurrently, and again while its work goes on. After an error the
// CRM is asked to try again.
type Hooks struct {
	// Synchronise: the history of calls is to be read (communications/sync).
	Synchronise func(context.Context) error
	// Upgrade: the integration was changed in the CRM (setup/upgrade).
	Upgrade func(context.Context) error
}
