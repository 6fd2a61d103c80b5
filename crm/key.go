package crm

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"
)

// CheckKey reports whether an access key that came with a system call or a webhook
// is one of our integration's instance: the CRM is asked about the instance with
// it. true: the CRM has answered with our instance. false: it has refused the key,
// or the key is none. An error, a *[RequestError], is neither: the CRM can't be
// asked, or its answer is not understood, and the caller must not take that for yes.
//
// The key is not kept, and is in no log and no error. All of it is bounded by ctx
// and Config.RequestTimeout.
func (c *Client) CheckKey(ctx context.Context, key string) (bool, error) {
	if key == "" || !fitsHeader(key) {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, c.config.RequestTimeout)
	defer cancel()
	id, err := c.instanceID(ctx)
	if err != nil {
		return false, err
	}
	a := c.do(ctx, c.workspaceURL(instancePath(id)), request{method: http.MethodGet}, http.Header{headerAccessKey: {key}})
	if a.err == nil && a.status == http.StatusOK {
		return keyOpens(a.body, id)
	}
	err = c.asked(ctx, instanceRequest, classify("", a.without(key), time.Now()))
	switch {
	case isUnknown(err):
		// The key may be a stranger's; or the id is wrong, and then every key is
		// refused without a reason in the log.
		c.doubtInstance(ctx)
		return false, nil
	case a.err == nil && (a.status == http.StatusUnauthorized || a.status == http.StatusForbidden):
		return false, nil
	case err == nil:
		return false, unreadable(instanceRequest, a.status, "the answer is not an integration instance")
	}
	return false, err
}

// keyOpens reports whether a 200 shows the instance with that id.
func keyOpens(body []byte, id string) (bool, error) {
	var fields map[string]json.RawMessage
	switch {
	case json.Unmarshal(trimmed(body), &fields) != nil || stringIn(fields["id"]) == "":
		return false, unreadable(instanceRequest, http.StatusOK, "the answer is not an integration instance")
	case !strings.EqualFold(stringIn(fields["id"]), id): // GUIDs, in either case
		return false, unreadable(instanceRequest, http.StatusOK, "the answer is about another instance")
	}
	return true, nil
}

// doubtEvery is the least pause between two questions whether the CRM knows our
// instance: strangers who try keys must not be able to make us ask more.
const doubtEvery = time.Minute

// doubtInstance asks with our own key whether the CRM knows our instance, and has
// it logged when that turns out to have changed.
func (c *Client) doubtInstance(ctx context.Context) {
	if c.known.due(time.Now()) {
		// What comes of it is noted; that it could not be asked says nothing.
		_, _ = c.Instance(ctx)
	}
}

// acquaintance is whether the CRM knows the instance that we take for ours.
type acquaintance struct {
	mu      sync.Mutex
	unknown bool
	doubted time.Time
}

// due reports whether it is time to ask again, and takes that for done.
func (a *acquaintance) due(now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.doubted.IsZero() && now.Sub(a.doubted) < doubtEvery {
		return false
	}
	a.doubted = now
	return true
}

// note takes what came of asking about the instance with our own key, and logs it
// once for each change.
func (a *acquaintance) note(log *zap.Logger, id string, err error) {
	unknown := isUnknown(err)
	if err != nil && !unknown {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if unknown == a.unknown {
		return
	}
	a.unknown = unknown
	if unknown {
		log.Error("the CRM knows no such instance of the integration, so all its calls and webhooks are refused: correct kontur.integration_id, or leave it out to have it learnt",
			zap.String("instance", id), zap.Error(err))
		return
	}
	log.Info("the CRM knows the instance of the integration", zap.String("instance", id))
}
