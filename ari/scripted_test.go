package ari_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"kontur-ari/ari"
	"kontur-ari/internal/secret"
)

// scripted is an Asterisk that answers requests with these statuses, one after the
// other and the last for ever, and keeps the requests. It listens on no port.
type scripted struct {
	mu       sync.Mutex
	statuses []int
	body     string
	asked    []asked
}

// asked is one request.
type asked struct {
	// what is its method and its path as sent.
	what  string
	query url.Values
	body  string
}

// newAsterisk returns a scripted Asterisk, and the Phones that reach it.
func newAsterisk(t *testing.T, body string, statuses ...int) (*scripted, ari.Phones) {
	t.Helper()
	a := &scripted{statuses: statuses, body: body}
	rest, err := ari.NewSwitch(ari.Config{
		URL: "http://asterisk.test/ari", Username: "kontur", Password: secret.New("secret"), Application: "kontur-ari", Transport: a,
	})
	if err != nil {
		t.Fatal(err)
	}
	return a, ari.Phones{Switch: rest, Application: "kontur-ari", Context: "from-internal"}
}

func (a *scripted) RoundTrip(request *http.Request) (*http.Response, error) {
	var body []byte
	if request.Body != nil {
		var err error
		if body, err = io.ReadAll(request.Body); err != nil {
			return nil, err
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked = append(a.asked, asked{request.Method + " " + request.URL.EscapedPath(), request.URL.Query(), string(body)})
	status := a.statuses[0]
	if len(a.statuses) > 1 {
		a.statuses = a.statuses[1:]
	}
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(a.body))}, nil
}

func (a *scripted) what() []string {
	var what []string
	for _, one := range a.asked {
		what = append(what, one.what)
	}
	return what
}
