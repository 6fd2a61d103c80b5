package ari

import (
	"context"
	"net/http"
	"strings"

	"kontur-ari/bridge"
)

// EndpointState is whether Asterisk can reach an endpoint: a closed set.
type EndpointState string

// The states, as Asterisk names them.
const (
	// EndpointUnknown: Asterisk shows neither of the other two, because the endpoint's
	// technology doesn't know.
	EndpointUnknown EndpointState = "unknown"
	// EndpointOffline: no telephone is registered, or none answers there.
	EndpointOffline EndpointState = "offline"
	// EndpointOnline: a telephone is registered, or reachable at a fixed address.
	EndpointOnline EndpointState = "online"
)

// Endpoint is what Asterisk shows of an endpoint at one moment.
type Endpoint struct {
	State EndpointState
	// Channels are its channels, whether ringing, talking, or being dialled.
	Channels []bridge.ChannelID
}

// Endpoint reads the state of an endpoint that is named as in the directory,
// "PJSIP/101". [ErrNotFound] when Asterisk has no such endpoint.
func (s *Switch) Endpoint(ctx context.Context, name string) (Endpoint, error) {
	technology, resource, found := strings.Cut(name, "/")
	if !found {
		// That request would return a list of all endpoints of a technology.
		return Endpoint{}, &RESTError{Method: http.MethodGet, Path: "/endpoints/" + name, Status: http.StatusNotFound}
	}
	var wire struct {
		State    string             `json:"state"`
		Channels []bridge.ChannelID `json:"channel_ids"`
	}
	if err := s.call(ctx, http.MethodGet, []string{"endpoints", technology, resource}, nil, nil, &wire); err != nil {
		return Endpoint{}, err
	}
	endpoint := Endpoint{State: EndpointState(wire.State), Channels: wire.Channels}
	if endpoint.State != EndpointOnline && endpoint.State != EndpointOffline {
		endpoint.State = EndpointUnknown
	}
	return endpoint, nil
}
