package aritest

import (
	"encoding/json"
	"time"
)

// SetChannels sets what GET /channels answers: Asterisk's JSON objects.
func (s *Server) SetChannels(channels ...string) {
	s.update(func() { s.channels = rawMessages(channels) })
}

// SetBridges sets what GET /bridges answers: Asterisk's JSON objects.
func (s *Server) SetBridges(bridges ...string) {
	s.update(func() { s.bridges = rawMessages(bridges) })
}

func rawMessages(documents []string) []json.RawMessage {
	raw := make([]json.RawMessage, len(documents))
	for i, document := range documents {
		raw[i] = json.RawMessage(document)
	}
	return raw
}

// SetVariable sets a variable of a channel, or the value of a function. An unset variable
// is answered with 404.
func (s *Server) SetVariable(channel, name, value string) {
	s.update(func() { s.variables[variable{channel, name}] = value })
}

// SetClock sets by how much Asterisk's clock, which answers show as their Date, is ahead
// of the test's.
func (s *Server) SetClock(ahead time.Duration) {
	s.update(func() { s.ahead = ahead })
}

// Variable returns a variable of a channel, "" when it was never set.
func (s *Server) Variable(channel, name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.variables[variable{channel, name}]
}

// endpoint is what GET /endpoints answers for one.
type endpoint struct {
	state    string
	channels []string
}

// SetEndpoint sets the state and channels of an endpoint named like "PJSIP/101". An unset
// endpoint is answered with 404.
func (s *Server) SetEndpoint(name, state string, channels ...string) {
	s.update(func() { s.endpoints[name] = endpoint{state, append([]string{}, channels...)} })
}
