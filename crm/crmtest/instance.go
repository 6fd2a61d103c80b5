package crmtest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Features are the system calls that are switched on.
type Features struct {
	Call    bool `json:"call"`
	Hangup  bool `json:"hangup"`
	SendSMS bool `json:"sendSms"`
}

// WebHook is a webhook as it is registered.
type WebHook struct {
	ID          string            `json:"id"`
	RelativeURL string            `json:"relativeUrl"`
	TriggerType string            `json:"triggerType"`
	Filter      map[string]any    `json:"filter"`
	Schedule    map[string]string `json:"schedule"`
	Disabled    bool              `json:"disabled"`
}

// instance is the integration as it is installed.
type instance struct {
	baseURL, status string
	features        Features
	webHooks        []WebHook
}

// SetBaseURL sets where the CRM's system calls go: what the administrator of the
// workspace does. It is "" to begin with.
func (c *CRM) SetBaseURL(baseURL string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.instance.baseURL = baseURL
}

// SetStatus sets the instance's status; "active" to begin with.
func (c *CRM) SetStatus(status string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.instance.status = status
}

// SetFeatures sets the features, all off to begin with.
func (c *CRM) SetFeatures(features Features) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.instance.features = features
}

// Features returns the system calls that are switched on.
func (c *CRM) Features() Features {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.instance.features
}

// WebHooks returns the webhooks that are registered, in the order they were added.
func (c *CRM) WebHooks() []WebHook {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.instance.webHooks)
}

// AddWebHook registers a webhook as another program would.
func (c *CRM) AddWebHook(hook WebHook) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.instance.add(hook)
}

func (i *instance) add(hook WebHook) {
	hook.ID = guid(2000 + len(i.webHooks))
	i.webHooks = append(i.webHooks, hook)
}

// serveInstance answers a question about the instance or a change of it.
func (c *CRM) serveInstance(x *incoming, id string) answer {
	switch {
	case x.request.Method != http.MethodGet && x.request.Method != http.MethodPatch:
		x.fault(BreachRequest, "instance by %s", x.request.Method)
		return answer{status: http.StatusMethodNotAllowed}
	case !strings.EqualFold(id, c.options.IntegrationID):
		// Which instance is ours may be configured, and wrongly: no violation.
		return conflict("notFound", "IntegrationInstance "+id+" not found")
	case x.request.Method == http.MethodPatch:
		return c.patchInstance(x)
	}
	return jsonAnswer(http.StatusOK, c.instanceState())
}

// instanceState is the instance as the CRM's documentation shows it. What it holds
// of secrets and settings belongs to the CRM alone.
func (c *CRM) instanceState() map[string]any {
	return map[string]any{
		"id": c.options.IntegrationID, "features": c.instance.features,
		"status": c.instance.status, "baseUrl": c.instance.baseURL,
		"secrets":  []any{map[string]any{"id": "telephony.apiKey", "value": keyPrefix + "secret", "values": []string{keyPrefix + "secret"}}},
		"settings": []any{map[string]string{"id": "autoRedirect", "value": "False"}},
		"webHooks": append([]WebHook{}, c.instance.webHooks...),
	}
}

// The shapes of a change of the instance that the documentation shows.
var (
	patchShape = object(map[string]field{"operations": {false, arrayOf(object(map[string]field{
		"op": {false, oneOf("replace", "add")}, "path": {false, oneOf("/features", "/webHooks")}, "value": {false, anything},
	}), 1)}})
	featuresShape = object(map[string]field{"call": {false, boolean}, "hangup": {false, boolean}, "sendSms": {true, boolean}})
	webHookShape  = object(map[string]field{
		"id": {false, oneOf("00000000-0000-0000-0000-000000000000")}, "relativeUrl": {false, text},
		"triggerType": {false, oneOf("schedule", "entityEvent")}, "disabled": {false, boolean},
		"filter":   {false, object(map[string]field{"items": {false, arrayOf(anything, 0)}})},
		"schedule": {false, object(map[string]field{"period": {true, matching(period, "a period as hh:mm:ss")}})},
	})
)

// patchInstance makes a change of the instance, all of it or nothing.
func (c *CRM) patchInstance(x *incoming) answer {
	if complaint := mistyped(x.header.Get("Content-Type"), "application/json-patch+json"); complaint != "" {
		x.fault(BreachRequest, "%s", complaint)
		return answer{status: http.StatusUnsupportedMediaType}
	}
	value, problems := parse(x.request.Raw)
	if value != nil {
		patchShape("$", value, &problems)
	}
	if value == nil && len(problems) == 0 {
		problems = []problem{{"$", "the body is null"}}
	}
	if len(problems) > 0 {
		for _, p := range problems {
			x.fault(BreachBody, "instance: %s: %s", p.path, p.text)
		}
		return problemAnswer(problems)
	}
	changed := c.instance
	changed.webHooks = slices.Clone(changed.webHooks)
	var invalid []any
	for i, operation := range value.(map[string]any)["operations"].([]any) {
		if faults := changed.apply(fmt.Sprintf("operations[%d]", i), operation.(map[string]any)); len(faults) > 0 {
			x.faults = append(x.faults, faults...)
			invalid = append(invalid, operation)
		}
	}
	if len(invalid) > 0 {
		return invalidPatch(invalid)
	}
	c.instance = changed
	return jsonAnswer(http.StatusOK, map[string]any{"isSuccessful": true, "responseCode": "ok", "result": c.instanceState()})
}

// apply makes one operation, or finds why it can't be made.
func (i *instance) apply(path string, operation map[string]any) []fault {
	var problems []problem
	raw, err := json.Marshal(operation["value"])
	if err != nil {
		panic(err) // it was read from JSON
	}
	switch fmt.Sprint(operation["op"], " ", operation["path"]) {
	case "replace /features":
		featuresShape(path+".value", operation["value"], &problems)
		if len(problems) == 0 {
			i.features = Features{}
			problems = decodeInto(raw, &i.features)
		}
	case "add /webHooks":
		webHookShape(path+".value", operation["value"], &problems)
		var hook WebHook
		if len(problems) == 0 {
			problems = decodeInto(raw, &hook)
		}
		if slices.ContainsFunc(i.webHooks, func(there WebHook) bool {
			return len(problems) == 0 && strings.Trim(there.RelativeURL, "/") == strings.Trim(hook.RelativeURL, "/")
		}) {
			return []fault{faultf(BreachRepeat, "a webhook %s is registered already", hook.RelativeURL)}
		}
		i.add(hook)
	default:
		problems = []problem{{path, fmt.Sprintf("the documentation shows no %s of %s", operation["op"], operation["path"])}}
	}
	var faults []fault
	for _, p := range problems {
		faults = append(faults, faultf(BreachBody, "instance: %s: %s", p.path, p.text))
	}
	return faults
}

// decodeInto reads what its shape has already been judged by.
func decodeInto(raw []byte, into any) []problem {
	if err := json.Unmarshal(raw, into); err != nil {
		return []problem{{"$", err.Error()}}
	}
	return nil
}

// invalidPatch is the refusal of a change, which says its operations back.
func invalidPatch(invalid []any) answer {
	return jsonAnswer(http.StatusConflict, map[string]any{
		"errorInfo": map[string]any{
			"invalidPaths": invalid, "invalidValueTypes": []any{}, "invalidDatas": []any{}, "invalidConstraints": map[string]any{},
			"status": "invalidArgs", "message": "Patch contains invalid operations",
		},
		"isSuccessful": false, "responseCode": "conflict",
	})
}
