package crm

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"kontur-ari/bridge"
)

// RedirectQuery says whose responsible users are asked for: those of a phone
// number where one is given, else those of a call that the CRM knows.
type RedirectQuery struct {
	// PhoneNumber is the client's, as reports send it.
	PhoneNumber string
	// Call is the call. Our own externalId is sent for it, as in the contract's
	// example, and not the CRM's form.
	Call bridge.CallID
}

// Responsible asks the CRM which of its users are responsible for a caller, in the
// CRM's order; none where it knows no user (contract, "Переадресация звонка на
// ответственного"). The error is a *[RequestError]. A caller waits for the answer
// with a telephone in his hand: ctx's deadline bounds all of it, the renewal of a
// refused access key included, and nothing is tried again beyond that.
func (c *Client) Responsible(ctx context.Context, query RedirectQuery) ([]string, error) {
	const name = "call-redirect"
	parameters := url.Values{}
	own, _ := externalIDs(query.Call, bridge.Identity{}, c.config.NodePrefix)
	switch {
	case query.PhoneNumber != "":
		parameters.Set("phoneNumber", query.PhoneNumber)
	case query.Call != "":
		parameters.Set("externalId", own)
	default:
		return nil, &RequestError{Request: name, Verdict: bridge.Refused, Reason: "neither a phone number nor a call is given"}
	}
	body, err := c.ask(ctx, name, request{
		method: http.MethodGet, path: "communications/callbacks/telephony/" + name + "?" + parameters.Encode(),
	})
	failed, _ := errors.AsType[*RequestError](err)
	switch {
	case failed != nil && failed.Status == http.StatusConflict && failed.Code == "notFound":
		return nil, nil
	case err != nil:
		return nil, err
	}
	users, ok := decodeResponsible(body)
	if !ok {
		return nil, unreadable(name, http.StatusOK, "the answer holds no userIds")
	}
	return users, nil
}

// decodeResponsible reads the answer to call-redirect; false when it is none. An
// empty id names no user and is left out.
func decodeResponsible(body []byte) ([]string, bool) {
	var fields struct {
		UserIDs *[]string `json:"userIds"`
	}
	if json.Unmarshal(trimmed(body), &fields) != nil || fields.UserIDs == nil {
		return nil, false
	}
	users := make([]string, 0, len(*fields.UserIDs))
	for _, user := range *fields.UserIDs {
		if user != "" {
			users = append(users, user)
		}
	}
	return users, true
}
