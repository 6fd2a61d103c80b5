package crmtest

import (
	"bytes"
	"fmt"
	"net/http"
	"time"
)

const (
	headerAPIKey    = "X-XCOM-Integration-ApiKey"
	headerSecret    = "X-XCOM-Integration-Secret"
	headerAccessKey = "X-XCOM-AccessKey"
)

// SetInstalled says whether the integration is installed in the workspace. While it is
// not, no client is authorised. A new CRM has it installed.
func (c *CRM) SetInstalled(installed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.absent = !installed
}

// RevokeKeys makes every access key issued so far invalid at once.
func (c *CRM) RevokeKeys() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.keys)
}

// KeysIssued returns how many access keys have been issued to those who authorised.
func (c *CRM) KeysIssued() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.keysIssued
}

// LeakedIn reports whether text holds the API key, the integration's secret or
// an access key, of any time. Tests give it logs and files.
func (c *CRM) LeakedIn(text []byte) bool {
	secret := c.options.IntegrationSecret
	return bytes.Contains(text, []byte(keyPrefix)) || bytes.Contains(text, []byte(c.options.APIKey)) ||
		secret != "" && bytes.Contains(text, []byte(secret))
}

// keyPrefix begins every access key.
const keyPrefix = "crmtest-access-key-"

// authorize answers both kinds of authorisation. Wrong credentials are no
// violation: they are the operator's mistake, not the client's.
func (c *CRM) authorize(x *incoming) answer {
	public := c.options.IntegrationSecret != ""
	switch {
	case x.request.Method != http.MethodPost:
		x.fault(BreachRequest, "authorisation by %s", x.request.Method)
		return answer{status: http.StatusMethodNotAllowed}
	case x.header.Get(headerAPIKey) != c.options.APIKey,
		x.header.Get(headerSecret) != c.options.IntegrationSecret,
		public != (x.request.Path == authorizePublic):
		return unauthorized()
	case c.absent:
		return conflict("notInstalled", "Integration not installed")
	}
	c.keysIssued++
	key := fmt.Sprintf("%s%04d", keyPrefix, c.keysIssued)
	c.keys[key] = time.Now().Add(c.options.KeyLifetime)
	return c.authorizedAnswer(key)
}

// admits reports whether the request carries a key that is good now.
func (c *CRM) admits(header http.Header) bool {
	return time.Now().Before(c.keys[header.Get(headerAccessKey)])
}

// SystemKey issues an access key such as comes with a system call or a webhook: it
// is good for requests back into the workspace for as long as any other.
func (c *CRM) SystemKey() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.systemKeys++
	key := fmt.Sprintf("%ssystem-%04d", keyPrefix, c.systemKeys)
	c.keys[key] = time.Now().Add(c.options.KeyLifetime)
	return key
}
