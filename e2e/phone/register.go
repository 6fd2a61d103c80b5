package phone

import (
	"context"
	"fmt"

	"github.com/emiago/sipgo"
	"github.com/emiago/sipgo/sip"
)

// registration is what all REGISTER requests of a phone have in common.
type registration struct {
	callID, tag string
	sequence    uint32
}

// Register gives the switch the phone's address, for an hour.
func (p *Phone) Register(ctx context.Context) error {
	return p.register(ctx, 3600)
}

// Unregister takes that back: the phone is offline to the switch.
func (p *Phone) Unregister(ctx context.Context) error {
	return p.register(ctx, 0)
}

// RegisterAlso registers one more address, of this user part, at which the same phone is
// to be reached; "name:password" is written as it stands.
func (p *Phone) RegisterAlso(ctx context.Context, user string) error {
	return p.registerAt(ctx, p.contactAs(user), 3600)
}

// UnregisterAlso takes that back.
func (p *Phone) UnregisterAlso(ctx context.Context, user string) error {
	return p.registerAt(ctx, p.contactAs(user), 0)
}

func (p *Phone) register(ctx context.Context, seconds uint32) error {
	return p.registerAt(ctx, p.contact(), seconds)
}

func (p *Phone) registerAt(ctx context.Context, contact *sip.ContactHeader, seconds uint32) error {
	req, err := p.registerRequest(contact, seconds)
	if err != nil {
		return err
	}
	res, err := p.client.Do(ctx, req)
	if err == nil && (res.StatusCode == sip.StatusUnauthorized || res.StatusCode == sip.StatusProxyAuthRequired) {
		res, err = p.client.DoDigestAuth(ctx, req, res, p.credentials())
		p.mu.Lock()
		p.registry.sequence++ // the second attempt took a number of its own
		p.mu.Unlock()
	}
	if err != nil {
		return fmt.Errorf("phone %s: register: %w", p.config.User, err)
	}
	if !res.IsSuccess() {
		return fmt.Errorf("phone %s: register: %d %s", p.config.User, res.StatusCode, res.Reason)
	}
	return nil
}

func (p *Phone) registerRequest(contact *sip.ContactHeader, seconds uint32) (*sip.Request, error) {
	account, err := p.at(p.config.User)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.registry.callID == "" {
		p.registry.callID, p.registry.tag = newID(), newID()
	}
	p.registry.sequence++
	registrar := account
	registrar.User = ""
	req := sip.NewRequest(sip.REGISTER, registrar)
	address := account
	address.Port = 0
	expires := sip.ExpiresHeader(seconds)
	callID := sip.CallIDHeader(p.registry.callID)
	req.AppendHeader(&sip.FromHeader{Address: address, Params: sip.HeaderParams{{K: "tag", V: p.registry.tag}}})
	req.AppendHeader(&sip.ToHeader{Address: address})
	req.AppendHeader(&callID)
	req.AppendHeader(&sip.CSeqHeader{SeqNo: p.registry.sequence, MethodName: sip.REGISTER})
	req.AppendHeader(contact)
	req.AppendHeader(&expires)
	return req, nil
}

func (p *Phone) credentials() sipgo.DigestAuth {
	return sipgo.DigestAuth{Username: p.config.User, Password: p.config.Password}
}
