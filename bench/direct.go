package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// runDirect is the yardstick program. It turns events into the daemon's requests, in order
// within a call and over as many connections, and keeps nothing. When it ends, unsent
// requests are lost, and so are those that the CRM did not take. With a ledger it flushes
// once for each event before its first request, and once for each answer before the next
// request of the call.
func runDirect(ctx context.Context, ari, crm string, connections int, kept *ledger) error {
	target := strings.Replace(ari, "http", "ws", 1) + "/events?app=bench"
	socket, _, err := websocket.Dial(ctx, target, nil)
	if err != nil {
		return fmt.Errorf("opening the websocket: %w", err)
	}
	defer func() { _ = socket.CloseNow() }()
	socket.SetReadLimit(1 << 20)
	send := startLanes(ctx, crm, connections).send
	if kept != nil {
		send = startKeeping(ctx, crm, connections, kept).send
	}
	calls := make(map[string]string)
	for {
		_, message, err := socket.Read(ctx)
		if err != nil {
			return nil // the bench has closed the websocket
		}
		var event directEvent
		if err := json.Unmarshal(message, &event); err != nil {
			return fmt.Errorf("reading an event: %w", err)
		}
		durable := kept.begin()
		for _, made := range event.requests(calls) {
			made.durable = durable
			send(made)
		}
	}
}

// directEvent is what the yardstick program reads of an event.
type directEvent struct {
	Type       string        `json:"type"`
	Timestamp  string        `json:"timestamp"`
	DialStatus string        `json:"dialstatus"`
	Channel    directChannel `json:"channel"`
	Caller     directChannel `json:"caller"`
	Peer       directChannel `json:"peer"`
	Bridge     struct {
		Channels []string `json:"channels"`
	} `json:"bridge"`
}

type directChannel struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// directRequest is a request to make.
type directRequest struct {
	kind          int
	call, leg, at string
	// durable, where something is kept, is closed when the event is.
	durable <-chan struct{}
}

// requests are those that an event causes. calls holds the call of each employee's
// channel.
func (e *directEvent) requests(calls map[string]string) []directRequest {
	at := e.Timestamp[:len(e.Timestamp)-2] + ":" + e.Timestamp[len(e.Timestamp)-2:]
	isTrunk := strings.HasPrefix(e.Channel.Name, "PJSIP/trunk-")
	switch {
	case e.Type == "ChannelCreated" && isTrunk:
		return []directRequest{{kind: started, call: e.Channel.ID, at: at}}
	case e.Type == "Dial" && e.DialStatus == "":
		calls[e.Peer.ID] = e.Caller.ID
		calls[e.Caller.ID] = e.Peer.ID
		return []directRequest{{kind: appeared, call: e.Caller.ID, leg: e.Peer.ID, at: at}}
	case e.Type == "ChannelEnteredBridge" && len(e.Bridge.Channels) == 2:
		return []directRequest{{kind: connected, call: e.Channel.ID, leg: calls[e.Channel.ID], at: at}}
	case e.Type == "ChannelDestroyed" && isTrunk:
		return []directRequest{{kind: disconnected, call: e.Channel.ID, leg: calls[e.Channel.ID], at: at}}
	case e.Type == "ChannelDestroyed":
		call := calls[e.Channel.ID]
		delete(calls, call)
		delete(calls, e.Channel.ID)
		return []directRequest{
			{kind: finished, call: call, leg: e.Channel.ID, at: at},
			{kind: callFinished, call: call, at: at},
			{kind: registered, call: call, leg: e.Channel.ID, at: at},
		}
	}
	return nil
}

// lanes are as many goroutines as connections; a call's requests are all one lane's.
type lanes []chan directRequest

// mostQueued is more than any measurement lets wait in one lane.
const mostQueued = 1 << 16

func startLanes(ctx context.Context, crm string, connections int) lanes {
	client := &http.Client{Transport: transport()}
	all := make(lanes, connections)
	for i := range all {
		all[i] = make(chan directRequest, mostQueued)
		go func() {
			known := make(map[string]directIdentity)
			for made := range all[i] {
				// The bench notices a request that fails: the CRM lacks it.
				_ = post(ctx, client, crm, made, known)
			}
		}()
	}
	return all
}

