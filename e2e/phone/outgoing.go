package phone

import (
	"context"
	"errors"
	"fmt"

	"github.com/emiago/sipgo/sip"
)

// Invite says whom to call, and as whom.
type Invite struct {
	// To is the number to dial, as it is to stand in the request.
	To string
	// From is the caller's number; nil is the phone's own user. It may be
	// anything, the empty text included.
	From *string
	// Name is the caller's display name.
	Name string
	// Privacy is the Privacy header ("id"); Asserted the number in
	// P-Asserted-Identity. Either may be empty.
	Privacy, Asserted string
}

// As calls number as another caller: for trunks.
func As(from, number string) Invite { return Invite{To: number, From: &from} }

// Dial calls a number as the phone's own user.
func (p *Phone) Dial(ctx context.Context, number string) (*Call, error) {
	return p.Call(ctx, Invite{To: number})
}

// Call begins a call and returns as soon as the switch has responded. The context
// bounds that wait only: the call lasts until one side hangs up.
func (p *Phone) Call(ctx context.Context, invite Invite) (*Call, error) {
	call, err := p.place(invite)
	if err != nil {
		return nil, err
	}
	tx, err := p.client.TransactionRequest(p.life, call.invite)
	if err != nil {
		call.end(Ending{By: Us, Reason: err.Error()})
		return nil, call.wrap("invite", err)
	}
	p.remember(call)
	call.setClient(tx)
	p.done.Go(func() { call.follow(p.life) })
	if err := call.await(ctx, "noticed", call.progress); err != nil {
		// A refusal is no error here: AwaitEnded returns it.
		if _, ended := errors.AsType[*EndedError](err); !ended {
			return nil, err
		}
	}
	return call, nil
}

// place makes a call and its INVITE, and sends nothing yet.
func (p *Phone) place(invite Invite) (*Call, error) {
	target, err := p.at(invite.To)
	if err != nil {
		return nil, err
	}
	from := p.config.User
	if invite.From != nil {
		from = *invite.From
	}
	remote := target
	remote.Port = 0
	call, err := newCall(p, &dialog{
		id: newID(), localTag: newID(), localName: invite.Name,
		localURI:  sip.Uri{Scheme: "sip", User: escape(from), Host: p.config.Host},
		remoteURI: remote, target: target,
	})
	if err != nil {
		return nil, err
	}
	call.Number, call.From, call.Name = invite.To, from, invite.Name
	req := call.dialog.request(sip.INVITE)
	req.AppendHeader(p.contact())
	req.AppendHeader(sip.NewHeader("Allow", methods))
	req.AppendHeader(sip.NewHeader("Supported", "replaces"))
	if invite.Privacy != "" {
		req.AppendHeader(sip.NewHeader("Privacy", invite.Privacy))
	}
	if invite.Asserted != "" {
		req.AppendHeader(sip.NewHeader("P-Asserted-Identity", fmt.Sprintf("<sip:%s@%s>", escape(invite.Asserted), p.config.Host)))
	}
	describing(req, call.media.describe("sendrecv"))
	call.invite = req
	return call, nil
}

func (c *Call) setClient(tx sip.ClientTransaction) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.client = tx
}

func (c *Call) transaction() sip.ClientTransaction {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.client
}

// follow takes the responses to the INVITE until the call is over.
func (c *Call) follow(life context.Context) {
	defer func() { c.transaction().Terminate() }()
	asked := false
	for {
		tx := c.transaction()
		select {
		case res := <-tx.Responses():
			challenged := res.StatusCode == sip.StatusUnauthorized || res.StatusCode == sip.StatusProxyAuthRequired
			if challenged && !asked {
				asked = true
				c.authorise(life, tx, res)
				continue
			}
			c.respond(tx, res)
		case <-tx.Done():
			// After an answer the transaction has nothing more to do.
			if !c.answered.reached() {
				c.end(Ending{By: Us, Reason: fmt.Sprintf("no response: %v", tx.Err())})
			}
			select {
			case <-c.ended:
			case <-life.Done():
			}
			return
		case <-c.ended:
			return
		case <-life.Done():
			return
		}
	}
}

// authorise repeats the INVITE with the password.
func (c *Call) authorise(life context.Context, challenged sip.ClientTransaction, res *sip.Response) {
	challenged.Terminate()
	// A copy: the library goes on reading the first one.
	invite := c.invite.Clone()
	tx, err := c.phone.client.TransactionDigestAuth(life, invite, res, c.phone.credentials())
	if err != nil {
		c.end(Ending{By: Us, Reason: err.Error()})
		return
	}
	c.mu.Lock()
	c.invite, c.client = invite, tx
	c.mu.Unlock()
	c.dialog.skipTo(invite.CSeq().SeqNo)
}

// respond does what a response to the INVITE asks for.
func (c *Call) respond(tx sip.ClientTransaction, res *sip.Response) {
	switch {
	case res.IsProvisional():
		// A call that still rings can be the target of a transfer, too.
		c.dialog.learn(res)
		c.reach(c.progress)
		switch res.StatusCode {
		case sip.StatusRinging:
			c.reach(c.ringing)
		case sip.StatusSessionInProgress:
			c.reach(c.early)
		}
	case res.IsSuccess():
		c.dialog.learn(res)
		sequence := res.CSeq().SeqNo
		tx.OnRetransmission(func(*sip.Response) { _ = c.phone.client.WriteRequest(c.dialog.ack(sequence)) })
		if err := c.phone.client.WriteRequest(c.dialog.ack(sequence)); err != nil {
			c.end(Ending{By: Us, Reason: err.Error()})
			return
		}
		c.mu.Lock()
		c.described = res.Body()
		c.progress.reach()
		c.answered.reach()
		c.mu.Unlock()
	default:
		by := Them
		if res.StatusCode == sip.StatusRequestTerminated {
			by = Us // it was cancelled, and only the caller can do that
		}
		c.end(Ending{By: by, Code: res.StatusCode, Reason: res.Reason})
	}
}

// Cancel gives up a call that isn't answered yet. It returns when the call is
// over; one that was answered at the same moment is hung up.
func (c *Call) Cancel(ctx context.Context) error {
	if err := c.await(ctx, "noticed", c.progress); err != nil {
		return err
	}
	c.mu.Lock()
	invite := c.invite
	c.mu.Unlock()
	req := sip.NewRequest(sip.CANCEL, *invite.Recipient.Clone())
	for _, header := range []sip.Header{invite.Via(), invite.From(), invite.To(), invite.CallID(), invite.MaxForwards()} {
		req.AppendHeader(sip.HeaderClone(header))
	}
	req.AppendHeader(&sip.CSeqHeader{SeqNo: invite.CSeq().SeqNo, MethodName: sip.CANCEL})
	if _, err := c.phone.client.Do(ctx, req); err != nil && !c.Over() {
		return c.wrap("cancel", err)
	}
	select {
	case <-c.ended:
		return nil
	case <-c.answered:
		return c.bye(ctx)
	case <-ctx.Done():
		return c.wrap("cancel", context.Cause(ctx))
	}
}
