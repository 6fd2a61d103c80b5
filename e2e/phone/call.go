package phone

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"

	"github.com/emiago/sipgo/sip"
)

// Side says who did something.
type Side string

// The two sides of a call.
const (
	Us   Side = "us"
	Them Side = "them"
)

// Ending says how a call came to its end.
type Ending struct {
	// By is who ended it.
	By Side
	// Code is the SIP status that refused the call, 487 for a cancelled one, 0
	// for a call that was answered and hung up.
	Code int
	// Reason is the status text, or what went wrong.
	Reason string
}

func (e Ending) String() string {
	return fmt.Sprintf("ended by %s: %d %s", e.By, e.Code, e.Reason)
}

// EndedError is the error of a step that is impossible because the call is over.
type EndedError struct{ Ending Ending }

func (e *EndedError) Error() string { return "call " + e.Ending.String() }

// Call is one call of a phone, placed or received. Its methods may be called
// from any goroutine.
type Call struct {
	// Number is what was dialled, From who called (the user part of the
	// address, decoded), Name their display name.
	Number, From, Name string

	phone  *Phone
	dialog *dialog
	media  *media
	// invite is the request that began the call. Its transaction is server for an
	// incoming call, client for a placed one.
	invite *sip.Request
	server sip.ServerTransaction

	mu     sync.Mutex
	client sip.ClientTransaction // replaced when a password was asked for
	ending Ending
	// described is the other side's session description.
	described []byte
	decided   bool // the final response to an incoming INVITE was chosen
	progress  milestone
	early     milestone // the other side sends sound before the answer
	ringing   milestone
	answered  milestone
	ended     milestone
	// acked is reached when the other side confirms our answer.
	acked milestone
	// referred is reached when a transfer that we asked for succeeds.
	referred milestone
	// tone is the sound for the other side; nil: none.
	tone atomic.Pointer[tone]
}

// milestone is closed when its event happens. The caller of reach must hold the
// owner's lock.
type milestone chan struct{}

func (m milestone) reached() bool {
	select {
	case <-m:
		return true
	default:
		return false
	}
}

func (m milestone) reach() {
	if !m.reached() {
		close(m)
	}
}

func newCall(p *Phone, d *dialog) (*Call, error) {
	m, err := newMedia(p.config.Host)
	if err != nil {
		return nil, fmt.Errorf("phone %s: %w", p.config.User, err)
	}
	return &Call{
		phone: p, dialog: d, media: m,
		progress: make(milestone), early: make(milestone), ringing: make(milestone), answered: make(milestone),
		ended: make(milestone), acked: make(milestone), referred: make(milestone),
	}, nil
}

// AwaitRinging waits until the other side rings.
func (c *Call) AwaitRinging(ctx context.Context) error { return c.await(ctx, "ringing", c.ringing) }

// AwaitEarly waits until the other side sends sound before the answer (183).
func (c *Call) AwaitEarly(ctx context.Context) error { return c.await(ctx, "played early", c.early) }

// AwaitAnswered waits until the call is answered (an incoming one: until the
// switch has confirmed that it was).
func (c *Call) AwaitAnswered(ctx context.Context) error {
	return c.await(ctx, "answered", c.answered)
}

// AwaitEnded waits until the call is over, from either side.
func (c *Call) AwaitEnded(ctx context.Context) (Ending, error) {
	select {
	case <-c.ended:
		return c.how(), nil
	case <-ctx.Done():
		return Ending{}, c.wrap("not over", context.Cause(ctx))
	}
}

// Over returns whether the call has ended.
func (c *Call) Over() bool { return c.ended.reached() }

func (c *Call) await(ctx context.Context, what string, m milestone) error {
	select {
	case <-m:
		return nil
	default:
	}
	select {
	case <-m:
		return nil
	case <-c.ended:
		return c.wrap("never "+what, &EndedError{c.how()})
	case <-ctx.Done():
		return c.wrap("not "+what, context.Cause(ctx))
	}
}

// reach marks a milestone of the call.
func (c *Call) reach(m milestone) {
	c.mu.Lock()
	defer c.mu.Unlock()
	m.reach()
}

// end marks the call as over; only the first ending counts.
func (c *Call) end(ending Ending) {
	c.mu.Lock()
	if c.ended.reached() {
		c.mu.Unlock()
		return
	}
	c.ending = ending
	c.ended.reach()
	c.mu.Unlock()
	c.media.close()
	c.phone.forget(c)
}

func (c *Call) how() Ending {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ending
}

func (c *Call) wrap(what string, err error) error {
	return fmt.Errorf("phone %s: call from %q to %q: %s: %w", c.phone.config.User, c.From, c.Number, what, err)
}

// Hangup ends the call in the way that fits: BYE when it is answered, CANCEL or
// 603 before that. It returns when the switch has agreed, and nil for a call
// that is over already.
func (c *Call) Hangup(ctx context.Context) error {
	switch {
	case c.Over():
		return nil
	case c.answered.reached():
		return c.bye(ctx)
	case c.server != nil:
		return c.Reject(sip.StatusGlobalDecline)
	}
	return c.Cancel(ctx)
}

func (c *Call) bye(ctx context.Context) error {
	// A BYE may cross the other side's: then it gets 481, and both have ended it.
	res, err := c.phone.client.Do(ctx, c.dialog.request(sip.BYE))
	if err != nil && !c.Over() {
		return c.wrap("hang up", err)
	}
	if err == nil && !res.IsSuccess() && res.StatusCode != sip.StatusCallTransactionDoesNotExists {
		return c.wrap("hang up", fmt.Errorf("%d %s", res.StatusCode, res.Reason))
	}
	c.end(Ending{By: Us, Reason: "BYE"})
	return nil
}

// media is the call's end of the sound: a port that takes packets and drops them.
type media struct {
	socket  net.PacketConn
	mu      sync.Mutex
	version int
}

func newMedia(host string) (*media, error) {
	socket, err := net.ListenPacket("udp4", net.JoinHostPort(host, "0"))
	if err != nil {
		return nil, fmt.Errorf("open a port for sound: %w", err)
	}
	return &media{socket: socket}, nil
}

func (m *media) close() { _ = m.socket.Close() }

// describe is the session description: "sendrecv" to talk, "sendonly" to hold.
func (m *media) describe(direction string) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.version++
	address := m.socket.LocalAddr().(*net.UDPAddr)
	return fmt.Appendf(nil, "v=0\r\no=- 1 %d IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\n"+
		"m=audio %d RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n"+
		"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=%s\r\n",
		m.version, address.IP, address.IP, address.Port, direction)
}

// describing puts a session description into a message.
func describing(message interface {
	AppendHeader(sip.Header)
	SetBody([]byte)
}, sdp []byte) {
	kind := sip.ContentTypeHeader("application/sdp")
	message.AppendHeader(&kind)
	message.SetBody(sdp)
}
