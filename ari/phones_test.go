package ari_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"kontur-ari/ari"
	"kontur-ari/bridge"
)

func TestAPhonesChannelIsMade(t *testing.T) {
	for _, test := range []struct {
		name string
		call bridge.PhoneCall
		want map[string]string
	}{
		{"PJSIP", bridge.PhoneCall{Channel: "kontur-ari~c1.1", Endpoint: "PJSIP/101", Extension: "101", Shows: "79997775533"},
			map[string]string{"CONNECTEDLINE(num,i)": "79997775533", "CONNECTEDLINE(name,i)": "79997775533", "CALLERID(num)": "101"}},
		{"auto-answer", bridge.PhoneCall{Channel: "c", Endpoint: "pjsip/101/sip:101@192.0.2.7", Shows: "102", AutoAnswer: true},
			map[string]string{
				"CONNECTEDLINE(num,i)": "102", "CONNECTEDLINE(name,i)": "102",
				"PJSIP_HEADER(add,Call-Info)":  "<sip:127.0.0.1>;answer-after=0",
				"PJSIP_HEADER(add,Alert-Info)": "<http://127.0.0.1>;info=alert-autoanswer;delay=0",
			}},
		{"another technology has no such headers", bridge.PhoneCall{Channel: "c", Endpoint: "DAHDI/1", Shows: "102", AutoAnswer: true},
			map[string]string{"CONNECTEDLINE(num,i)": "102", "CONNECTEDLINE(name,i)": "102"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			a, phones := newAsterisk(t, "{}", 200)
			if err := phones.Create(t.Context(), test.call); err != nil {
				t.Fatal(err)
			}
			want := url.Values{"endpoint": {test.call.Endpoint}, "app": {"kontur-ari"}, "appArgs": {"ordered"}, "channelId": {string(test.call.Channel)}}
			if a.asked[0].what != "POST /ari/channels/create" || a.asked[0].query.Encode() != want.Encode() {
				t.Errorf("asked %+v", a.asked[0])
			}
			var body struct{ Variables map[string]string }
			if err := json.Unmarshal([]byte(a.asked[0].body), &body); err != nil || fmt.Sprint(body.Variables) != fmt.Sprint(test.want) {
				t.Errorf("variables %v, %v", body.Variables, err)
			}
		})
	}
}

// What an answer means decides whether a phone is looked up, given up, or offline.
func TestWhatAnswersAboutPhonesMean(t *testing.T) {
	for status, want := range map[int]error{404: bridge.ErrNoChannel, 409: bridge.ErrDeclined, 500: bridge.ErrDeclined, 400: bridge.ErrDeclined, 401: nil, 403: nil, 503: nil} {
		_, phones := newAsterisk(t, "{}", status)
		err := phones.Create(t.Context(), bridge.PhoneCall{Channel: "c", Endpoint: "PJSIP/101"})
		for _, meaning := range []error{bridge.ErrNoChannel, bridge.ErrDeclined} {
			if errors.Is(err, meaning) != (meaning == want) {
				t.Errorf("%d: %v; is it %q: %t", status, err, meaning, errors.Is(err, meaning))
			}
		}
	}
}

func TestContacts(t *testing.T) {
	a, phones := newAsterisk(t, `{"value":"PJSIP/107/sip:107@192.0.2.7&PJSIP/107/sip:107@192.0.2.8"}`, 200)
	got, err := phones.Contacts(t.Context(), "c", "PJSIP/107")
	if want := []string{"PJSIP/107/sip:107@192.0.2.7", "PJSIP/107/sip:107@192.0.2.8"}; !slices.Equal(got, want) || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if variable := a.asked[0].query.Get("variable"); variable != "PJSIP_DIAL_CONTACTS(107)" {
		t.Errorf("asked for %s", variable)
	}
	if got, err := phones.Contacts(t.Context(), "c", "DAHDI/1"); got != nil || err != nil || len(a.asked) != 1 {
		t.Errorf("of another technology: %q, %v, asked %d times", got, err, len(a.asked))
	}
	_, phones = newAsterisk(t, `{"value":""}`, 200)
	if got, err := phones.Contacts(t.Context(), "c", "PJSIP/107"); got != nil || err != nil {
		t.Errorf("of a phone that is gone: %q, %v", got, err)
	}
}

