package ari

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"kontur-ari/bridge"
)

// Channels returns every live channel, each as Asterisk's own JSON object, in no
// particular order.
func (s *Switch) Channels(ctx context.Context) ([]json.RawMessage, error) {
	var channels []json.RawMessage
	err := s.call(ctx, http.MethodGet, []string{"channels"}, nil, nil, &channels)
	return channels, err
}

// Bridges returns every bridge, empty ones included, each as Asterisk's own JSON
// object.
func (s *Switch) Bridges(ctx context.Context) ([]json.RawMessage, error) {
	var bridges []json.RawMessage
	err := s.call(ctx, http.MethodGet, []string{"bridges"}, nil, nil, &bridges)
	return bridges, err
}

// Variable reads a channel variable or a dial plan function such as
// "CHANNEL(linkedid)". [ErrNotFound] when the channel or the variable isn't
// there, [ErrFailed] when the function gave no value.
func (s *Switch) Variable(ctx context.Context, channel bridge.ChannelID, name string) (string, error) {
	var answer struct {
		Value string `json:"value"`
	}
	query := url.Values{"variable": {name}}
	err := s.call(ctx, http.MethodGet, []string{"channels", string(channel), "variable"}, query, nil, &answer)
	return answer.Value, err
}

// SetVariable sets a variable of a channel that is in Stasis. [ErrConflict] where
// it isn't, [ErrNotFound] where there is no such channel. From then on Asterisk 22
// refuses the channel's dial plan every function that live_dangerously=no guards, such
// as DB().
func (s *Switch) SetVariable(ctx context.Context, channel bridge.ChannelID, name, value string) error {
	query := url.Values{"variable": {name}, "value": {value}}
	return s.call(ctx, http.MethodPost, []string{"channels", string(channel), "variable"}, query, nil, nil)
}

// Continue lets a channel leave Stasis: the dial plan continues at the next priority. [ErrConflict] where it isn't in Stasis, [ErrNotFound] where there is no such
// channel.
func (s *Switch) Continue(ctx context.Context, channel bridge.ChannelID) error {
	return s.call(ctx, http.MethodPost, []string{"channels", string(channel), "continue"}, nil, nil, nil)
}

// ContinueAt lets a channel leave Stasis: the dial plan continues at priority 1 of an
// extension. Asterisk 22 doesn't check first that the extension exists, and hangs the
// channel up when it doesn't. The errors are those of [Switch.Continue].
func (s *Switch) ContinueAt(ctx context.Context, channel bridge.ChannelID, context, extension string) error {
	query := url.Values{"context": {context}, "extension": {extension}, "priority": {"1"}}
	return s.call(ctx, http.MethodPost, []string{"channels", string(channel), "continue"}, query, nil, nil)
}
