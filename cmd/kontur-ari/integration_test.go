package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kontur-ari/crm/crmtest"
)

// integrationConfig is a configuration for a CRM; more is added to its kontur section.
func integrationConfig(t *testing.T, crmURL, more string) string {
	t.Helper()
	text := fmt.Sprintf(`
asterisk: {username: kontur, password: secret}
kontur: {base_url: %q, workspace: my-workspace, api_key: test-api-key%s}
server: {base_path: /kontur}
storage: {directory: /nowhere}
`, crmURL, more)
	path := filepath.Join(t.TempDir(), "kontur-ari.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// newCRM returns a CRM in which the integration is installed, and no more.
func newCRM(t *testing.T) *crmtest.Server {
	t.Helper()
	simulator := crmtest.NewServer(crmtest.Options{})
	t.Cleanup(simulator.Close)
	simulator.SetBaseURL("https://pbx.example/kontur/")
	return simulator
}

// integrate runs one of the commands and returns its output and exit code. It fails if
// the output contains a key.
func integrate(t *testing.T, simulator *crmtest.Server, verb, config string) (stdout, stderr string, code int) {
	t.Helper()
	var out, log bytes.Buffer
	code = run(t.Context(), []string{"integration", verb, "--config", config}, &out, &log)
	if simulator.LeakedIn(out.Bytes()) || simulator.LeakedIn(log.Bytes()) {
		t.Errorf("a key or secret is shown:\n%s%s", &out, &log)
	}
	return out.String(), log.String(), code
}

const (
	bare = `  instance   7a100000-0000-4000-8000-000000000523
  status     active
  features   call off, hangup off, sendSms off
  base URL   https://pbx.example/kontur/
  webhook    none
  CALL to    https://pbx.example/kontur/api/v1/my-workspace/communications/call
`
	complete = `  instance   7a100000-0000-4000-8000-000000000523
  status     active
  features   call on, hangup on, sendSms off
  base URL   https://pbx.example/kontur/
  webhook    communications/sync, schedule every 00:05:00
  webhook    setup/upgrade, schedule every 00:05:00
  CALL to    https://pbx.example/kontur/api/v1/my-workspace/communications/call
`
)

func TestIntegrationIsEnabledOnceAndDisabledAgain(t *testing.T) {
	simulator := newCRM(t)
	config := integrationConfig(t, simulator.URL, "")
	off := strings.Replace(complete, "call on, hangup on", "call off, hangup off", 1)
	const stay = "the webhooks stay: the CRM documents no way to take them away\n"
	steps := []struct {
		verb, stdout string
		code         int
	}{
		{"status", bare + `wrong: CALL and HANGUP are not both on: run "kontur-ari integration enable"
wrong: the webhook communications/sync is not registered: run "kontur-ari integration enable"
wrong: the webhook setup/upgrade is not registered: run "kontur-ari integration enable"
`, exitFailure},
		{"enable", "before\n" + bare + `done: CALL and HANGUP switched on
done: webhook communications/sync registered
done: webhook setup/upgrade registered
after
` + complete, exitOK},
		{"enable", "before\n" + complete + "nothing to change\n", exitOK},
		{"status", complete + "all is as it should be\n", exitOK},
		{"disable", "before\n" + complete + "done: CALL and HANGUP switched off\nafter\n" + off + stay, exitOK},
		{"disable", "before\n" + off + "nothing to change\n" + stay, exitOK},
		{"enable", "before\n" + off + "done: CALL and HANGUP switched on\nafter\n" + complete, exitOK},
	}
	for i, step := range steps {
		stdout, stderr, code := integrate(t, simulator, step.verb, config)
		if diff := cmp.Diff(step.stdout, stdout); diff != "" || code != step.code {
			t.Errorf("step %d, %s: exit code %d, %s\n%s", i, step.verb, code, stderr, diff)
		}
	}
	if violations := simulator.Violations(); len(violations) > 0 || len(simulator.WebHooks()) != 2 {
		t.Errorf("%+v\n%s", simulator.WebHooks(), simulator.Summary())
	}
}

func TestIntegrationKeepsWhatOthersSetUp(t *testing.T) {
	simulator := newCRM(t)
	simulator.SetFeatures(crmtest.Features{SendSMS: true, Call: true})
	simulator.AddWebHook(crmtest.WebHook{RelativeURL: "/communications/sync", TriggerType: "schedule", Schedule: map[string]string{"period": "00:30:00"}})
	simulator.AddWebHook(crmtest.WebHook{RelativeURL: "deals", TriggerType: "entityEvent"})
	if stdout, stderr, code := integrate(t, simulator, "enable", integrationConfig(t, simulator.URL, "")); code != exitOK {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
	if simulator.Features() != (crmtest.Features{Call: true, Hangup: true, SendSMS: true}) || len(simulator.WebHooks()) != 3 || len(simulator.Violations()) > 0 {
		t.Errorf("%+v %+v\n%s", simulator.Features(), simulator.WebHooks(), simulator.Summary())
	}
}

func TestWhatIsWrongWithTheIntegrationIsSaid(t *testing.T) {
	for name, test := range map[string]struct {
		spoil func(*crmtest.Server)
		want  string
	}{
		"no base URL":       {func(s *crmtest.Server) { s.SetBaseURL("") }, "the CRM knows no base URL of this integration, so it can't send commands: enter there where it reaches this host, such as https://pbx.example/kontur\n"},
		"another path":      {func(s *crmtest.Server) { s.SetBaseURL("https://pbx.example/crm") }, `the path of the base URL is "/crm" and server.base_path is "/kontur"`},
		"no path":           {func(s *crmtest.Server) { s.SetBaseURL("https://pbx.example") }, `the path of the base URL is "" and server.base_path is "/kontur"`},
		"not an address":    {func(s *crmtest.Server) { s.SetBaseURL("pbx.example/kontur") }, "the base URL is no http or https address"},
		"plain http":        {func(s *crmtest.Server) { s.SetBaseURL("http://pbx.example/kontur") }, "the base URL is http"},
		"not set up":        {func(s *crmtest.Server) { s.SetStatus("notConfigured") }, `the status is "notConfigured": finish`},
		"given up":          {func(s *crmtest.Server) { s.SetStatus("failed") }, `the status is "failed": the CRM has given`},
		"an unknown status": {func(s *crmtest.Server) { s.SetStatus("new") }, `the status is "new": look at`},
		"half enabled":      {func(s *crmtest.Server) { s.SetFeatures(crmtest.Features{Call: true}) }, "CALL and HANGUP are not both on"},
		"a disabled webhook": {func(s *crmtest.Server) {
			s.AddWebHook(crmtest.WebHook{RelativeURL: "setup/upgrade", TriggerType: "schedule", Disabled: true})
		}, "the webhook setup/upgrade is disabled"},
		"another trigger": {func(s *crmtest.Server) {
			s.AddWebHook(crmtest.WebHook{RelativeURL: "setup/upgrade", TriggerType: "entityEvent"})
		}, `the webhook setup/upgrade is triggered by "entityEvent", not by "schedule"`},
	} {
		t.Run(name, func(t *testing.T) {
			simulator := newCRM(t)
			test.spoil(simulator)
			config := integrationConfig(t, simulator.URL, "")
			stdout, stderr, code := integrate(t, simulator, "status", config)
			if !strings.Contains(stdout, "wrong: "+test.want) || !strings.Contains(stderr, "not as it should be") || code != exitFailure {
				t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
			}
			stdout, stderr, code = integrate(t, simulator, "enable", config)
			if warned := strings.Contains(stdout, "warning: "+test.want); warned == (name == "half enabled") || code != exitOK {
				t.Errorf("enable: exit code %d\n%s%s", code, stdout, stderr)
			}
		})
	}
}

func TestIntegrationWhenTheCRMRefuses(t *testing.T) {
	simulator := newCRM(t)
	simulator.Fail(crmtest.Rule{
		Kind: crmtest.KindInstance, Status: 409, Match: func(r crmtest.Request) bool { return strings.Contains(string(r.Raw), "setup/upgrade") },
		Body: `{"errorInfo":{"invalidPaths":[{"op":"add","path":"/webHooks","value":{}}],"status":"invalidArgs","message":"Patch contains invalid operations"},"isSuccessful":false,"responseCode":"conflict"}`,
	})
	stdout, stderr, code := integrate(t, simulator, "enable", integrationConfig(t, simulator.URL, ""))
	const want = "kontur-ari: webhook setup/upgrade registered: crm: instance: HTTP 409: invalidArgs: Patch contains invalid operations: add /webHooks\n"
	if code != exitFailure || stderr != want || !strings.Contains(stdout, "done: webhook communications/sync registered\nnot done: webhook setup/upgrade registered\nafter\n") {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
	if !simulator.Features().Hangup || len(simulator.WebHooks()) != 1 {
		t.Error("what the CRM took was not done")
	}
}

// A lost answer leaves a webhook behind, which the next attempt must find.
func TestIntegrationIsEnabledInTwoTries(t *testing.T) {
	simulator := newCRM(t)
	simulator.Fail(crmtest.Rule{Kind: crmtest.KindInstance, DropAnswer: true, Match: func(r crmtest.Request) bool { return r.Method == "PATCH" }})
	config := integrationConfig(t, simulator.URL, "")
	if stdout, stderr, code := integrate(t, simulator, "enable", config); code != exitFailure || !strings.HasSuffix(stdout, "after\n"+complete) {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
	if stdout, stderr, code := integrate(t, simulator, "enable", config); code != exitOK || !strings.HasSuffix(stdout, "nothing to change\n") {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
	if len(simulator.Violations()) > 0 || len(simulator.WebHooks()) != 2 {
		t.Error(simulator.Summary())
	}
}

func TestIntegrationThatCantBeAskedAbout(t *testing.T) {
	for name, test := range map[string]struct {
		more  string
		spoil func(*crmtest.Server)
		code  int
		want  string
	}{
		"another instance": {", integration_id: 7a1", func(*crmtest.Server) {}, exitFailure, "correct kontur.integration_id"},
		"not installed":    {"", func(s *crmtest.Server) { s.SetInstalled(false) }, exitFailure, "HTTP 409: notInstalled: Integration not installed"},
		"away":             {"", func(s *crmtest.Server) { s.SetDown(true) }, exitFailure, "authorisation: HTTP 503"},
		"a bad file":       {", integration: x", func(*crmtest.Server) {}, exitConfiguration, "kontur.integration"},
	} {
		t.Run(name, func(t *testing.T) {
			simulator := newCRM(t)
			test.spoil(simulator)
			for _, verb := range []string{"status", "enable", "disable"} {
				stdout, stderr, code := integrate(t, simulator, verb, integrationConfig(t, simulator.URL, test.more))
				if code != test.code || !strings.Contains(stderr, test.want) || stdout != "" {
					t.Errorf("%s: exit code %d\n%s%s", verb, code, stdout, stderr)
				}
			}
		})
	}
}
