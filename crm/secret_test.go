package crm

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"kontur-ari/internal/secret"
)

func TestSecretIsNeverPrinted(t *testing.T) {
	const hidden = "8d4f8a0"
	key := secret.New(hidden)
	type unexported struct{ key secret.String }
	holders := []any{
		key, &key, Config{APIKey: key, IntegrationSecret: key}, &Config{APIKey: key},
		unexported{key}, []secret.String{key}, map[string]secret.String{"key": key}, grant{key: key},
	}
	var printed []string
	for _, holder := range holders {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			printed = append(printed, fmt.Sprintf(verb, holder))
		}
		// What can't be marshalled at all can't leak either.
		if raw, err := json.Marshal(holder); err == nil {
			printed = append(printed, string(raw))
		}
		core, logs := observer.New(zapcore.DebugLevel)
		zap.New(core).Info("x", zap.Any("value", holder))
		printed = append(printed, fmt.Sprint(logs.All()[0].ContextMap()))
	}
	for _, text := range printed {
		if strings.Contains(text, hidden) || strings.Contains(text, fmt.Sprintf("%x", hidden)) {
			t.Errorf("printed: %s", text)
		}
	}
	if key.Reveal() != hidden || key.String() != "[secret]" {
		t.Errorf("%q %q", key.Reveal(), key)
	}
	if empty := secret.New(""); !empty.IsZero() || empty.Reveal() != "" || empty.String() != "" {
		t.Error("an empty secret is not empty")
	}
}
