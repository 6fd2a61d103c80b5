package crm

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"kontur-ari/bridge"
)

// Installation is an [Instance] and the webhooks that are registered for it: what
// the CRM answers when asked about the instance. The secrets and settings that it
// answers too are not read.
type Installation struct {
	Instance
	WebHooks []WebHook `json:"webHooks"`
}

// WebHook is a request that the CRM makes by itself, below the instance's base URL.
type WebHook struct {
	// ID is the CRM's; "" in one that is to be added.
	ID string `json:"id"`
	// RelativeURL is the path below the base URL.
	RelativeURL string `json:"relativeUrl"`
	// TriggerType is "schedule", with a Schedule, or "entityEvent".
	TriggerType string `json:"triggerType"`
	// Schedule is empty for other trigger types.
	Schedule Schedule `json:"schedule"`
	// Disabled: it is registered, and not called.
	Disabled bool `json:"disabled"`
}

// Schedule is when a webhook is called.
type Schedule struct {
	// Period is written "hh:mm:ss".
	Period string `json:"period,omitempty"`
}

// TelephonyWebHooks are the webhooks that the CRM's documentation wants telephony
// integrations to have: one asks for the history of calls, the other has the
// integration renew its settings after an upgrade. Both come every 5 minutes; what
// the name of the second lets expect, a trigger of its own, is not documented.
func TelephonyWebHooks() []WebHook {
	const trigger, period = "schedule", "00:05:00"
	return []WebHook{
		{RelativeURL: "communications/sync", TriggerType: trigger, Schedule: Schedule{Period: period}},
		{RelativeURL: "setup/upgrade", TriggerType: trigger, Schedule: Schedule{Period: period}},
	}
}

// WebHook returns the registered webhook with that path below the base URL; false
// when there is none.
func (i Installation) WebHook(relativeURL string) (WebHook, bool) {
	for _, hook := range i.WebHooks {
		if strings.EqualFold(strings.Trim(hook.RelativeURL, "/"), strings.Trim(relativeURL, "/")) {
			return hook, true
		}
	}
	return WebHook{}, false
}

// instanceRequest is how requests about the instance are named.
const instanceRequest = "instance"

// Instance asks the CRM about our integration's instance. The error is a
// *[RequestError].
func (c *Client) Instance(ctx context.Context) (Installation, error) {
	id, err := c.instanceID(ctx)
	if err != nil {
		return Installation{}, err
	}
	body, err := c.ask(ctx, instanceRequest, request{method: http.MethodGet, path: instancePath(id)})
	c.known.note(c.log, id, err)
	if err != nil {
		return Installation{}, err
	}
	installation, ok := decodeInstallation(body)
	if !ok {
		return Installation{}, unreadable(instanceRequest, http.StatusOK, "the answer is not an integration instance")
	}
	return installation, nil
}

// instanceID is the configured id, else the one learnt at the authorisation. The
// error is a *[RequestError].
func (c *Client) instanceID(ctx context.Context) (string, error) {
	if c.config.IntegrationID != "" {
		return c.config.IntegrationID, nil
	}
	if id := c.State().Instance.ID; id != "" {
		return id, nil
	}
	if err := c.Authorise(ctx); err != nil {
		return "", c.asked(ctx, instanceRequest, unauthorised(err))
	}
	if id := c.State().Instance.ID; id != "" {
		return id, nil
	}
	return "", &RequestError{
		Request: instanceRequest, Verdict: bridge.Refused,
		Reason: "the CRM does not say which instance the API key belongs to; set kontur.integration_id",
	}
}

func instancePath(id string) string { return "integrations/instances/" + url.PathEscape(id) }

// decodeInstallation reads an instance; false when body is none. All of it must be
// readable: who can't see the webhooks that are there would add them again.
func decodeInstallation(body []byte) (Installation, bool) {
	var installation Installation
	if json.Unmarshal(trimmed(body), &installation) != nil || installation.ID == "" {
		return Installation{}, false
	}
	return installation, true
}

// Operation is one change of the instance. Make it with [SwitchFeatures] or
// [AddWebHook].
type Operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value"`
}

// SwitchFeatures switches the system calls CALL and HANGUP on or off. The CRM
// replaces the features as a whole, so now must be what they are: the others stay
// as they are there.
func SwitchFeatures(now Features, on bool) Operation {
	return Operation{"replace", "/features", struct {
		Call    bool `json:"call"`
		Hangup  bool `json:"hangup"`
		SendSMS bool `json:"sendSms,omitempty"`
	}{on, on, now.SendSMS}}
}

// AddWebHook registers a webhook. The CRM adds it once more where it is there
// already, so look first.
func AddWebHook(hook WebHook) Operation {
	hook.ID = "00000000-0000-0000-0000-000000000000"
	type filter struct {
		Items [0]struct{} `json:"items"`
	}
	return Operation{"add", "/webHooks", struct {
		WebHook
		Filter filter `json:"filter"`
	}{WebHook: hook}}
}

// Configure changes the instance and returns what it is then. The operations are
// done together or not at all. The error is a *[RequestError]; after one without a
// Status it is not known whether they were done.
func (c *Client) Configure(ctx context.Context, operations ...Operation) (Installation, error) {
	id, err := c.instanceID(ctx)
	if err != nil {
		return Installation{}, err
	}
	body, err := json.Marshal(map[string]any{"operations": operations})
	if err != nil {
		return Installation{}, &RequestError{Request: instanceRequest, Verdict: bridge.Refused, Reason: "the change can't be written as JSON"}
	}
	body, err = c.ask(ctx, instanceRequest, request{
		method: http.MethodPatch, path: instancePath(id), contentType: patchType, body: body,
	})
	if err != nil {
		return Installation{}, err
	}
	return decodeConfigured(body)
}

// decodeConfigured reads the answer to a change that was answered with 200.
func decodeConfigured(body []byte) (Installation, error) {
	var fields struct {
		Successful *bool           `json:"isSuccessful"`
		Result     json.RawMessage `json:"result"`
	}
	if json.Unmarshal(trimmed(body), &fields) != nil {
		return Installation{}, unreadable(instanceRequest, http.StatusOK, "the answer is not that to a change of the instance")
	}
	if fields.Successful != nil && !*fields.Successful {
		a := answer{status: http.StatusOK, body: body}
		return Installation{}, &RequestError{
			Request: instanceRequest, Verdict: bridge.Refused, Status: a.status,
			Code: decodeProblem(body).name, Reason: statusReason(a) + ": isSuccessful is false",
		}
	}
	installation, ok := decodeInstallation(fields.Result)
	if !ok {
		return Installation{}, unreadable(instanceRequest, http.StatusOK, "the answer does not show the instance")
	}
	return installation, nil
}
