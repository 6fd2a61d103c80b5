package crm

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"time"

	"go.uber.org/zap"
)

// The CRM spells its headers in capitals; http.Header wants the canonical form,
// and HTTP does not mind either.
const (
	headerAccessKey = "X-Xcom-Accesskey"
	headerAPIKey    = "X-Xcom-Integration-Apikey"
	headerSecret    = "X-Xcom-Integration-Secret"
)

// Instance is our integration as it is installed in the workspace.
type Instance struct {
	// ID is the instance's id.
	ID string `json:"id"`
	// Status is "notConfigured", "active", "paused", "hasErrors" or "failed".
	Status string `json:"status"`
	// BaseURL is where the CRM sends its system calls; "" when not set.
	BaseURL string `json:"baseUrl"`
	// Features are the system calls that are switched on.
	Features Features `json:"features"`
}

// Features are the system calls that an integration may offer.
type Features struct {
	Call    bool `json:"call"`
	Hangup  bool `json:"hangup"`
	SendSMS bool `json:"sendSms"`
}

// authorise asks for an access key, once: a private integration with its API
// key alone, a public one with its secret too. The error is always a *refusal.
func (c *Client) authorise(ctx context.Context) (grant, error) {
	path := "authorize-private-integration"
	header := http.Header{headerAPIKey: {c.config.APIKey.Reveal()}}
	if !c.config.IntegrationSecret.IsZero() {
		path = "authorize-integration"
		header[headerSecret] = []string{c.config.IntegrationSecret.Reveal()}
	}
	a := c.do(ctx, c.config.BaseURL+"/api/v1/authorization/"+path, request{method: http.MethodPost}, header)
	a.body = c.withoutSecrets(a.body)
	if failed := refusalIn(a, time.Now()); failed != nil {
		return grant{}, failed
	}
	granted, err := decodeGrant(a.body)
	if err != nil {
		return grant{}, &refusal{reason: "authorisation: " + err.Error()}
	}
	if granted.workspace != "" && !strings.EqualFold(granted.workspace, c.config.Workspace) {
		c.log.Warn("the API key belongs to another workspace than the configured one",
			zap.String("workspace", granted.workspace), zap.String("configured", c.config.Workspace))
	}
	return granted, nil
}

// withoutSecrets takes out of an answer what some proxies show of the request in
// their error pages.
func (c *Client) withoutSecrets(body []byte) []byte {
	_, value, _ := strings.Cut(c.config.IntegrationSecret.Reveal(), "=")
	for _, secret := range []string{c.config.APIKey.Reveal(), c.config.IntegrationSecret.Reveal(), value} {
		if secret != "" {
			body = bytes.ReplaceAll(body, []byte(secret), []byte(c.config.APIKey.String()))
		}
	}
	return body
}

// refusalIn says why an answer to an authorisation gives no key; nil when it may.
func refusalIn(a answer, now time.Time) *refusal {
	switch {
	case a.err != nil:
		return &refusal{reason: "authorisation: " + transportReason(a.err)}
	case a.status == http.StatusUnauthorized:
		return &refusal{reason: "authorisation: HTTP 401: the CRM does not accept the API key (or the integration's secret)"}
	case a.status != http.StatusOK:
		return &refusal{reason: "authorisation: " + statusReason(a), pause: retryAfter(a.header, now)}
	}
	return nil
}
