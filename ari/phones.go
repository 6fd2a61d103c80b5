package ari

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"kontur-ari/bridge"
	"kontur-ari/internal/retry"
)

// orderedArgument is what the channels of phones that ring for an order carry into
// our application, beside those that the dial plan sends there.
const orderedArgument = "ordered"

// Phones rings phones and has them dial, through a Switch. The application must be
// that of a connected [Source]: Asterisk hangs the channels up otherwise.
type Phones struct {
	*Switch
	// Application is the ARI application, Context the dial plan context in which
	// numbers are dialled.
	Application, Context string
}

var _ bridge.Phones = Phones{}

// Create implements [bridge.Phones] (Asterisk 22: POST /channels/create). The
// channel's own number is the extension, so that the dial plan treats it like a call
// that the phone makes; the number to show goes into the connected line, which
// chan_pjsip sends as the From of the INVITE.
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
		"endpoint": {call.Endpoint}, "app": {p.Application}, "appArgs": {orderedArgument}, "channelId": {string(call.Channel)},
	}
	body := struct {
		Variables map[string]string `json:"variables"`
	}{variables}
	return p.call(ctx, http.MethodPost, []string{"channels", "create"}, query, body, nil)
}

// autoAnswer are the headers that phones know: Call-Info (RFC 3261 20.9, with the
// parameter that Snom, Yealink, Grandstream and Cisco look for) and Alert-Info
// (Polycom, Aastra and others).
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

// A new channel enters Stasis within a millisecond or two.
const (
	stasisAttempts = 20
	stasisPause    = 10 * time.Millisecond
)

// onceInStasis sends a request for a channel that was created a moment ago. Asterisk 22
// answers 409 and does nothing while the channel has not entered Stasis, so the request
// is repeated until it is answered otherwise, 20 times at most. When ctx ends it returns
// the last conflict.
func onceInStasis(ctx context.Context, request func() error) error {
	for attempt := 1; ; attempt++ {
		err := request()
		if attempt == stasisAttempts || !isConflict(err) || retry.Sleep(ctx, stasisPause) != nil {
			return err
		}
	}
}

// Dial implements [bridge.Phones]. A channel that has gone on is a conflict to
// Asterisk.
func (p Phones) Dial(ctx context.Context, channel bridge.ChannelID, number string) error {
	err := p.ContinueAt(ctx, channel, p.Context, number)
	if isConflict(err) {
		return nil
	}
	return err
}

// Hangup implements [bridge.Phones]. It works on channels that are in no
// application, too.
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
