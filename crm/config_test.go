package crm

import (
	"strings"
	"testing"

	"go.uber.org/zap"

	"kontur-ari/internal/secret"
)

func TestConfigIsChecked(t *testing.T) {
	good := Config{BaseURL: "https://crm.kontur.ru/", Workspace: "w", APIKey: secret.New("key-8d4")}
	tests := []struct {
		name   string
		change func(*Config)
		want   string // in the error
	}{
		{"no base URL", func(c *Config) { c.BaseURL = "" }, "base URL"},
		{"base URL without scheme", func(c *Config) { c.BaseURL = "crm.kontur.ru" }, "base URL"},
		{"unreadable base URL", func(c *Config) { c.BaseURL = "http://[" }, "base URL"},
		{"other scheme", func(c *Config) { c.BaseURL = "ftp://crm.kontur.ru" }, "base URL"},
		{"password in the base URL", func(c *Config) { c.BaseURL = "https://me:key-8d4@crm.kontur.ru" }, "base URL"},
		{"query in the base URL", func(c *Config) { c.BaseURL = "https://crm.kontur.ru?a=b" }, "base URL"},
		{"no workspace", func(c *Config) { c.Workspace = "" }, "workspace"},
		{"no key", func(c *Config) { c.APIKey = secret.String{} }, "API key"},
		{"key with a line break", func(c *Config) { c.APIKey = secret.New("key-8d4\n") }, "API key"},
		{"secret with a line break", func(c *Config) { c.IntegrationSecret = secret.New("name=key-8d4\r") }, "integration secret"},
		{"secret without name", func(c *Config) { c.IntegrationSecret = secret.New("key-8d4") }, "integration secret"},
		{"negative timeout", func(c *Config) { c.RequestTimeout = -1 }, "timeout"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			config := good
			test.change(&config)
			client, err := New(config, zap.NewNop())
			if err == nil || client != nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "8d4") {
				t.Errorf("%v, %v", client, err)
			}
		})
	}
	client, err := New(good, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if got := client.workspaceURL("x"); got != "https://crm.kontur.ru/api/v1/w/x" {
		t.Error(got)
	}
}
