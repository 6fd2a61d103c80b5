package ari_test

import (
	"bytes"
	"errors"
	"net/http"
	"slices"
	"syscall"
	"testing"

	"kontur-ari/ari"
	"kontur-ari/bridge"
)

const (
	snoopAsked  = "POST /ari/channels/1.1/snoop"
	liveAsked   = "GET /ari/recordings/live/r-1"
	recordAsked = "POST /ari/channels/r-1/record"
)

func TestAChannelIsRecorded(t *testing.T) {
	for _, test := range []struct {
		name     string
		statuses []int
		asked    []string
		err      error
	}{
		{"at once", []int{200, 404, 201}, []string{snoopAsked, liveAsked, recordAsked}, nil},
		{"the snoop channel exists already", []int{409, 404, 201}, []string{snoopAsked, liveAsked, recordAsked}, nil},
		{"it is recorded already", []int{409, 200}, []string{snoopAsked, liveAsked}, nil},
		{"it is not in the application yet", []int{200, 404, 409, 404, 201}, []string{snoopAsked, liveAsked, recordAsked, liveAsked, recordAsked}, nil},
		{"the channel is gone", []int{404}, []string{snoopAsked}, bridge.ErrNoChannel},
		{"it may not be", []int{200, 404, 400}, []string{snoopAsked, liveAsked, recordAsked}, bridge.ErrDeclined},
	} {
		t.Run(test.name, func(t *testing.T) {
			a, phones := newAsterisk(t, "{}", test.statuses...)
			err := phones.Record(t.Context(), "1.1", "r-1")
			if (err != nil) != (test.err != nil) || !errors.Is(err, test.err) {
				t.Errorf("error %v, want %v", err, test.err)
			}
			if asked := a.what(); !slices.Equal(asked, test.asked) {
				t.Errorf("asked %q, want %q", asked, test.asked)
			}
			for _, one := range a.asked {
				switch one.what {
				case snoopAsked:
					if q := one.query; q.Get("spy") != "both" || q.Get("app") != "kontur-ari" || q.Get("snoopId") != "r-1" || q.Get("appArgs") != "listens" {
						t.Errorf("snoop: %v", q)
					}
				case recordAsked:
					if q := one.query; q.Get("name") != "r-1" || q.Get("format") != "wav" || q.Get("ifExists") != "append" {
						t.Errorf("record: %v", q)
					}
				}
			}
		})
	}
}

func TestARecordingIsFetchedAndDeleted(t *testing.T) {
	a, phones := newAsterisk(t, "sound", http.StatusOK, http.StatusNoContent)
	var content bytes.Buffer
	if err := phones.FetchRecording(t.Context(), "a b-1", &content); err != nil || content.String() != "sound" {
		t.Errorf("fetched %q, %v", &content, err)
	}
	if err := phones.DeleteRecording(t.Context(), "a b-1"); err != nil {
		t.Error(err)
	}
	if want := []string{"GET /ari/recordings/stored/a%20b-1/file", "DELETE /ari/recordings/stored/a%20b-1"}; !slices.Equal(a.what(), want) {
		t.Errorf("asked %q, want %q", a.what(), want)
	}
}

// fullDisk takes nothing.
type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

// A disk that is full here is no trouble of Asterisk.
func TestAFetchedRecordingThatFindsNoRoomDoesNotBlameAsterisk(t *testing.T) {
	_, phones := newAsterisk(t, "sound", http.StatusOK)
	err := phones.FetchRecording(t.Context(), "r", fullDisk{})
	if !errors.Is(err, syscall.ENOSPC) || errors.Is(err, ari.ErrUnavailable) {
		t.Errorf("fetched with %v", err)
	}
}

func TestAMissingRecordingIsAnErrorOfItsOwn(t *testing.T) {
	for status, missing := range map[int]bool{http.StatusNotFound: true, http.StatusServiceUnavailable: false, http.StatusForbidden: false} {
		_, phones := newAsterisk(t, `{"message":"no"}`, status)
		var content bytes.Buffer
		for what, err := range map[string]error{
			"fetched": phones.FetchRecording(t.Context(), "r", &content), "deleted": phones.DeleteRecording(t.Context(), "r"),
		} {
			if err == nil || errors.Is(err, bridge.ErrNoStoredRecording) != missing {
				t.Errorf("%d, %s: %v", status, what, err)
			}
		}
		if content.Len() > 0 {
			t.Errorf("%d: fetched %q", status, &content)
		}
	}
}
