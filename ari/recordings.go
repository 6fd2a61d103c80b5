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

// listeningArgument is what channels that record others carry into our application.
const listeningArgument = "listens"

// Record implements [bridge.Phones]: a snoop channel of that name listens to the channel,
// which may be outside of Stasis, and is recorded (Asterisk 22: it ends with what it
// listens to).
func (p Phones) Record(ctx context.Context, channel bridge.ChannelID, name string) error {
	snoop := url.Values{"spy": {"both"}, "app": {p.Application}, "appArgs": {listeningArgument}, "snoopId": {name}}
	// A conflict: it listens already.
	if err := p.call(ctx, http.MethodPost, []string{"channels", string(channel), "snoop"}, snoop, nil, nil); err != nil && !isConflict(err) {
		return err
	}
	// What an earlier try has recorded is gone on with.
	record := url.Values{"name": {name}, "format": {"wav"}, "ifExists": {"append"}}
	return onceInStasis(ctx, func() error {
		if recording, err := p.isRecording(ctx, name); err != nil || recording {
			return err
		}
		return p.call(ctx, http.MethodPost, []string{"channels", name, "record"}, record, nil, nil)
	})
}

// isRecording tells whether a recording of that name is being made.
func (s *Switch) isRecording(ctx context.Context, name string) (bool, error) {
	err := s.call(ctx, http.MethodGet, []string{"recordings", "live", name}, nil, nil, nil)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

var _ bridge.StoredRecordings = (*Switch)(nil)

// FetchRecording implements [bridge.StoredRecordings]. It is not bounded in time by the
// Switch's limit for requests, only by ctx: a recording may be large.
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
	if _, err := io.Copy(into, response.Body); err != nil {
		return failure.because(err)
	}
	return nil
}

// DeleteRecording implements [bridge.StoredRecordings].
func (s *Switch) DeleteRecording(ctx context.Context, name string) error {
	return noRecording(s.call(ctx, http.MethodDelete, []string{"recordings", "stored", name}, nil, nil, nil))
}

// noRecording is an error in the words of package bridge.
func noRecording(err error) error {
	if errors.Is(err, ErrNotFound) {
		return fmt.Errorf("%w: %w", bridge.ErrNoStoredRecording, err)
	}
	return err
}
