package aritest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// waiting is a channel in Stasis.
type waiting struct {
	channel, application string
	document             json.RawMessage
}

// Enter lets a channel with a caller number run Stasis(application,arguments...), and
// reports whether it waits there now. As in Asterisk 22 it continues at once when no
// listener is registered for the application.
func (s *Server) Enter(channel, caller, application string, arguments ...string) bool {
	entered := false
	s.update(func() {
		app := s.applications[application]
		if app == nil || app.listener == nil {
			return
		}
		entered = true
		document := stasisChannel(channel, caller, application, arguments)
		s.stasis = append(s.stasis, waiting{channel, application, document})
		if !app.lets("StasisStart") {
			return
		}
		event, err := json.Marshal(map[string]any{
			"type": "StasisStart", "timestamp": time.Now().UTC().Format("2006-01-02T15:04:05.000-0700"),
			"application": application, "args": arguments, "channel": document,
		})
		if err != nil {
			panic(fmt.Sprintf("aritest: %v", err)) // strings alone always marshal
		}
		app.listener.enqueue(event)
	})
	return entered
}

// Leftover adds a channel that waits in Stasis since an earlier listener, and sends no
// StasisStart.
func (s *Server) Leftover(channel, caller, application string, arguments ...string) {
	s.update(func() {
		s.stasis = append(s.stasis, waiting{channel, application, stasisChannel(channel, caller, application, arguments)})
	})
}

// stasisChannel is Asterisk's Channel object of a channel in Stasis.
func stasisChannel(channel, caller, application string, arguments []string) json.RawMessage {
	document, err := json.Marshal(map[string]any{
		"id": channel, "name": "PJSIP/trunk-" + channel, "state": "Ring",
		"caller": map[string]string{"number": caller},
		"dialplan": map[string]any{
			"context": "from-trunk", "exten": "78005550150", "priority": 2,
			"app_name": "Stasis", "app_data": strings.Join(append([]string{application}, arguments...), ","),
		},
	})
	if err != nil {
		panic(fmt.Sprintf("aritest: %v", err)) // strings alone always marshal
	}
	return document
}

// Waits reports whether a channel waits in Stasis.
func (s *Server) Waits(channel string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.waits(channel)
}

// allChannels, waits and leave require the server's lock.
func (s *Server) allChannels() []json.RawMessage {
	all := slices.Concat([]json.RawMessage{}, s.channels, s.played.channelDocuments())
	for _, w := range s.stasis {
		all = append(all, w.document)
	}
	return all
}

func (s *Server) waits(channel string) bool {
	return slices.ContainsFunc(s.stasis, func(w waiting) bool { return w.channel == channel })
}

func (s *Server) leave(channel string) {
	s.stasis = slices.DeleteFunc(s.stasis, func(w waiting) bool { return w.channel == channel })
}

// inStasis reports whether a channel is in Stasis, and answers 409 when it is not, as
// Asterisk does.
func (s *Server) inStasis(w http.ResponseWriter, channel string) bool {
	if !s.waits(channel) {
		answer(w, http.StatusConflict, map[string]string{"message": "Channel not in Stasis application"})
		return false
	}
	return true
}

func (s *Server) serveSetVariable(w http.ResponseWriter, r *http.Request) {
	s.update(func() {
		if channel, query := r.PathValue("id"), r.URL.Query(); s.inStasis(w, channel) {
			s.variables[variable{channel, query.Get("variable")}] = query.Get("value")
			w.WriteHeader(http.StatusNoContent)
		}
	})
}

func (s *Server) serveContinue(w http.ResponseWriter, r *http.Request) {
	s.update(func() {
		if channel := r.PathValue("id"); s.inStasis(w, channel) {
			s.leave(channel)
			s.continued[channel] = r.URL.RawQuery
			w.WriteHeader(http.StatusNoContent)
		}
	})
}

// ContinuedAt returns the query of the request that let a channel leave Stasis: "" where
// the dial plan continues behind Stasis.
func (s *Server) ContinuedAt(channel string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.continued[channel]
}

func (s *Server) serveEndpoint(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	known, found := s.endpoints[r.PathValue("tech")+"/"+r.PathValue("resource")]
	s.mu.Unlock()
	if !found {
		answer(w, http.StatusNotFound, map[string]string{"message": "Endpoint not found"})
		return
	}
	answer(w, http.StatusOK, map[string]any{
		"technology": r.PathValue("tech"), "resource": r.PathValue("resource"), "state": known.state, "channel_ids": known.channels,
	})
}
