package phone

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strconv"
	"sync"

	"github.com/emiago/sipgo"
	"github.com/emiago/sipgo/sip"
)

// Config says who a phone is.
type Config struct {
	// User is its name at the switch: "101".
	User string
	// Password answers the switch's challenges.
	Password string
	// Host is the address it is at, "127.0.0.1" when empty. A trunk that is
	// known by its address needs one of its own: "127.0.0.2".
	Host string
	// Server is host:port of the switch. It may be set later, by [Phone.Serve].
	Server string
}

// Phone is one telephone. Its methods may be called from any goroutine.
type Phone struct {
	config Config
	port   int
	socket *socket
	agent  *sipgo.UserAgent
	client *sipgo.Client
	// life ends when the phone is closed.
	life  context.Context
	close context.CancelFunc
	done  sync.WaitGroup

	mu        sync.Mutex
	server    string
	registry  registration
	calls     map[string]*Call // by Call-ID
	waiting   []*Call          // incoming, not yet taken by AwaitCall
	arrived   chan struct{}    // closed and replaced whenever waiting grows
	automatic func(context.Context, *Call)
}

// quiet keeps the SIP library's own log out of the tests' output; what was said
// on the wire is in [Phone.Trace].
var quiet = sync.OnceFunc(func() { sip.SetDefaultLogger(slog.New(slog.NewTextHandler(io.Discard, nil))) })

// New switches a phone on: it is reachable at [Phone.Address] from now on and
// keeps what calls it until [Phone.AwaitCall] takes it. It isn't registered yet.
func New(config Config) (*Phone, error) {
	quiet()
	if config.Host == "" {
		config.Host = "127.0.0.1"
	}
	packets, err := net.ListenPacket("udp4", net.JoinHostPort(config.Host, "0"))
	if err != nil {
		return nil, fmt.Errorf("phone %s: %w", config.User, err)
	}
	p := &Phone{
		config:  config,
		port:    packets.LocalAddr().(*net.UDPAddr).Port,
		socket:  newSocket(packets),
		server:  config.Server,
		calls:   make(map[string]*Call),
		arrived: make(chan struct{}),
	}
	p.life, p.close = context.WithCancel(context.Background())
	if err := p.listen(); err != nil {
		return nil, errors.Join(fmt.Errorf("phone %s: %w", config.User, err), p.socket.Close())
	}
	return p, nil
}

// listen joins the SIP library to the phone's socket.
func (p *Phone) listen() error {
	var err error
	if p.agent, err = sipgo.NewUA(sipgo.WithUserAgent("kontur-ari-phone"), sipgo.WithUserAgentHostname(p.config.Host)); err != nil {
		return err
	}
	server, err := sipgo.NewServer(p.agent)
	if err != nil {
		return err
	}
	p.answerRequests(server)
	if p.client, err = sipgo.NewClient(p.agent, sipgo.WithClientAddr(p.Address()), sipgo.WithClientConnectionAddr(p.Address())); err != nil {
		return err
	}
	p.done.Go(func() { _ = server.ServeUDP(p.socket) })
	// The library knows the socket, and so sends from it, when it first reads.
	<-p.socket.reading
	return nil
}

// Close switches the phone off as by pulling its plug: no BYE, no unregistering.
func (p *Phone) Close() {
	p.close()
	_ = p.socket.Close()
	p.done.Wait()
	_ = p.agent.Close()
	p.mu.Lock()
	calls := p.calls
	p.calls = make(map[string]*Call)
	p.mu.Unlock()
	for _, call := range calls {
		call.end(Ending{By: Us, Reason: "phone switched off"})
	}
}

// Serve says which switch the phone belongs to from now on: host:port.
func (p *Phone) Serve(server string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.server = server
}

// User is the phone's name at the switch.
func (p *Phone) User() string { return p.config.User }

// Address is where the phone listens: host:port.
func (p *Phone) Address() string { return net.JoinHostPort(p.config.Host, strconv.Itoa(p.port)) }

// Trace is what was sent and received last, for a failure message.
func (p *Phone) Trace() string { return p.socket.trace.String() }

// Automatic has every incoming call handled by behaviour from now on, in a
// goroutine of its own, instead of waiting for [Phone.AwaitCall]; nil ends that.
// The context ends when the phone is closed.
func (p *Phone) Automatic(behaviour func(context.Context, *Call)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.automatic = behaviour
}

// AwaitCall takes the oldest incoming call that is still up and wasn't taken
// yet; with a number, the oldest that dialled it.
func (p *Phone) AwaitCall(ctx context.Context, number string) (*Call, error) {
	for {
		call, arrived := p.take(number)
		if call != nil {
			return call, nil
		}
		select {
		case <-arrived:
		case <-ctx.Done():
			return nil, fmt.Errorf("phone %s: no call to %q: %w", p.config.User, number, context.Cause(ctx))
		}
	}
}

// take removes a call from those that wait, or returns what to wait for.
func (p *Phone) take(number string) (*Call, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := 0; i < len(p.waiting); i++ {
		call := p.waiting[i]
		wanted := number == "" || call.Number == number
		if !wanted && !call.Over() {
			continue
		}
		p.waiting = append(p.waiting[:i:i], p.waiting[i+1:]...)
		if wanted && !call.Over() {
			return call, nil
		}
		i--
	}
	return nil, p.arrived
}

// offer hands over an incoming call to a test that waits for one.
func (p *Phone) offer(call *Call) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if behaviour := p.automatic; behaviour != nil {
		p.done.Go(func() { behaviour(p.life, call) })
		return
	}
	p.waiting = append(p.waiting, call)
	close(p.arrived)
	p.arrived = make(chan struct{})
}

func (p *Phone) remember(call *Call) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls[call.dialog.id] = call
}

func (p *Phone) forget(call *Call) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.calls, call.dialog.id)
}

// find gives the call that a request belongs to, nil when there is none.
func (p *Phone) find(req *sip.Request) *Call {
	id := req.CallID()
	if id == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls[id.Value()]
}

// at is the address of a user at the switch.
func (p *Phone) at(user string) (sip.Uri, error) {
	p.mu.Lock()
	server := p.server
	p.mu.Unlock()
	host, port, err := sip.ParseAddr(server)
	if err != nil {
		return sip.Uri{}, fmt.Errorf("phone %s: bad address of the switch %q: %w", p.config.User, server, err)
	}
	return sip.Uri{Scheme: "sip", User: escape(user), Host: host, Port: port}, nil
}

// contact is where the switch reaches this phone within a call.
func (p *Phone) contact() *sip.ContactHeader { return p.contactAs(p.config.User) }

// contactAs is the same with another user part.
func (p *Phone) contactAs(user string) *sip.ContactHeader {
	return &sip.ContactHeader{Address: sip.Uri{Scheme: "sip", User: user, Host: p.config.Host, Port: p.port}}
}
