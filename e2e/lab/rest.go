package lab

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// rest is ARI's REST side, as far as the lab itself needs it.
type rest struct{ url, username, password string }

// restTimeout is how long one request may take; Asterisk answers in milliseconds
// or has a fault.
const restTimeout = 5 * time.Second

// do makes a request and decodes the answer into result, unless that is nil.
func (r *rest) do(ctx context.Context, method, path string, result any) error {
	ctx, cancel := context.WithTimeoutCause(ctx, restTimeout, fmt.Errorf("ARI gave no answer in %s", restTimeout))
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, r.url+path, nil)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	req.SetBasicAuth(r.username, r.password)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %s: %s", method, path, res.Status, body)
	}
	if result == nil {
		return nil
	}
	if err := json.Unmarshal(body, result); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}

// events is the address of an application's websocket.
func (r *rest) events(application string) string {
	query := url.Values{"app": {application}, "api_key": {r.username + ":" + r.password}}
	return "ws" + strings.TrimPrefix(r.url, "http") + "/events?" + query.Encode()
}
