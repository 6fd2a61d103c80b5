package ari

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"kontur-ari/bridge"
)

// clickToCallArgument is the Stasis argument of the phones' channels that Create makes for
// a click-to-call. It distinguishes them from channels that the dial plan sends to Stasis.
const clickToCallArgument = "ordered"

// Phones rings phones and lets them dial, through a Switch. A [Source] must be connected
// for its application: otherwise Asterisk hangs the channels up.
type Phones struct {
	*Switch
	// Application is the ARI application, Context the dial plan context in which
	// numbers are dialled.
	Application, Context string
}

var _ bridge.Phones = Phones{}

// Create implements [bridge.Phones] (POST /channels/create, Asterisk 22.10). The
// channel's caller number is the extension, so that the dial plan treats the channel like
// a call from that phone. The number to show is the connected line, which chan_pjsip
// sends as the From of the INVITE.
func (p Phones) Create(ctx context.Context, call bridge.PhoneCall) error {
	variables := map[string]string{
		"CONNECTEDLINE(num,i)":  call.Shows,
		"CONNECTEDLINE(name,i)": call.Shows,
	}
	if call.Extension != "" {
		variables["CALLERID(num)"] = call.Extension
	}
	if call.AutoAnswer {
		for name, value := range autoAnswer(call.Endpoint) {
			variables[name] = value
		}
	}
	query := url.Values{
		"endpoint": {call.Endpoint}, "app": {p.Application}, "appArgs": {clickToCallArgument}, "channelId": {string(call.Channel)},
	}
	body := struct {
		Variables map[string]string `json:"variables"`
	}{variables}
	return p.call(ctx, http.MethodPost, []string{"channels", "create"}, query, body, nil)
}

// autoAnswer returns the variables that add the headers which phones answer at once:
// Call-Info (RFC 3261 20.9, with the parameter for Snom, Yealink, Grandstream and Cisco)
// and Alert-Info (Polycom, Aastra and others).
func autoAnswer(endpoint string) map[string]string {
	if !isPJSIP(endpoint) {
		return nil
	}
	return map[string]string{
		"PJSIP_HEADER(add,Call-Info)":  "<sip:127.0.0.1>;answer-after=0",
		"PJSIP_HEADER(add,Alert-Info)": "<http://127.0.0.1>;info=alert-autoanswer;delay=0",
	}
}

func isPJSIP(endpoint string) bool {
	return len(endpoint) > len("PJSIP/") && strings.EqualFold(endpoint[:len("PJSIP/")], "PJSIP/")
}

// Contacts implements [bridge.Phones] by the dial plan function
// PJSIP_DIAL_CONTACTS. Every dial string it returns is of the endpoint itself.
func (p Phones) Contacts(ctx context.Context, channel bridge.ChannelID, endpoint string) ([]string, error) {
	if !isPJSIP(endpoint) {
		return nil, nil
	}
	list, err := p.Variable(ctx, channel, "PJSIP_DIAL_CONTACTS("+endpoint[len("PJSIP/"):]+")")
	if err != nil {
		return nil, err
	}
	return dialContacts(endpoint, list)
}

// Ring implements [bridge.Phones] (POST /channels/{id}/dial). ARI takes the timeout
// in whole seconds, so Ring rounds it up, to one second at least: 1500 ms rings for 2 s.
func (p Phones) Ring(ctx context.Context, channel bridge.ChannelID, timeout time.Duration) error {
	query := url.Values{"timeout": {strconv.Itoa(wholeSeconds(timeout))}}
	return onceInStasis(ctx, func() error {
		return p.call(ctx, http.MethodPost, []string{"channels", string(channel), "dial"}, query, nil, nil)
	})
}

// wholeSeconds rounds a duration up to seconds, at least one. A phone would ring too
// short if it rounded down.
func wholeSeconds(d time.Duration) int {
	seconds := int(d / time.Second)
	if d%time.Second > 0 {
		seconds++
	}
	return max(seconds, 1)
}

// Dial implements [bridge.Phones]. Asterisk answers 409 for a channel that has left
// Stasis: it dials already, which is no error.
func (p Phones) Dial(ctx context.Context, channel bridge.ChannelID, number string) error {
	err := p.ContinueAt(ctx, channel, p.Context, number)
	if isConflict(err) {
		return nil
	}
	return err
}

// Hangup implements [bridge.Phones]. The channel need not be in Stasis.
func (p Phones) Hangup(ctx context.Context, channel bridge.ChannelID, cause int) error {
	query := url.Values{"reason_code": {strconv.Itoa(cause)}}
	return p.call(ctx, http.MethodDelete, []string{"channels", string(channel)}, query, nil, nil)
}

// State implements [bridge.Phones].
func (p Phones) State(ctx context.Context, channel bridge.ChannelID) (bridge.ChannelState, error) {
	var seen wireChannel
	err := p.call(ctx, http.MethodGet, []string{"channels", string(channel)}, nil, nil, &seen)
	return bridge.ChannelState(seen.State), err
}
