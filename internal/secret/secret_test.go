package secret_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.yaml.in/yaml/v3"

	"kontur-ari/internal/secret"
)

const hidden = "hidden-value"

// holder has a secret where fmt can't call its methods.
type holder struct{ inner secret.String }

func TestASecretIsNeverPrinted(t *testing.T) {
	key := secret.New(hidden)
	for _, value := range []any{key, &key, holder{key}, []secret.String{key}, map[string]secret.String{"k": key}} {
		var texts []string
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			texts = append(texts, fmt.Sprintf(verb, value))
		}
		js, err := json.Marshal(value)
		ym, yerr := yaml.Marshal(value)
		if err != nil || yerr != nil {
			t.Fatalf("marshal %T: %v, %v", value, err, yerr)
		}
		texts = append(texts, string(js), string(ym), logged(value), slogged(value))
		for _, text := range texts {
			if strings.Contains(text, hidden) || strings.Contains(text, fmt.Sprintf("%x", hidden)) {
				t.Errorf("%T shows itself: %s", value, text)
			}
		}
	}
	if key.Reveal() != hidden {
		t.Errorf("Reveal gives %q", key.Reveal())
	}
}

func logged(value any) string {
	var out bytes.Buffer
	for _, encoder := range []zapcore.Encoder{
		zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()),
		zapcore.NewConsoleEncoder(zap.NewDevelopmentEncoderConfig()),
	} {
		logger := zap.New(zapcore.NewCore(encoder, zapcore.AddSync(&out), zap.DebugLevel))
		logger.Info("m", zap.Any("any", value), zap.Reflect("reflect", value))
		logger.Sugar().Infof("%+v", value)
	}
	return out.String()
}

func slogged(value any) string {
	var out bytes.Buffer
	slog.New(slog.NewTextHandler(&out, nil)).Info("m", "value", value)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "value", value)
	return out.String()
}

func TestAnEmptySecretPrintsDifferentlyFromASetOne(t *testing.T) {
	if got := fmt.Sprint(secret.New("")); got != "" {
		t.Errorf("an empty secret prints as %q", got)
	}
	if got := fmt.Sprint(secret.New("x")); got != "[secret]" {
		t.Errorf("a secret prints as %q", got)
	}
	if !secret.New("x").Equal(secret.New("x")) || secret.New("x").Equal(secret.String{}) {
		t.Error("Equal is wrong")
	}
}