// A channel that was made a moment ago is not in the application yet.
func TestRinging(t *testing.T) {
	for _, test := range []struct {
		name     string
		statuses []int
		want     error
		times    int
	}{
		{"at once", []int{204}, nil, 1},
		{"a moment later", []int{409, 409, 204}, nil, 3},
		{"never", []int{409}, bridge.ErrDeclined, 20},
		{"gone before the next attempt", []int{409, 404}, bridge.ErrNoChannel, 2},
		{"no answer is not repeated", []int{503}, ari.ErrUnavailable, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, phones := newAsterisk(t, "", test.statuses...)
				if err := phones.Ring(t.Context(), "kontur-ari~c1.1", 30*time.Second); !errors.Is(err, test.want) {
					t.Errorf("%v, want %v", err, test.want)
				}
				if len(a.asked) != test.times {
					t.Errorf("asked %d times", len(a.asked))
				}
				if a.asked[0].what != "POST /ari/channels/kontur-ari~c1.1/dial" || a.asked[0].query.Encode() != "timeout=30" {
					t.Errorf("asked %+v", a.asked[0])
				}
			})
		})
	}
}

// Asterisk takes whole seconds.
func TestAPhoneRingsNoShorterThanItShould(t *testing.T) {
	for timeout, want := range map[time.Duration]string{
		time.Second: "1", 1001 * time.Millisecond: "2", 1500 * time.Millisecond: "2", 2 * time.Second: "2",
		30 * time.Second: "30", 5 * time.Minute: "300", time.Nanosecond: "1", 0: "1", -time.Second: "1",
	} {
		a, phones := newAsterisk(t, "", 204)
		if err := phones.Ring(t.Context(), "c", timeout); err != nil {
			t.Error(err)
		}
		if got := a.asked[0].query.Get("timeout"); got != want {
			t.Errorf("%v rings for %s s, want %s", timeout, got, want)
		}
	}
}

func TestRingingEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, phones := newAsterisk(t, "", 409)
		ctx, cancel := context.WithTimeout(t.Context(), 25*time.Millisecond)
		defer cancel()
		began := time.Now()
		if err := phones.Ring(ctx, "c", time.Second); !errors.Is(err, ari.ErrConflict) || time.Since(began) != 25*time.Millisecond {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

func TestDialAndHangup(t *testing.T) {
	a, phones := newAsterisk(t, "", 204)
	if err := errors.Join(phones.Dial(t.Context(), "c1", "79997775533"), phones.Hangup(t.Context(), "1/1 1", 26)); err != nil {
		t.Fatal(err)
	}
	if want := []string{"POST /ari/channels/c1/continue", "DELETE /ari/channels/1%2F1%201"}; !slices.Equal(a.what(), want) {
		t.Errorf("asked %q", a.what())
	}
	if got, want := a.asked[0].query.Encode(), (url.Values{"context": {"from-internal"}, "extension": {"79997775533"}, "priority": {"1"}}).Encode(); got != want {
		t.Errorf("dialled by %s", got)
	}
	if got := a.asked[1].query.Encode(); got != "reason_code=26" {
		t.Errorf("hung up by %s", got)
	}
}

// A channel that dials already is left alone; other refusals are errors.
func TestDialingTwice(t *testing.T) {
	for status, want := range map[int]error{409: nil, 404: bridge.ErrNoChannel, 400: bridge.ErrDeclined, 503: ari.ErrUnavailable} {
		_, phones := newAsterisk(t, "{}", status)
		if err := phones.Dial(t.Context(), "c1", "79997775533"); !errors.Is(err, want) {
			t.Errorf("%d: %v, want %v", status, err, want)
		}
	}
}

func TestTheStateOfAChannel(t *testing.T) {
	_, phones := newAsterisk(t, `{"id":"c1","state":"Ringing"}`, 200)
	if state, err := phones.State(t.Context(), "c1"); state != bridge.StateRinging || err != nil {
		t.Errorf("%q, %v", state, err)
	}
}