func (l lanes) send(made directRequest) {
	hash := fnv.New32a()
	_, _ = io.WriteString(hash, made.call)
	l[hash.Sum32()%uint32(len(l))] <- made
}

// transport is configured like that of the daemon's client.
func transport() *http.Transport {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		DialContext: dialer.DialContext, ForceAttemptHTTP2: true,
		MaxIdleConns: 64, MaxIdleConnsPerHost: 64, IdleConnTimeout: 90 * time.Second,
	}
}

// directIdentity is how the CRM calls a call.
type directIdentity struct {
	ExternalID string `json:"externalId"`
	ID         string `json:"id"`
}

// post makes a request, with the daemon's headers and a body of the daemon's form.
func post(ctx context.Context, client *http.Client, crm string, made directRequest, known map[string]directIdentity) error {
	identity := known[made.call]
	path, body := write(made, identity)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, crm+"/api/v1/bench/communications/callbacks/telephony/"+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("making a request: %w", err)
	}
	request.Header["X-Xcom-Accesskey"] = []string{"bench-access-key"}
	request.Header.Set("User-Agent", "kontur-ari/development")
	request.Header.Set("Accept", "application/json")
	request.Header.Set("Content-Type", "application/json; charset=utf-8")
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("making a request: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	answered, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("reading an answer: %w", err)
	}
	switch made.kind {
	case started:
		if err := json.Unmarshal(answered, &identity); err != nil {
			return fmt.Errorf("reading an answer: %w", err)
		}
		known[made.call] = identity
	case registered:
		delete(known, made.call)
	}
	return nil
}

// write gives the last part of a request's path, and its body.
func write(made directRequest, identity directIdentity) (path string, body []byte) {
	const (
		about  = `"externalVatsPhone":"78005550101","clientPhone":"79990000001","direction":"inbound"}`
		client = `{"type":"client"}`
		user   = `{"type":"user","userId":"ae9c0d0e-0000-4000-8000-000000000101"}`
	)
	switch made.kind {
	case started:
		return "call-started", fmt.Appendf(nil, `{"timestamp":%q,"externalId":%q,`+about, made.at, made.call)
	case callFinished:
		return "call-finished", fmt.Appendf(nil, `{"timestamp":%q,"communicationId":%q,"externalId":%q,`+about, made.at, identity.ID, identity.ExternalID)
	case registered:
		return "register-call", fmt.Appendf(nil, `{"externalVatsPhone":"78005550101","clientPhone":"79990000001","items":[{"id":%q,"from":`+client+`,"to":`+user+
			`,"recordings":[],"startedAt":%q,"finishedAt":%q}],"communicationId":%q,"externalCreatedAt":%q,"externalId":%q,"direction":"inbound"}`,
			made.leg, made.at, made.at, identity.ID, made.at, made.call)
	}
	event := map[int]string{appeared: "appeared", connected: "connected", disconnected: "disconnected", finished: "finished"}[made.kind]
	return "call-event", fmt.Appendf(nil, `{"communicationId":%q,"externalId":%q,"externalCallItemId":%q,"realtimeCallItemId":%q,"timestamp":%q,"type":%q,"from":`+client+`,"to":`+user+`}`,
		identity.ID, identity.ExternalID, made.leg, made.leg, made.at, event)
}

// runPosts makes requests of whole calls as fast as they are answered, over a number
// of connections: the rate of the loopback interface and of net/http.
func runPosts(ctx context.Context, crm string, connections, first, calls int) error {
	client := &http.Client{Transport: transport()}
	failed := make(chan error, connections)
	for lane := range connections {
		go func() {
			known := make(map[string]directIdentity)
			at := time.Now().Format("2006-01-02T15:04:05.000-07:00")
			for n := first + lane; n < first+calls; n += connections {
				for kind := range requestsPerCall {
					made := directRequest{kind: kind, call: fmt.Sprint(epoch, 2*n), leg: fmt.Sprint(epoch, 2*n+1), at: at}
					if err := post(ctx, client, crm, made, known); err != nil {
						failed <- err
						return
					}
				}
			}
			failed <- nil
		}()
	}
	for range connections {
		if err := <-failed; err != nil {
			return err
		}
	}
	return nil
}
