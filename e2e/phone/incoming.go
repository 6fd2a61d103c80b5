package phone

import (
	"context"
	"errors"
	"net/url"
	"time"

	"github.com/emiago/sipgo"
	"github.com/emiago/sipgo/sip"
)

// methods is what a phone says that it understands. UPDATE is not among them,
// so that Asterisk sends re-INVITEs instead.
const methods = "INVITE, ACK, CANCEL, BYE, OPTIONS, NOTIFY, REFER, INFO"

// answerRequests says what happens with each kind of request.
func (p *Phone) answerRequests(server *sipgo.Server) {
	server.OnInvite(p.onInvite)
	server.OnAck(p.onAck)
	server.OnBye(p.onBye)
	server.OnOptions(respondWith(sip.StatusOK, "OK"))
	server.OnNotify(p.onNotify)
	server.OnInfo(respondWith(sip.StatusOK, "OK"))
	server.OnCancel(respondWith(sip.StatusCallTransactionDoesNotExists, "No Such Call"))
	server.OnNoRoute(respondWith(sip.StatusNotImplemented, "Not Implemented"))
}

func respondWith(code int, reason string) sipgo.RequestHandler {
	return func(req *sip.Request, tx sip.ServerTransaction) {
		// No caller needs the error; the other side repeats what got no response.
		_ = tx.Respond(sip.NewResponseFromRequest(req, code, reason, nil))
	}
}

// onInvite takes a new call and stays until its first response is final: the
// library ends the transaction when this returns.
func (p *Phone) onInvite(req *sip.Request, tx sip.ServerTransaction) {
	if to := req.To(); to != nil && to.Params.Has("tag") {
		p.onReinvite(req, tx)
		return
	}
	call, err := p.incoming(req, tx)
	if err != nil {
		respondWith(sip.StatusBadRequest, "Bad Request")(req, tx)
		return
	}
	// Responses are made from the request, so all of them carry our tag.
	req.To().Params.Add("tag", call.dialog.localTag)
	if err := tx.Respond(sip.NewResponseFromRequest(req, sip.StatusTrying, "Trying", nil)); err != nil {
		call.end(Ending{By: Us, Reason: err.Error()})
		return
	}
	tx.OnCancel(func(*sip.Request) {
		call.end(Ending{By: Them, Code: sip.StatusRequestTerminated, Reason: "CANCEL"})
	})
	p.remember(call)
	p.offer(call)
	select {
	case <-call.answered:
	case <-call.ended:
	case <-tx.Done():
		call.end(Ending{By: Them, Reason: "transaction over"})
	case <-p.life.Done():
	}
}

func (p *Phone) incoming(req *sip.Request, tx sip.ServerTransaction) (*Call, error) {
	from, to, id := req.From(), req.To(), req.CallID()
	if from == nil || to == nil || id == nil {
		return nil, errors.New("an INVITE without From, To or Call-ID")
	}
	tag, _ := from.Params.Get("tag")
	d := &dialog{
		id: id.Value(), localTag: newID(), remoteTag: tag,
		localURI: *to.Address.Clone(), remoteURI: *from.Address.Clone(), target: *from.Address.Clone(),
	}
	if contact := req.Contact(); contact != nil {
		d.target = *contact.Address.Clone()
	}
	call, err := newCall(p, d)
	if err != nil {
		return nil, err
	}
	call.invite, call.server, call.described = req, tx, req.Body()
	call.Number, call.From, call.Name = unescape(req.Recipient.User), unescape(from.Address.User), from.DisplayName
	return call, nil
}

func unescape(user string) string {
	if decoded, err := url.PathUnescape(user); err == nil {
		return decoded
	}
	return user
}

// Ring says that the phone rings (180).
func (c *Call) Ring() error {
	if c.Over() {
		return c.wrap("ring", &EndedError{c.how()})
	}
	res := sip.NewResponseFromRequest(c.invite, sip.StatusRinging, "Ringing", nil)
	res.AppendHeader(c.phone.contact())
	if err := c.server.Respond(res); err != nil {
		return c.wrap("ring", err)
	}
	c.reach(c.ringing)
	return nil
}

