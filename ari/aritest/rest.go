package aritest

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// routes registers the requests that the Server knows. It answers as Asterisk 22 does.
func (s *Server) routes() {
	s.mux = http.NewServeMux()
	s.mux.HandleFunc("GET /ari/events", s.serveSocket)
	s.mux.HandleFunc("GET /ari/applications/{app}", s.serveApplication)
	s.mux.HandleFunc("POST /ari/applications/{app}/subscription", s.serveSubscription)
	s.mux.HandleFunc("PUT /ari/applications/{app}/eventFilter", s.serveFilter)
	s.mux.HandleFunc("GET /ari/channels", func(w http.ResponseWriter, _ *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		answer(w, http.StatusOK, s.allChannels())
	})
	s.mux.HandleFunc("GET /ari/bridges", func(w http.ResponseWriter, _ *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		answer(w, http.StatusOK, append(s.played.bridgeDocuments(), s.bridges...))
	})
	s.mux.HandleFunc("GET /ari/channels/{id}/variable", s.serveVariable)
	s.mux.HandleFunc("POST /ari/channels/{id}/variable", s.serveSetVariable)
	s.mux.HandleFunc("POST /ari/channels/{id}/continue", s.serveContinue)
	s.mux.HandleFunc("GET /ari/endpoints/{tech}/{resource}", s.serveEndpoint)
}

// serve records every request, delays or refuses it where a fault says so, and answers.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	name := r.Method + " " + strings.TrimPrefix(r.URL.Path, "/ari")
	s.mu.Lock()
	s.requests = append(s.requests, name)
	pause, refusal, ahead := s.slow[name], s.refusal, s.ahead
	s.mu.Unlock()

	if pause > 0 {
		timer := time.NewTimer(pause)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-r.Context().Done():
			return
		case <-s.closing:
			return
		}
	}
	w.Header().Set("Date", time.Now().Add(ahead).UTC().Format(http.TimeFormat))
	if refusal != 0 {
		answer(w, refusal, map[string]string{"message": http.StatusText(refusal)})
		return
	}
	if username, password, _ := r.BasicAuth(); username != Username || password != Password {
		answer(w, http.StatusUnauthorized, map[string]string{"message": "Authentication required"})
		return
	}
	s.mux.ServeHTTP(w, r)
}

func (s *Server) serveApplication(w http.ResponseWriter, r *http.Request) {
	s.change(w, r, func(*application) {})
}

func (s *Server) serveSubscription(w http.ResponseWriter, r *http.Request) {
	s.change(w, r, func(app *application) {
		for source := range strings.SplitSeq(r.URL.Query().Get("eventSource"), ",") {
			switch source {
			case "channel:":
				app.allChannels = true
			case "bridge:":
				app.allBridges = true
			}
		}
	})
}

func (s *Server) serveFilter(w http.ResponseWriter, r *http.Request) {
	var filter struct {
		Allowed []eventName `json:"allowed"`
	}
	if err := json.NewDecoder(r.Body).Decode(&filter); err != nil {
		answer(w, http.StatusBadRequest, map[string]string{"message": "Invalid request body"})
		return
	}
	s.change(w, r, func(app *application) {
		app.allowed = nil
		for _, name := range filter.Allowed {
			app.allowed = append(app.allowed, name.Type)
		}
	})
}

type eventName struct {
	Type string `json:"type"`
}

// change applies a request to its application and answers with the changed object.
func (s *Server) change(w http.ResponseWriter, r *http.Request, apply func(*application)) {
	s.update(func() {
		app := s.applications[r.PathValue("app")]
		if app == nil {
			answer(w, http.StatusNotFound, map[string]string{"message": "Application not found"})
			return
		}
		apply(app)
		answer(w, http.StatusOK, app.document(r.PathValue("app")))
	})
}

// document is Asterisk's Application object.
func (a *application) document(name string) map[string]any {
	channels, bridges, allowed := []string{}, []string{}, []eventName{}
	if a.allChannels {
		channels = append(channels, "__AST_CHANNEL_ALL_TOPIC")
	}
	if a.allBridges {
		bridges = append(bridges, "__AST_BRIDGE_ALL_TOPIC")
	}
	for _, name := range a.allowed {
		allowed = append(allowed, eventName{Type: name})
	}
	return map[string]any{
		"name": name, "channel_ids": channels, "bridge_ids": bridges,
		"endpoint_ids": []string{}, "device_names": []string{},
		"events_allowed": allowed, "events_disallowed": []eventName{},
	}
}

func (s *Server) serveVariable(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	value, known := s.variables[variable{r.PathValue("id"), r.URL.Query().Get("variable")}]
	if !known {
		value, known = s.played.variable(r.PathValue("id"), r.URL.Query().Get("variable"))
	}
	s.mu.Unlock()
	if !known {
		answer(w, http.StatusNotFound, map[string]string{"message": "Provided variable was not found"})
		return
	}
	answer(w, http.StatusOK, map[string]string{"value": value})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
