package crmtest

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"
)

// answer is what a request is given; abort closes the connection instead, or with
// reset breaks it off.
type answer struct {
	status int
	header http.Header
	body   []byte
	abort  bool
	reset  bool
	late   time.Duration
	drip   time.Duration
}

// write gives the answer. One that is late or drips ends when the client is gone, or
// the server.
func (a answer) write(w http.ResponseWriter, gone, closing <-chan struct{}) {
	if a.late > 0 {
		timer := time.NewTimer(a.late)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-gone:
		case <-closing:
		}
	}
	if a.abort {
		a.breakOff(w)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	for name, values := range a.header {
		w.Header()[http.CanonicalHeaderKey(name)] = values
	}
	if a.drip > 0 {
		w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	w.WriteHeader(a.status)
	if a.drip > 0 {
		a.dripBody(w, gone, closing)
		return
	}
	_, _ = w.Write(a.body) // a client that went away needs no answer
}

// breakOff ends the connection without an answer. It doesn't return.
func (a answer) breakOff(w http.ResponseWriter) {
	if a.reset {
		// Where there is no TCP connection below, nothing can be reset.
		if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
			if tcp, ok := conn.(*net.TCPConn); ok {
				_ = tcp.SetLinger(0) // the worst that can happen is an orderly end
			}
			_ = conn.Close()
		}
	}
	panic(http.ErrAbortHandler) // net/http closes the connection, and says nothing of it
}

func (a answer) dripBody(w http.ResponseWriter, gone, closing <-chan struct{}) {
	ticker := time.NewTicker(a.drip)
	defer ticker.Stop()
	flush := http.NewResponseController(w).Flush
	for i := range a.body {
		if flush() != nil {
			return
		}
		select {
		case <-ticker.C:
		case <-gone:
			return
		case <-closing:
			return
		}
		if _, err := w.Write(a.body[i : i+1]); err != nil {
			return
		}
	}
}

func jsonAnswer(status int, value any) answer {
	body, err := json.Marshal(value)
	if err != nil {
		panic(err) // answers are made of strings, maps and times only
	}
	return answer{status: status, body: body}
}

func ok() answer { return jsonAnswer(http.StatusOK, "OK") }

func unauthorized() answer { return jsonAnswer(http.StatusUnauthorized, "Unauthorized") }

// conflict is the first form of a 409 that the contract shows.
func conflict(status, message string) answer {
	return jsonAnswer(http.StatusConflict, map[string]string{"status": status, "message": message})
}

func notFound(body Body) answer {
	id := body.CommunicationID
	if id == "" {
		id = body.ExternalID
	}
	return conflict("communicationNotFound", "Communication not found. Id: "+id)
}

// problemAnswer is the second form of a 409: the contract shows it with the
// status 400 in its body.
func problemAnswer(problems []problem) answer {
	errors := make(map[string][]string)
	for _, p := range problems {
		errors[p.path] = append(errors[p.path], p.text)
	}
	return jsonAnswer(http.StatusConflict, map[string]any{
		"errors":  errors,
		"type":    "https://tools.ietf.org/html/rfc7231#section-6.5.1",
		"title":   "One or more validation errors occurred.",
		"status":  400,
		"traceId": "00-00000000000000000000000000000001-0000000000000001-00",
	})
}

func (c *CRM) authorizedAnswer(key string) answer {
	return jsonAnswer(http.StatusOK, map[string]any{
		"workspace": map[string]any{
			"id": guid(1), "name": c.options.Workspace, "title": c.options.Workspace,
		},
		"integrationInstance": c.instanceState(),
		"accessKey":           key,
	})
}

// startedAnswer is the communication as the contract's example shows it.
func (c *CRM) startedAnswer(call *call, body Body) answer {
	author := "Integration." + c.options.IntegrationName
	at := body.Timestamp.Format(time.RFC3339Nano)
	details := map[string]any{"items": []any{}, "events": []any{}}
	for name, value := range map[string]string{"clientPhone": body.ClientPhone, "externalVatsPhone": body.ExternalVatsPhone} {
		if value != "" {
			details[name] = value
		}
	}
	return jsonAnswer(http.StatusOK, map[string]any{
		"updateInfo":        map[string]string{"updatedAt": at, "updatedWith": author, "createdAt": at, "createdWith": author},
		"links":             map[string]any{"companyIds": []string{}, "contactIds": []string{}, "dealIds": []string{}},
		"externalId":        c.answeredForm(call.id),
		"externalCreatedAt": at,
		"type":              "call",
		"direction":         body.Direction,
		"status":            "sealed",
		"integrationId":     c.options.IntegrationID,
		"data":              map[string]any{"call": details},
		"assignedToGroupId": guid(0),
		"id":                call.communication,
	})
}

// guid is the n-th of the ids that the simulator makes up.
func guid(n int) string { return fmt.Sprintf("%08x-0000-4000-8000-%012x", n, n) }
