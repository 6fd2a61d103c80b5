package configs

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

func readDeploy(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile("../deploy/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// TestUnitFitsTheDefaults holds the systemd unit against the defaults that it
// has to agree with.
func TestUnitFitsTheDefaults(t *testing.T) {
	unit := readDeploy(t, "kontur-ari.service")
	stop := regexp.MustCompile(`(?m)^TimeoutStopSec=(.*)$`).FindStringSubmatch(unit)
	if stop == nil {
		t.Fatal("the unit has no TimeoutStopSec=")
	}
	if d, err := time.ParseDuration(stop[1]); err != nil || d < Default().ShutdownTimeout+10*time.Second {
		t.Errorf("TimeoutStopSec is %s (%v), shutdown_timeout %s", stop[1], err, Default().ShutdownTimeout)
	}
	directory, ok := strings.CutPrefix(Default().Storage.Directory, "/var/lib/")
	if !ok || !strings.Contains(unit, "\nStateDirectory="+directory+"\n") {
		t.Errorf("StateDirectory is not %s", Default().Storage.Directory)
	}
	for _, line := range []string{"Type=notify", "RestartPreventExitStatus=2", "Environment=GOTRACEBACK=crash"} {
		if !strings.Contains(unit, "\n"+line+"\n") {
			t.Errorf("the unit has no line %s", line)
		}
	}
}

// channelVars makes Asterisk show the call of a channel and its recordings: all variables
// that package ari reads.
const channelVars = "channelvars = CHANNEL(linkedid),MIXMONITOR_FILENAME,CDR(recordingfile),RECORDED_FILE,VM_MESSAGEFILE"

// TestAsteriskSnippetsFitTheExample: an operator who copies all examples has only the
// password to change.
func TestAsteriskSnippetsFitTheExample(t *testing.T) {
	cfg, _, err := Load("kontur-ari.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ari.conf", "ari_additional_custom.conf"} {
		snippet := readDeploy(t, "asterisk/"+name)
		for _, want := range []string{"[" + cfg.Asterisk.Username + "]", "password = " + cfg.Asterisk.Password.Reveal(), "read_only = no"} {
			if !strings.Contains(snippet, want+"\n") {
				t.Errorf("%s has no line %q", name, want)
			}
		}
	}
	for _, name := range []string{"ari.conf", "ari_general_custom.conf"} {
		if !strings.Contains(readDeploy(t, "asterisk/"+name), "\nchannelvars = CHANNEL(linkedid),MIXMONITOR_FILENAME,CDR(recordingfile),RECORDED_FILE,VM_MESSAGEFILE\n") {
			t.Errorf("%s has no line %q", name, channelVars)
		}
	}
}

// TestProxyExamplesFitTheServer makes sure that the examples let through what the
// CRM calls and nothing else, and lead to where the server listens.
func TestProxyExamplesFitTheServer(t *testing.T) {
	for name, limit := range map[string]string{"proxy/nginx.conf": "client_max_body_size  128k;", "proxy/Caddyfile": "max_size 128KiB"} {
		example := readDeploy(t, name)
		for _, want := range []string{Default().Server.Listen, limit, "trusted_proxies: [127.0.0.1/32]"} {
			if !strings.Contains(example, want) {
				t.Errorf("%s has no %q", name, want)
			}
		}
		found := regexp.MustCompile(`(?m)^\s*(?:location ~|@kontur path_regexp) (\S+)`).FindStringSubmatch(example)
		if found == nil {
			t.Errorf("%s has no pattern of paths", name)
			continue
		}
		paths := regexp.MustCompile(found[1])
		for path, want := range map[string]bool{
			"/api/v1/my-workspace/communications/call":                                        true,
			"/api/v1/my-workspace/communications/hangup":                                      true,
			"/api/v1/my-workspace/communications/30a0c1d2-0000-4000-8000-00000000b4e0/hangup": true,
			"/communications/sync":                                                            true,
			"/setup/upgrade":                                                                  true,
			"/api/v1/my-workspace/communications/sync":                                        true,
			"/api/v1/my-workspace/setup/upgrade":                                              true,
			"/":                                                                               false,
			"/readyz":                                                                         false,
			"/x/communications/sync":                                                          false,
			"/api/v1/my-workspace/communications/call/":                                       false,
			"/api/v1/my-workspace/communications/a/b/hangup":                                  false,
		} {
			if paths.MatchString(path) != want {
				t.Errorf("%s lets %s through: %v, want %v", name, path, !want, want)
			}
		}
	}
}

// TestRedirectSnippetsFitTheDefaults: the dialplan names our application, and gives
// up later than we do.
func TestRedirectSnippetsFitTheDefaults(t *testing.T) {
	limit := regexp.MustCompile(`(?m)^(?: same => n|exten => [^,]+,1),Set\(TIMEOUT\(absolute\)=([1-9]\d*)\)$`)
	for _, name := range []string{"extensions_kontur.conf", "extensions_custom.conf"} {
		snippet := readDeploy(t, "asterisk/"+name)
		for _, want := range []string{
			"\n same => n,Stasis(" + Default().Asterisk.Application + ",redirect,kontur-responsible)\n",
			// Who is found goes on here, with no limit any more.
			"\nexten => h,1,NoOp()\nexten => _[0-9A-Za-z*#+]!,1,Set(TIMEOUT(absolute)=0)\n",
		} {
			if !strings.Contains(snippet, want) {
				t.Errorf("%s has no line %q", name, want)
			}
		}
		found := limit.FindStringSubmatch(snippet)
		if found == nil {
			t.Errorf("%s sets no TIMEOUT(absolute)", name)
			continue
		}
		if seconds, err := time.ParseDuration(found[1] + "s"); err != nil || seconds < Default().Redirect.Timeout+time.Second {
			t.Errorf("%s: Asterisk gives up after %s (%v), redirect.timeout is %s", name, seconds, err, Default().Redirect.Timeout)
		}
		if !strings.Contains(snippet, "\nexten => T,1,Set(TIMEOUT(absolute)=0)\n") {
			t.Errorf("%s has nowhere to go then", name)
		}
	}
}
