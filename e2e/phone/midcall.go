package phone

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// Hold puts the other side on hold: a re-INVITE that only sends.
func (c *Call) Hold(ctx context.Context) error { return c.reinvite(ctx, "sendonly") }

// HoldSilently puts the other side on hold by a re-INVITE that neither sends nor
// receives, as some phones do.
func (c *Call) HoldSilently(ctx context.Context) error { return c.reinvite(ctx, "inactive") }

// Resume takes the other side off hold.
func (c *Call) Resume(ctx context.Context) error { return c.reinvite(ctx, "sendrecv") }

// reinvite changes the direction of the sound. It repeats itself where the other
// side was about to change something too (491).
func (c *Call) reinvite(ctx context.Context, direction string) error {
	for {
		req := c.dialog.request(sip.INVITE)
		req.AppendHeader(c.phone.contact())
		req.AppendHeader(sip.NewHeader("Allow", methods))
		describing(req, c.media.describe(direction))
		sequence := req.CSeq().SeqNo
		res, err := c.phone.client.Do(ctx, req)
		switch {
		case err != nil:
			return c.wrap(direction, err)
		case res.IsSuccess():
			if err := c.phone.client.WriteRequest(c.dialog.ack(sequence)); err != nil {
				return c.wrap(direction, err)
			}
			return nil
		case res.StatusCode != sip.StatusRequestPending:
			return c.wrap(direction, fmt.Errorf("%d %s", res.StatusCode, res.Reason))
		}
	}
}

// Refer asks the switch to send the other side to a number (SIP REFER). It returns
// when the switch accepts that. The caller hangs up, but only after the transfer is
// done: the switch may drop the other side otherwise.
func (c *Call) Refer(ctx context.Context, number string) error {
	target, err := c.phone.at(number)
	if err != nil {
		return err
	}
	return c.refer(ctx, fmt.Sprintf("<%s>", target.String()))
}

// TransferTo joins the other side of this call with the other side of another
// call of the same phone (attended, SIP REFER with Replaces), and hangs up both
// when the switch says that they are joined.
func (c *Call) TransferTo(ctx context.Context, consultation *Call) error {
	if err := c.TransferToRinging(ctx, consultation); err != nil {
		return err
	}
	return consultation.Hangup(ctx)
}

// TransferToRinging does the same before the other call is answered. The switch ends
// the other call, because a CANCEL at the wrong moment would end the ringing too.
func (c *Call) TransferToRinging(ctx context.Context, consultation *Call) error {
	if consultation.phone != c.phone {
		return c.wrap("transfer", errors.New("the consultation is on another phone"))
	}
	target := consultation.dialog.remoteURI
	to := fmt.Sprintf("<%s?Replaces=%s>", target.String(), url.QueryEscape(consultation.dialog.replaces()))
	if err := c.refer(ctx, to); err != nil {
		return err
	}
	if err := c.await(ctx, "joined", c.referred); err != nil {
		return err
	}
	return c.Hangup(ctx)
}

func (c *Call) refer(ctx context.Context, to string) error {
	req := c.dialog.request(sip.REFER)
	req.AppendHeader(c.phone.contact())
	req.AppendHeader(sip.NewHeader("Refer-To", to))
	req.AppendHeader(sip.NewHeader("Referred-By", fmt.Sprintf("<%s>", c.dialog.localURI.String())))
	res, err := c.phone.client.Do(ctx, req)
	if err != nil {
		return c.wrap("transfer", err)
	}
	if !res.IsSuccess() {
		return c.wrap("transfer", fmt.Errorf("%d %s", res.StatusCode, res.Reason))
	}
	return nil
}

// onNotify takes the progress of a transfer: the body is a status line.
func (p *Phone) onNotify(req *sip.Request, tx sip.ServerTransaction) {
	respondWith(sip.StatusOK, "OK")(req, tx)
	if call := p.find(req); call != nil && strings.HasPrefix(string(req.Body()), "SIP/2.0 200") {
		call.reach(call.referred)
	}
}

// Press presses keys (SIP INFO), one after the other.
func (c *Call) Press(ctx context.Context, keys string) error {
	for _, key := range keys {
		req := c.dialog.request(sip.INFO)
		kind := sip.ContentTypeHeader("application/dtmf-relay")
		req.AppendHeader(&kind)
		req.SetBody(fmt.Appendf(nil, "Signal=%c\r\nDuration=100\r\n", key))
		res, err := c.phone.client.Do(ctx, req)
		if err != nil {
			return c.wrap("press "+keys, err)
		}
		if !res.IsSuccess() {
			return c.wrap("press "+keys, fmt.Errorf("%d %s", res.StatusCode, res.Reason))
		}
	}
	return nil
}
