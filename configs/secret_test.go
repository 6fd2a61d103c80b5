package configs

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"kontur-ari/internal/secret"
)

func TestAConfigurationIsPrintedWithoutItsSecrets(t *testing.T) {
	const hidden = "hidden-value"
	key := secret.New(hidden)
	cfg := Config{Asterisk: Asterisk{Password: key}, Kontur: Kontur{APIKey: key, IntegrationSecret: key}, History: History{DSN: key}}
	for _, value := range []any{cfg, &cfg} {
		js, err := json.Marshal(value)
		ym, yerr := yaml.Marshal(value)
		if err != nil || yerr != nil {
			t.Fatalf("marshal %T: %v, %v", value, err, yerr)
		}
		for _, text := range []string{fmt.Sprintf("%v", value), fmt.Sprintf("%+v", value), fmt.Sprintf("%#v", value), string(js), string(ym)} {
			if strings.Contains(text, hidden) {
				t.Errorf("%T shows a secret: %s", value, text)
			}
		}
	}
}

// TestNoErrorRepeatsASecret puts a secret where an operator may write it by mistake:
// behind another key, in a key's place, in broken YAML.
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
