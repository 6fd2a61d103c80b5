package configs

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
)

const hidden = "hidden-value"

// holder has a secret where fmt can't call its methods.
type holder struct{ inner Secret }

func TestSecretShowsItselfToNobody(t *testing.T) {
	secret := NewSecret(hidden)
	cfg := Config{Asterisk: Asterisk{Password: secret}, History: History{DSN: secret}}
	for _, value := range []any{secret, &secret, cfg, &cfg, holder{secret}, []Secret{secret}, map[string]Secret{"k": secret}} {
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
	if secret.Reveal() != hidden {
		t.Errorf("Reveal gives %q", secret.Reveal())
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

func TestEmptySecretCanBeToldFromASetOne(t *testing.T) {
	if got := fmt.Sprint(NewSecret("")); got != "" {
		t.Errorf("an empty secret prints as %q", got)
	}
	if got := fmt.Sprint(NewSecret("x")); got != "[secret]" {
		t.Errorf("a secret prints as %q", got)
	}
	if !NewSecret("x").Equal(NewSecret("x")) || NewSecret("x").Equal(Secret{}) {
		t.Error("Equal is wrong")
	}
}

// TestNoErrorRepeatsASecret puts a secret wherever somebody may write it by
// mistake: behind another key, in a key's place, in broken YAML.
func TestNoErrorRepeatsASecret(t *testing.T) {
	const key = "8d4f2c718a0"
	var contents []string
	for _, k := range scalarKeys() {
		section, name, nested := strings.Cut(k.path, ".")
		for _, value := range []string{key, "'" + key + "\n  x'", "[" + key + "]", "{" + key + ": 1}", "*" + key, "&" + key, "!" + key, key + ": " + key, "@" + key, "`" + key, "'" + key, "/" + key + "/"} {
			if nested {
				contents = append(contents, section+":\n  "+name+": "+value+"\n")
			} else {
				contents = append(contents, section+": "+value+"\n")
			}
		}
	}
	for _, line := range []string{
		"kontur:\n  api_key:" + key, "kontur:\n  workspace: w\n  api_key:" + key, "kontur:\n  " + key, "kontur:\n  " + key + ": 1", "kontur: " + key,
		key, "- " + key, "kontur:\n\tapi_key: " + key, "kontur:\n  api_key: %" + key, "directory:\n  users:\n    - " + key, "%" + key, "kontur:\n  ? [" + key + "]\n  : x",
		"kontur:\n  api_key: a\n  api_key: " + key, "directory: {users: [{user_id: ' " + key + "', extension: ' " + key + "', endpoint: 'Local/" + key + "', mobile: " + key + "}]}",
		"kontur: {api_key: ' " + key + " ', integration_secret: " + key + "}", "--- \n" + key + "\n---\n" + key,
	} {
		contents = append(contents, line+"\n", minimal+line+"\n")
	}
	for _, content := range contents {
		_, warnings, err := Load(write(t, content))
		if text := fmt.Sprint(err, warnings); strings.Contains(text, key) && !strings.Contains(content, "_file: /"+key) {
			t.Errorf("%q is repeated by\n%s", content, text)
		}
	}
	for _, k := range scalarKeys() {
		t.Setenv(k.env(), " "+key)
	}
	_, warnings, err := Load(write(t, minimal))
	if text := fmt.Sprint(err, warnings); err == nil || strings.Contains(text, key) {
		t.Errorf("the environment is repeated by\n%s", text)
	}
}