// PlayEarly begins to send sound before the answer (183 with a session
// description): a ringing tone of one's own, or an announcement.
func (c *Call) PlayEarly() error {
	if c.Over() {
		return c.wrap("play early", &EndedError{c.how()})
	}
	res := sip.NewResponseFromRequest(c.invite, sip.StatusSessionInProgress, "Session Progress", nil)
	res.AppendHeader(c.phone.contact())
	describing(res, c.media.describe("sendrecv"))
	if err := c.server.Respond(res); err != nil {
		return c.wrap("play early", err)
	}
	return nil
}

// Reject refuses an incoming call with a SIP status: 486 is busy, 603 declined.
func (c *Call) Reject(code int) error {
	reason := map[int]string{486: "Busy Here", 603: "Decline", 480: "Temporarily Unavailable", 503: "Service Unavailable", 404: "Not Found"}[code]
	return c.refuse("reject", sip.NewResponseFromRequest(c.invite, code, reason, nil))
}

// Redirect forwards an incoming call to a number of the switch (302), like a phone
// with call forwarding.
func (c *Call) Redirect(number string) error {
	target, err := c.phone.at(number)
	if err != nil {
		return err
	}
	res := sip.NewResponseFromRequest(c.invite, sip.StatusMovedTemporarily, "Moved Temporarily", nil)
	res.AppendHeader(&sip.ContactHeader{Address: target})
	return c.refuse("redirect", res)
}

// refuse sends the final response to a call that isn't taken.
func (c *Call) refuse(what string, res *sip.Response) error {
	if !c.decide() {
		return c.wrap(what, &EndedError{c.how()})
	}
	if err := c.server.Respond(res); err != nil {
		return c.wrap(what, err)
	}
	c.end(Ending{By: Us, Code: res.StatusCode, Reason: res.Reason})
	return nil
}

// decide claims the one final response that an INVITE gets.
func (c *Call) decide() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.decided || c.ended.reached() {
		return false
	}
	c.decided = true
	return true
}

// repeatAnswer is how long a response to an INVITE waits for its confirmation
// before it is sent again: RFC 3261's T1.
const repeatAnswer = 500 * time.Millisecond

// Answer picks up. It returns when the switch has confirmed that.
func (c *Call) Answer(ctx context.Context) error {
	if !c.decide() {
		return c.wrap("answer", &EndedError{c.how()})
	}
	res := sip.NewResponseFromRequest(c.invite, sip.StatusOK, "OK", nil)
	res.AppendHeader(c.phone.contact())
	res.AppendHeader(sip.NewHeader("Allow", methods))
	describing(res, c.media.describe("sendrecv"))
	again := time.NewTicker(repeatAnswer)
	defer again.Stop()
	for {
		if err := c.server.Respond(res); err != nil {
			return c.wrap("answer", err)
		}
		select {
		case <-c.acked:
			return nil
		case <-c.ended:
			return c.wrap("answer", &EndedError{c.how()})
		case <-ctx.Done():
			return c.wrap("answer is not confirmed", context.Cause(ctx))
		case <-again.C:
		}
	}
}

// onAck takes the confirmation of an answer. A re-INVITE is confirmed in the same way,
// but no test waits for that.
func (p *Phone) onAck(req *sip.Request, _ sip.ServerTransaction) {
	call := p.find(req)
	if call == nil || call.server == nil {
		return
	}
	call.mu.Lock()
	defer call.mu.Unlock()
	call.answered.reach()
	call.acked.reach()
}

// onReinvite accepts whatever the switch changes in mid-call.
func (p *Phone) onReinvite(req *sip.Request, tx sip.ServerTransaction) {
	call := p.find(req)
	if call == nil {
		respondWith(sip.StatusCallTransactionDoesNotExists, "No Such Call")(req, tx)
		return
	}
	res := sip.NewResponseFromRequest(req, sip.StatusOK, "OK", nil)
	res.AppendHeader(p.contact())
	describing(res, call.media.describe("sendrecv"))
	_ = tx.Respond(res)
}

func (p *Phone) onBye(req *sip.Request, tx sip.ServerTransaction) {
	call := p.find(req)
	if call == nil {
		respondWith(sip.StatusCallTransactionDoesNotExists, "No Such Call")(req, tx)
		return
	}
	respondWith(sip.StatusOK, "OK")(req, tx)
	call.end(Ending{By: Them, Reason: "BYE"})
}
