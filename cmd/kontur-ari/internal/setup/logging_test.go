package setup_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"golang.org/x/sys/unix"

	"kontur-ari/cmd/kontur-ari/internal/setup"
	"kontur-ari/configs"
)

// logger returns a logger of a level and a format, which must be good ones.
func logger(t *testing.T, level, format string, out io.Writer) *zap.Logger {
	t.Helper()
	log, err := setup.Logger(configs.Log{Level: level, Format: format}, out)
	if err != nil {
		t.Fatal(err)
	}
	return log
}

func TestALineAsJSONHasTimeLevelNameAndFields(t *testing.T) {
	var out bytes.Buffer
	before := time.Now()
	logger(t, "info", "json", &out).Named("crm").Warn("no answer", zap.Duration("lasted", 1500*time.Millisecond), zap.String("call", "A"))
	line := make(map[string]string)
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatalf("%s: %v", out.Bytes(), err)
	}
	for field, want := range map[string]string{"level": "warn", "logger": "crm", "msg": "no answer", "lasted": "1.5s", "call": "A"} {
		if line[field] != want {
			t.Errorf("%s is %q, want %q", field, line[field], want)
		}
	}
	if at, err := time.Parse(time.RFC3339Nano, line["ts"]); err != nil || at.Before(before.Truncate(0)) || at.After(time.Now()) {
		t.Errorf("the time is %q, error %v", line["ts"], err)
	}
}

func TestALineForPeopleBeginsWithTheTimeOfDay(t *testing.T) {
	var out bytes.Buffer
	logger(t, "info", "console", &out).Warn("no answer", zap.String("call", "A"))
	if want := regexp.MustCompile(`^\d\d:\d\d:\d\d\.\d{3}\tWARN\tno answer\t\{"call": "A"\}\n$`); !want.Match(out.Bytes()) {
		t.Errorf("the line is %q, want %s", out.String(), want)
	}
}

func TestALineForJournaldBeginsWithItsPriorityAndHasNoTime(t *testing.T) {
	for level, want := range map[zapcore.Level]string{
		zapcore.DebugLevel: "<7>", zapcore.InfoLevel: "<6>", zapcore.WarnLevel: "<4>", zapcore.ErrorLevel: "<3>", zapcore.DPanicLevel: "<3>",
	} {
		var out bytes.Buffer
		logger(t, "debug", "journald", &out).Log(level, "no answer", zap.String("call", "A"))
		if want += ` no answer {"call": "A"}` + "\n"; out.String() != want {
			t.Errorf("the line of level %s is %q, want %q", level, out.String(), want)
		}
	}
}

func TestLinesBelowTheLevelAreLeftOut(t *testing.T) {
	levels := []string{"debug", "info", "warn", "error"}
	for i, level := range levels {
		var out bytes.Buffer
		log := logger(t, level, "json", &out)
		log.Debug("debug")
		log.Info("info")
		log.Warn("warn")
		log.Error("error")
		var said []string
		for line := range strings.Lines(out.String()) {
			var entry struct{ Msg string }
			if err := json.Unmarshal([]byte(line), &entry); err != nil {
				t.Fatal(err)
			}
			said = append(said, entry.Msg)
		}
		if want := levels[i:]; fmt.Sprint(said) != fmt.Sprint(want) {
			t.Errorf("at level %s %v are logged, want %v", level, said, want)
		}
	}
}

func TestALevelThatThereIsNotIsNamed(t *testing.T) {
	log, err := setup.Logger(configs.Log{Level: "loud", Format: "json"}, io.Discard)
	checkUnusable(t, err, "log.level: ", `"loud"`)
	if log != nil {
		t.Error("there is a logger all the same")
	}
}

// terminal opens a terminal, and what a person would read on it.
func terminal(t *testing.T) (out *os.File, screen *bufio.Reader) {
	t.Helper()
	control, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(control.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(control.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	out, err = os.OpenFile(fmt.Sprint("/dev/pts/", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, file := range []*os.File{out, control} {
			if err := file.Close(); err != nil {
				t.Error(err)
			}
		}
	})
	return out, bufio.NewReader(control)
}

func TestTheFormatIsChosenByWhoReads(t *testing.T) {
	people := regexp.MustCompile(`^\d\d:\d\d:\d\d\.\d{3}\tINFO\t`)
	journald, programs := regexp.MustCompile(`^<6> `), regexp.MustCompile(`^\{"`)
	for name, test := range map[string]struct {
		journal, format string
		terminal        bool
		want            *regexp.Regexp
	}{
		"a file":                         {"", "auto", false, programs},
		"a terminal":                     {"", "auto", true, people},
		"systemd":                        {"8:12345", "auto", false, journald},
		"systemd, before a terminal":     {"8:12345", "auto", true, journald},
		"json on a terminal, as is said": {"", "json", true, programs},
		"people in a file, as is said":   {"", "console", false, people},
		"json under systemd, as is said": {"8:12345", "json", false, programs},
		"journald in a file, as is said": {"", "journald", false, journald},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("JOURNAL_STREAM", test.journal)
			line := ""
			if test.terminal {
				out, screen := terminal(t)
				logger(t, "info", test.format, out).Info("said")
				text, err := screen.ReadString('\n')
				if err != nil {
					t.Fatal(err)
				}
				line = text
			} else {
				out, err := os.Create(t.TempDir() + "/log")
				if err != nil {
					t.Fatal(err)
				}
				logger(t, "info", test.format, out).Info("said")
				text, err := os.ReadFile(out.Name())
				if err != nil {
					t.Fatal(err)
				}
				if err := out.Close(); err != nil {
					t.Error(err)
				}
				line = string(text)
			}
			if !test.want.MatchString(line) {
				t.Errorf("the line is %q, want %s", line, test.want)
			}
		})
	}
}

func TestNoFormatShowsASecretOfTheConfiguration(t *testing.T) {
	for _, format := range []string{"json", "console", "journald"} {
		var out bytes.Buffer
		cfg := office()
		logger(t, "debug", format, &out).Info("configured",
			zap.Any("config", cfg), zap.Any("kontur", cfg.Kontur), zap.Any("key", cfg.Kontur.APIKey), zap.Stringer("secret", cfg.Kontur.IntegrationSecret),
			zap.Reflect("asterisk", &cfg.Asterisk), zap.String("text", fmt.Sprintf("%+v %#v", cfg, cfg)))
		if !strings.Contains(out.String(), "[secret]") || !strings.Contains(out.String(), "my-workspace") {
			t.Errorf("%s: the configuration is not in %s", format, out.String())
		}
		checkNoSecrets(t, out.String())
	}
}
