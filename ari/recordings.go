package ari

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"kontur-ari/bridge"
)

// snoopArgument is the Stasis argument of the snoop channels that record other channels.
const snoopArgument = "listens"

// Record implements [bridge.Phones]. A snoop channel with that name as its id listens to
// the channel, which need not be in Stasis, and is recorded. On Asterisk 22.10 the snoop
// channel ends with the channel it listens to.
func (p Phones) Record(ctx context.Context, channel bridge.ChannelID, name string) error {
	snoop := url.Values{"spy": {"both"}, "app": {p.Application}, "appArgs": {snoopArgument}, "snoopId": {name}}
	// A conflict means that the snoop channel exists already.
	if err := p.call(ctx, http.MethodPost, []string{"channels", string(channel), "snoop"}, snoop, nil, nil); err != nil && !isConflict(err) {
		return err
	}
	// A repeated Record continues the file of the earlier one.
	record := url.Values{"name": {name}, "format": {"wav"}, "ifExists": {"append"}}
	return onceInStasis(ctx, func() error {
		if recording, err := p.isRecording(ctx, name); err != nil || recording {
			return err
		}
		return p.call(ctx, http.MethodPost, []string{"channels", name, "record"}, record, nil, nil)
	})
}

// isRecording reports whether a recording with that name is under way.
func (s *Switch) isRecording(ctx context.Context, name string) (bool, error) {
	err := s.call(ctx, http.MethodGet, []string{"recordings", "live", name}, nil, nil, nil)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

var _ bridge.StoredRecordings = (*Switch)(nil)

// FetchRecording implements [bridge.StoredRecordings]. Only ctx bounds its time, not
// [Config.RequestTimeout], because a recording may be large. An error of into is returned
// as it is: Asterisk has nothing to do with it.
func (s *Switch) FetchRecording(ctx context.Context, name string, into io.Writer) error {
	target, failure := s.target(http.MethodGet, []string{"recordings", "stored", name, "file"})
	if failure.Status != 0 {
		return noRecording(failure)
	}
	failure.Path = "/recordings/stored/NAME/file"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return failure.because(err)
	}
	s.authorize(request.Header)
	response, err := s.client.Do(request)
	if err != nil {
		return failure.because(err)
	}
	defer response.Body.Close()
	if failure.Status = response.StatusCode; classify(response.StatusCode) != nil {
		return noRecording(failure)
	}
	destination := &destination{Writer: into}
	if _, err := io.Copy(destination, response.Body); err != nil {
		if destination.failed != nil {
			return destination.failed
		}
		return failure.because(err)
	}
	return nil
}

// destination remembers the error of its Writer.
type destination struct {
	io.Writer
	failed error
}

func (d *destination) Write(p []byte) (int, error) {
	n, err := d.Writer.Write(p)
	d.failed = err
	return n, err
}

// DeleteRecording implements [bridge.StoredRecordings].
func (s *Switch) DeleteRecording(ctx context.Context, name string) error {
	return noRecording(s.call(ctx, http.MethodDelete, []string{"recordings", "stored", name}, nil, nil, nil))
}

// noRecording adds [bridge.ErrNoStoredRecording] to a 404.
func noRecording(err error) error {
	if errors.Is(err, ErrNotFound) {
		return fmt.Errorf("%w: %w", bridge.ErrNoStoredRecording, err)
	}
	return err
}
