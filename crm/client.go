package crm

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"go.uber.org/zap"

	"kontur-ari/bridge"
	"kontur-ari/internal/secret"
)

// Client talks to one workspace of Kontur.CRM. All methods may be called
// concurrently.
type Client struct {
	config Config
	log    *zap.Logger
	http   *http.Client
	// files is for uploads: over a shared HTTP/2 connection reports would wait for them.
	files  *http.Client
	access *access
	known  acquaintance
}

var _ bridge.Sender = (*Client)(nil)

// New returns a client. It does not talk to the CRM yet: the first of its other
// methods that needs an access key does. An error is a configuration that can't work, and
// shows no secret. The client must be closed.
func New(config Config, logger *zap.Logger) (*Client, error) {
	config, err := config.complete()
	if err != nil {
		return nil, err
	}
	c := &Client{config: config, log: logger, http: newHTTPClient(config.Transport), files: newHTTPClient(config.Transport)}
	if own, ok := config.Transport.(*http.Transport); ok {
		c.files.Transport = own.Clone()
	}
	c.access = newAccess(logger, c.authorise)
	return c, nil
}

func newHTTPClient(transport http.RoundTripper) *http.Client {
	return &http.Client{
		Transport: transport,
		// A redirect would take reports and keys to another server.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Close ends an authorisation under way and closes idle connections. It may be
// called once nothing sends any more.
func (c *Client) Close() {
	c.access.close()
	c.http.CloseIdleConnections()
	c.files.CloseIdleConnections()
}

// Authorise makes sure that there is an access key, asking for one only if need
// be. The error says why there is none, in words that hold no secret; reports
// may be sent nevertheless, and are to be sent again later.
func (c *Client) Authorise(ctx context.Context) error {
	_, err := c.access.get(ctx, secret.String{})
	return err
}

// State returns how things stand with the CRM, without asking it.
func (c *Client) State() State { return c.access.snapshot() }

// Send delivers one report, as bridge.Sender describes it. While there is no
// access key to be had the report is not sent, and the verdict is Retry. Each
// HTTP request is bounded by Config.RequestTimeout; there are four at most: two
// tries of the report, and before each an authorisation.
func (c *Client) Send(ctx context.Context, report bridge.Report, identity bridge.Identity) bridge.Result {
	path, body, err := encode(report, identity, c.config.NodePrefix)
	if err != nil {
		return bridge.Result{Verdict: bridge.Refused, Reason: err.Error()}
	}
	result := c.deliver(ctx, report.Kind, path, body)
	result.Request = body
	c.log.Debug("sent", zap.String("request", string(report.Kind)), zap.String("call", string(report.Call)),
		zap.Int("status", result.Status), zap.String("verdict", string(result.Verdict)), zap.String("reason", result.Reason))
	return result
}

func (c *Client) deliver(ctx context.Context, kind bridge.ReportKind, path string, body []byte) bridge.Result {
	a, err := c.roundTrip(ctx, request{method: http.MethodPost, path: path, contentType: jsonType, body: body})
	if err != nil {
		return unauthorised(err)
	}
	return classify(kind, a, time.Now())
}

// unauthorised is the result of a report that could not even be tried.
func unauthorised(err error) bridge.Result {
	if failed, ok := errors.AsType[*refusal](err); ok {
		return bridge.Result{Verdict: bridge.Retry, Reason: failed.reason, RetryAfter: failed.pause, Everybody: true, NotTaken: true}
	}
	return bridge.Result{Verdict: bridge.Retry, Reason: "authorisation: " + transportReason(err), Everybody: true, NotTaken: true}
}

func (c *Client) workspaceURL(path string) string {
	return strings.Join([]string{c.config.BaseURL, "api/v1", url.PathEscape(c.config.Workspace), path}, "/")
}
