package phone

import (
	"crypto/rand"
	"fmt"
	"strings"
	"sync"

	"github.com/emiago/sipgo/sip"
)

// dialog is what both sides of a call must agree upon in every request.
type dialog struct {
	id                  string // Call-ID
	localTag            string
	localName           string
	localURI, remoteURI sip.Uri

	mu        sync.Mutex
	remoteTag string
	target    sip.Uri // the other side's Contact
	sequence  uint32
}

// request makes the next request of the dialog.
func (d *dialog) request(method sip.RequestMethod) *sip.Request {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sequence++
	return d.build(method, d.sequence)
}

// ack confirms the answer to the INVITE that had this number.
func (d *dialog) ack(sequence uint32) *sip.Request {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.build(sip.ACK, sequence)
}

func (d *dialog) build(method sip.RequestMethod, sequence uint32) *sip.Request {
	req := sip.NewRequest(method, *d.target.Clone())
	from := &sip.FromHeader{DisplayName: d.localName, Address: *d.localURI.Clone()}
	from.Params.Add("tag", d.localTag)
	to := &sip.ToHeader{Address: *d.remoteURI.Clone()}
	if d.remoteTag != "" {
		to.Params.Add("tag", d.remoteTag)
	}
	id := sip.CallIDHeader(d.id)
	hops := sip.MaxForwardsHeader(70)
	req.AppendHeader(from)
	req.AppendHeader(to)
	req.AppendHeader(&id)
	req.AppendHeader(&sip.CSeqHeader{SeqNo: sequence, MethodName: method})
	req.AppendHeader(&hops)
	return req
}

// learn takes the other side's tag and address from its response.
func (d *dialog) learn(res *sip.Response) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if to := res.To(); to != nil {
		if tag, ok := to.Params.Get("tag"); ok {
			d.remoteTag = tag
		}
	}
	if contact := res.Contact(); contact != nil {
		d.target = *contact.Address.Clone()
	}
}

// skipTo says which number the latest request really had.
func (d *dialog) skipTo(sequence uint32) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sequence = max(d.sequence, sequence)
}

// replaces names the dialog for a Replaces header, as its other side sees it.
func (d *dialog) replaces() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return fmt.Sprintf("%s;to-tag=%s;from-tag=%s", d.id, d.remoteTag, d.localTag)
}

func newID() string { return rand.Text() }

// plain are the characters that may stand in the user part of a SIP address.
const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.!~*'()&=+$,;?/"

// escape writes a number or name as the user part of a SIP address.
func escape(user string) string {
	var escaped strings.Builder
	for i := range len(user) {
		if strings.IndexByte(plain, user[i]) >= 0 {
			escaped.WriteByte(user[i])
		} else {
			fmt.Fprintf(&escaped, "%%%02X", user[i])
		}
	}
	return escaped.String()
}
