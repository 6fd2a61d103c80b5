package setup_test

import (
	"errors"
	"strings"
	"testing"

	"kontur-ari/cmd/kontur-ari/internal/setup"
	"kontur-ari/configs"
	"kontur-ari/internal/secret"
)

// Nothing that is written anywhere may hold one of these.
const (
	apiKey            = "the-key-of-the-api"
	integrationSecret = "name=the-value-of-the-secret"
	password          = "the-password-of-ari"
)

// office is the configuration of a small office.
func office() configs.Config {
	cfg := configs.Default()
	cfg.Node = "pbx1"
	cfg.Asterisk.Password = secret.New(password)
	cfg.Kontur.BaseURL = "https://crm.invalid"
	cfg.Kontur.Workspace = "my-workspace"
	cfg.Kontur.APIKey = secret.New(apiKey)
	cfg.Kontur.IntegrationSecret = secret.New(integrationSecret)
	cfg.Directory.Users = []configs.User{
		{UserID: "u102", Name: "Petrov", Extension: "102", Endpoint: "PJSIP/102"},
		{UserID: "u101", Name: "Petrova", Extension: "101", Endpoint: "PJSIP/101", Mobile: "79221112233"},
	}
	cfg.Directory.Trunks = []configs.Trunk{{Endpoint: "PJSIP/trunk", Number: "79229929292"}, {Endpoint: "PJSIP/spare"}}
	return cfg
}

// checkNoSecrets sees that a text holds no secret of the office.
func checkNoSecrets(t *testing.T, text string) {
	t.Helper()
	for _, value := range []string{apiKey, integrationSecret, strings.TrimPrefix(integrationSecret, "name="), password} {
		if strings.Contains(text, value) {
			t.Errorf("%q holds the secret %q", text, value)
		}
	}
}

// checkUnusable sees that an error is one of the configuration, and says something.
func checkUnusable(t *testing.T, err error, words ...string) {
	t.Helper()
	unusable, ok := errors.AsType[*setup.UnusableError](err)
	if !ok {
		t.Fatalf("the error is %v, want one of the configuration", err)
	}
	if unusable.Err == nil || unusable.Error() != unusable.Err.Error() || !errors.Is(err, unusable.Err) {
		t.Errorf("%v does not say what the part says: %v", unusable, unusable.Err)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%v does not say %q", err, word)
		}
	}
	checkNoSecrets(t, err.Error())
}
