package lab

import (
	"context"
	"net/http"
	"net/url"
	"strings"
)

// SetGlobal sets a global variable of the dialplan.
func (l *Lab) SetGlobal(ctx context.Context, name, value string) error {
	query := url.Values{"variable": {name}, "value": {value}}
	return l.asterisk.ari.do(ctx, http.MethodPost, "/asterisk/variable?"+query.Encode(), nil)
}

// AwaitLogged waits until Asterisk's log has a line with that text, and returns what
// follows it there. The text must not be in it already.
func (l *Lab) AwaitLogged(ctx context.Context, text string) (string, error) {
	var rest string
	err := l.await(ctx, "Asterisk has not logged "+text, func() (bool, error) {
		_, after, found := strings.Cut(l.AsteriskLog(), text)
		line, _, whole := strings.Cut(after, "\n")
		rest = strings.TrimSpace(line)
		return found && whole, nil
	})
	return rest, err
}
