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
