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
	gate   gate
	door   *doorkeeper
	// heard counts messages, so that a check can tell whether any came meanwhile.
	heard atomic.Uint64
	// doubted is set once a check could not be made although events flow.
	doubted bool
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
	c := &connection{source: s, socket: socket, gate: gate{sink: sink, counters: &s.counters}, door: newDoorkeeper(s.config.OnStasis)}

	ctx, end := context.WithCancelCause(ctx)
	var tasks sync.WaitGroup
	tasks.Go(func() { end(c.read(ctx)) })
	tasks.Go(func() { end(c.ping(ctx)) })
	end(c.serve(ctx))
	tasks.Wait()
	c.gate.discard()
	return c.gate.flowed(), context.Cause(ctx)
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
	c.door.lookThrough(snapshot.Raw, name)
	c.source.flowing(snapshot.Snapshot)
	return c.watch(ctx)
}

// snapshot reads a snapshot while the gate is shut, and opens it with that.
func (c *connection) snapshot(ctx context.Context) (bridge.Event, error) {
	ctx, cancel := context.WithTimeout(ctx, c.source.config.Timings.SnapshotWithin)
	defer cancel()
	// Whoever has asked for one until now is served by this one.
	select {
	case <-c.source.resync:
	default:
	}
	snapshot, err := c.source.rest.Snapshot(ctx, c.source.LastHeard())
	if err != nil {
		return bridge.Event{}, err
	}
	c.source.madeUp()
	c.gate.release(snapshot)
	c.source.hears()
	return snapshot, nil
}

// read empties the socket as fast as Asterisk fills it, until it ends.
func (c *connection) read(ctx context.Context) error {
	// Given a context that ends, the socket would arrange for that with every message.
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
		if err := c.take(bytes.Clone(message.Bytes())); err != nil {
			return err
		}
	}
}

// take passes one message on. It errs only for the one that says that we were
// replaced.
func (c *connection) take(raw []byte) error {
	event, err := Decode(raw)
	if err == nil {
		c.gate.pass(c.timed(event))
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
		c.enter(raw)
	default:
		c.source.counters.countUnknown(unknown.Type)
	}
	return nil
}

// timed learns Asterisk's time from an event, and writes it into one that says none:
// what takes its place where that is missing is our own clock.
func (c *connection) timed(event bridge.Event) bridge.Event {
	clock, now := c.source.rest.clock, time.Now()
	if !event.Time.IsZero() {
		clock.hear(event.Time, now)
		return event
	}
	if clock.lead() == 0 {
		return event
	}
	raw := json.RawMessage(event.Raw)
	if err := extend(&raw, map[string]string{"timestamp": clock.at(now).UTC().Format(ari.DateFormat)}); err != nil {
		return event
	}
	if timed, err := Decode(raw); err == nil {
		return timed
	}
	return event
}

// enter passes on that a channel has entered Stasis. It doesn't wait for the
// connection's snapshot: somebody is on the line.
func (c *connection) enter(raw []byte) {
	start, ok := decodeStasisStart(raw)
	if !ok {
		c.source.counters.malformed.Add(1)
		return
	}
	c.source.counters.stasis.Add(1)
	c.door.announce(start)
}
