package ari

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/CyCoreSystems/ari/v6"
	"github.com/coder/websocket"
	"go.uber.org/zap"

	"kontur-ari/bridge"
)

// maxMessageSize bounds one message of the websocket. Events have about 500
// bytes; a bridge with a thousand members some 30 kB.
const maxMessageSize = 16 << 20

// connection is one websocket from handshake to end.
type connection struct {
	source *Source
	socket *websocket.Conn
	events *eventBuffer
	stasis *stasisNotifier
	// heard counts messages, so that a check can see whether any came during it.
	heard atomic.Uint64
	// unverified is set once it was logged that events arrive but checks get no answer.
	unverified bool
}

// connect opens a connection and serves it until it ends. It returns for how long
// events flowed and why they stopped (never nil unless ctx ended).
func (s *Source) connect(ctx context.Context, sink func(bridge.Event)) (flowed time.Duration, err error) {
	s.counters.attempts.Add(1)
	s.progress(Connecting)
	socket, err := s.dial(ctx)
	if err != nil {
		return 0, err
	}
	defer socket.CloseNow()
	c := &connection{source: s, socket: socket, events: &eventBuffer{sink: sink, counters: &s.counters}, stasis: newStasisNotifier(s.config.OnStasis)}

	ctx, end := context.WithCancelCause(ctx)
	var tasks sync.WaitGroup
	tasks.Go(func() { end(c.read(ctx)) })
	tasks.Go(func() { end(c.ping(ctx)) })
	end(c.serve(ctx))
	tasks.Wait()
	c.events.discard()
	return c.events.flowed(), context.Cause(ctx)
}

// dial opens the websocket.
func (s *Source) dial(ctx context.Context) (*websocket.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, s.config.Timings.Handshake)
	defer cancel()
	target := s.rest.base.JoinPath("events")
	target.RawQuery = url.Values{"app": {s.rest.application}, "subscribeAll": {"false"}}.Encode()
	header := http.Header{}
	s.rest.authorize(header)
	socket, response, err := websocket.Dial(ctx, target.String(), &websocket.DialOptions{
		HTTPClient: s.rest.client,
		HTTPHeader: header,
	})
	if err != nil {
		failure := &RESTError{Method: http.MethodGet, Path: "/events"}
		if response != nil && response.StatusCode != http.StatusSwitchingProtocols {
			failure.Status = response.StatusCode
			return nil, failure
		}
		return nil, fmt.Errorf("%w: %w", errHandshake, failure.because(err))
	}
	socket.SetReadLimit(maxMessageSize)
	return socket, nil
}

// serve takes the connection through its states and then watches it.
func (c *connection) serve(ctx context.Context) error {
	rest, name := c.source.rest, c.source.rest.application
	c.source.progress(Subscribing)
	// The filter comes first, so that nothing it excludes is ever sent.
	if err := rest.Filter(ctx, name); err != nil {
		return deafIfNotFound(err)
	}
	if err := rest.SubscribeAll(ctx, name); err != nil {
		return deafIfNotFound(err)
	}
	if err := c.verify(ctx); err != nil {
		return err
	}

	c.source.progress(Snapshotting)
	snapshot, err := c.snapshot(ctx)
	if err != nil {
		return err
	}
	c.stasis.searchSnapshot(snapshot.Raw, name)
	c.source.flowing(snapshot.Snapshot)
	return c.watch(ctx)
}

// snapshot reads a snapshot and delivers it, followed by the events held until then.
func (c *connection) snapshot(ctx context.Context) (bridge.Event, error) {
	ctx, cancel := context.WithTimeout(ctx, c.source.config.Timings.SnapshotWithin)
	defer cancel()
	// This snapshot serves every Resync until now.
	select {
	case <-c.source.resync:
	default:
	}
	snapshot, err := c.source.rest.Snapshot(ctx, c.source.LastHeard())
	if err != nil {
		return bridge.Event{}, err
	}
	c.source.clearMissed()
	c.events.release(snapshot)
	c.source.markHeard()
	return snapshot, nil
}

// read empties the socket as fast as Asterisk fills it, until it ends.
func (c *connection) read(ctx context.Context) error {
	// With a context that can end, the socket would register a callback for each message.
	stop := context.AfterFunc(ctx, func() { _ = c.socket.CloseNow() })
	defer stop()
	var message bytes.Buffer
	for {
		_, reader, err := c.socket.Reader(context.WithoutCancel(ctx))
		if err == nil {
			message.Reset()
			_, err = message.ReadFrom(reader)
		}
		if err != nil {
			return fmt.Errorf("%w: %w", errClosed, err)
		}
		c.heard.Add(1)
		c.source.counters.countMessage(message.Len())
		if err := c.handle(bytes.Clone(message.Bytes())); err != nil {
			return err
		}
	}
}

// handle passes one message on. Its only error is errReplaced, for the message that says
// so.
func (c *connection) handle(raw []byte) error {
	event, err := Decode(raw)
	if err == nil {
		c.events.add(c.withTime(event))
		return nil
	}
	unknown, ok := errors.AsType[*UnknownTypeError](err)
	switch {
	case !ok:
		c.source.counters.malformed.Add(1)
		c.source.logger.Debug("message of Asterisk is no event", zap.Error(err), zap.ByteString("message", raw))
	case unknown.Type == ari.Events.ApplicationReplaced:
		return errReplaced
	case unknown.Type == ari.Events.StasisStart:
		c.enteredStasis(raw)
	default:
		c.source.counters.countUnknown(unknown.Type)
	}
	return nil
}

// withTime learns Asterisk's clock from an event's time. It writes the time into an event
// without one while the clocks differ: readers of the event would use our clock.
func (c *connection) withTime(event bridge.Event) bridge.Event {
	clock, now := c.source.rest.clock, time.Now()
	if !event.Time.IsZero() {
		clock.observeEvent(event.Time, now)
		return event
	}
	if clock.ahead() == 0 {
		return event
	}
	raw := json.RawMessage(event.Raw)
	if err := addMembers(&raw, map[string]string{"timestamp": clock.at(now).UTC().Format(ari.DateFormat)}); err != nil {
		return event
	}
	if timed, err := Decode(raw); err == nil {
		return timed
	}
	return event
}

// enteredStasis passes a StasisStart on. It doesn't wait for the connection's snapshot,
// because a caller is on the line.
func (c *connection) enteredStasis(raw []byte) {
	start, ok := decodeStasisStart(raw)
	if !ok {
		c.source.counters.malformed.Add(1)
		return
	}
	c.source.counters.stasis.Add(1)
	c.stasis.announce(start)
}
