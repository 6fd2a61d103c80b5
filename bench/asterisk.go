package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/coder/websocket"
)

// asterisk plays an Asterisk without calls: a websocket for events, and the REST requests
// that a program makes before events flow.
type asterisk struct {
	server *http.Server
	url    string
	// joined hands over each websocket that a client opens. socket is the newest.
	joined chan *websocket.Conn
	socket *websocket.Conn
}

func startAsterisk() (*asterisk, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening as Asterisk: %w", err)
	}
	a := &asterisk{url: "http://" + listener.Addr().String() + "/ari", joined: make(chan *websocket.Conn, 1)}
	mux := http.NewServeMux()
	var filter json.RawMessage
	application := func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{
			"name": "bench", "channel_ids": []string{"__AST_CHANNEL_ALL_TOPIC"}, "bridge_ids": []string{"__AST_BRIDGE_ALL_TOPIC"},
			"endpoint_ids": []string{}, "device_names": []string{}, "events_allowed": filter, "events_disallowed": []string{},
		})
	}
	empty := func(w http.ResponseWriter, _ *http.Request) { answer(w, []string{}) }
	mux.HandleFunc("GET /ari/applications/{app}", application)
	mux.HandleFunc("POST /ari/applications/{app}/subscription", application)
	mux.HandleFunc("PUT /ari/applications/{app}/eventFilter", func(w http.ResponseWriter, r *http.Request) {
		var wanted struct {
			Allowed json.RawMessage `json:"allowed"`
		}
		if err := json.NewDecoder(r.Body).Decode(&wanted); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		filter = wanted.Allowed // no lock: a client makes one request at a time
		application(w, r)
	})
	mux.HandleFunc("GET /ari/channels", empty)
	mux.HandleFunc("GET /ari/bridges", empty)
	mux.HandleFunc("GET /ari/events", a.join)
	a.server = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = a.server.Serve(listener) }()
	return a, nil
}

func answer(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value)
}

func (a *asterisk) join(w http.ResponseWriter, r *http.Request) {
	socket, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	ctx := socket.CloseRead(context.Background()) // answers pings
	select {
	case a.joined <- socket:
	default: // await has not taken the one before
	}
	<-ctx.Done()
}

// await waits until a client has opened the websocket.
func (a *asterisk) await(ctx context.Context) error {
	select {
	case a.socket = <-a.joined:
		return nil
	case <-ctx.Done():
		return errors.New("no client connected for the events of Asterisk")
	}
}

// send sends an event.
func (a *asterisk) send(ctx context.Context, event []byte) error {
	if err := a.socket.Write(ctx, websocket.MessageText, event); err != nil {
		return fmt.Errorf("sending an event: %w", err)
	}
	return nil
}

func (a *asterisk) close() {
	if a.socket != nil {
		_ = a.socket.CloseNow()
	}
	_ = a.server.Close()
}
