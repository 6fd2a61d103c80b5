package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// Capture records every event of every channel and bridge, as ARI sends it.
type Capture struct {
	socket *websocket.Conn
	done   chan struct{}

	mu      sync.Mutex
	events  [][]byte
	open    map[string]bool // channels and bridges that were made and not destroyed
	calls   bool            // a channel was made
	changed chan struct{}
	err     error
}

// captureApplication is the ARI application that captures are recorded under.
const captureApplication = "capture"

// Capture begins to record. It returns when Asterisk has subscribed us: what
// happens from then on is recorded. One capture may run at a time.
func (l *Lab) Capture(ctx context.Context) (*Capture, error) {
	socket, response, err := websocket.Dial(ctx, l.asterisk.ari.events(captureApplication), nil)
	if err != nil {
		return nil, fmt.Errorf("connect to ARI's events: %w", err)
	}
	_ = response // coder/websocket has closed its body
	socket.SetReadLimit(1 << 20)
	c := &Capture{socket: socket, done: make(chan struct{}), open: make(map[string]bool), changed: make(chan struct{})}
	go c.read()
	// Not subscribeAll: closing such a connection while events flow can hang ARI.
	subscribe := "/applications/" + captureApplication + "/subscription?" + url.Values{"eventSource": {"channel:,bridge:"}}.Encode()
	if err := l.asterisk.ari.do(ctx, http.MethodPost, subscribe, nil); err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

func (c *Capture) read() {
	defer close(c.done)
	for {
		_, raw, err := c.socket.Read(context.Background())
		c.mu.Lock()
		if err != nil {
			c.err = err
		} else {
			c.events = append(c.events, raw)
			c.follow(raw)
		}
		close(c.changed)
		c.changed = make(chan struct{})
		c.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// follow keeps track of what is up.
func (c *Capture) follow(raw []byte) {
	var event struct {
		Type    string
		Channel struct{ ID string }
		Bridge  struct {
			ID   string
			Type string `json:"bridge_type"`
		}
	}
	if err := json.Unmarshal(raw, &event); err != nil {
		return
	}
	switch event.Type {
	case "ChannelCreated":
		c.open[event.Channel.ID], c.calls = true, true
	case "ChannelDestroyed":
		delete(c.open, event.Channel.ID)
	case "BridgeCreated":
		// Parking lots stay for ever.
		if event.Bridge.Type == "mixing" {
			c.open[event.Bridge.ID] = true
		}
	case "BridgeDestroyed":
		delete(c.open, event.Bridge.ID)
	}
}

// AwaitSilence waits until every channel and bridge that was recorded is gone
// again, and at least one was there.
func (c *Capture) AwaitSilence(ctx context.Context) error {
	for {
		c.mu.Lock()
		silent, changed, err := c.calls && len(c.open) == 0, c.changed, c.err
		c.mu.Unlock()
		switch {
		case silent:
			return nil
		case err != nil:
			return fmt.Errorf("recording events: %w", err)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("recording events: calls don't end: %w", context.Cause(ctx))
		}
	}
}

// Events are those recorded so far, in order of arrival.
func (c *Capture) Events() [][]byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([][]byte(nil), c.events...)
}

// Stop ends the recording. Asterisk needs a moment to forget the application
// before another capture may begin; Stop returns after that.
func (c *Capture) Stop(ctx context.Context, l *Lab) error {
	if err := c.close(); err != nil {
		return err
	}
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for l.asterisk.ari.do(ctx, http.MethodGet, "/applications/"+captureApplication, nil) == nil {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("the application does not go away: %w", context.Cause(ctx))
		}
	}
	return nil
}

func (c *Capture) close() error {
	err := c.socket.Close(websocket.StatusNormalClosure, "")
	<-c.done
	if err != nil {
		return fmt.Errorf("stop recording events: %w", err)
	}
	return nil
}

// WriteEvents saves events to a file, one on each line, under a line that says
// what they are.
func WriteEvents(path, title string, events [][]byte) error {
	content := fmt.Appendf(nil, "# %s\n", title)
	for _, event := range events {
		var line bytes.Buffer
		if err := json.Compact(&line, event); err != nil {
			return fmt.Errorf("write %s: %w", path, err)
		}
		content = append(append(content, line.Bytes()...), '\n')
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		return fmt.Errorf("write the events: %w", err)
	}
	return nil
}
