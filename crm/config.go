package crm

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"kontur-ari/internal/secret"
)

// Config says which CRM to talk to and as whom. BaseURL, Workspace and APIKey
// are required.
type Config struct {
	// BaseURL is what stands before /api/v1, such as "https://crm.kontur.ru";
	// a slash at its end does not matter.
	BaseURL string
	// Workspace is the unique name of the workspace, as in its paths.
	Workspace string
	// APIKey is the integration's key.
	APIKey secret.String
	// IntegrationSecret is "name=value" for a public integration; empty for a
	// private one.
	IntegrationSecret secret.String
	// IntegrationID is the id of the integration's instance in the workspace; "":
	// it is the one that the CRM names when it authorises.
	IntegrationID string
	// NodePrefix stands before every externalId, with a "-" between them, where
	// more than one switch feeds one workspace; "" otherwise.
	NodePrefix string
	// RequestTimeout bounds every single HTTP request; 15 s when 0.
	RequestTimeout time.Duration
	// UserAgent is sent with every request; "kontur-ari" when "".
	UserAgent string
	// Transport replaces the client's own connection pool; nil: its own.
	Transport http.RoundTripper
}

const defaultRequestTimeout = 15 * time.Second

// complete checks the configuration and fills what was left out. Its errors
// never show a secret.
func (c Config) complete() (Config, error) {
	base, err := url.Parse(c.BaseURL)
	switch {
	case err != nil:
		return c, fmt.Errorf("crm: base URL: %w", err)
	case base.Scheme != "https" && base.Scheme != "http", base.Host == "", base.User != nil, base.RawQuery != "", base.Fragment != "":
		return c, errors.New("crm: base URL: must be http(s)://host[:port][/path] and nothing more")
	case c.Workspace == "":
		return c, errors.New("crm: no workspace")
	case c.APIKey.IsZero():
		return c, errors.New("crm: no API key")
	case !fitsHeader(c.APIKey.Reveal()):
		return c, errors.New("crm: API key: has characters that can't be sent")
	case !fitsHeader(c.IntegrationSecret.Reveal()):
		return c, errors.New("crm: integration secret: has characters that can't be sent")
	case !c.IntegrationSecret.IsZero() && !strings.Contains(c.IntegrationSecret.Reveal(), "="):
		return c, errors.New("crm: integration secret: must be name=value")
	case c.RequestTimeout < 0:
		return c, errors.New("crm: request timeout: must not be negative")
	}
	c.BaseURL = strings.TrimRight(c.BaseURL, "/")
	if c.RequestTimeout == 0 {
		c.RequestTimeout = defaultRequestTimeout
	}
	if c.UserAgent == "" {
		c.UserAgent = "kontur-ari"
	}
	if c.Transport == nil {
		c.Transport = newTransport()
	}
	return c, nil
}

// fitsHeader reports whether a value can stand in an HTTP header.
func fitsHeader(value string) bool {
	return !strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// newTransport is a pool for many concurrent requests to one host: the default
// keeps two idle connections to a host, and a busy switch would open a new one
// for nearly every report.
func newTransport() *http.Transport {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dialer.DialContext,
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           64,
		MaxIdleConnsPerHost:    64,
		IdleConnTimeout:        90 * time.Second,
		TLSHandshakeTimeout:    10 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		// An HTTP/2 connection that a firewall has forgotten would otherwise time
		// out request after request: nothing else finds out that it is dead.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 10 * time.Second},
	}
}
