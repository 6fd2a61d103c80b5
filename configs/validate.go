package configs

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/nyaruka/phonenumbers"

	"kontur-ari/internal/secret"
)

// limits is the range of a number: from least to most, both included. They are
// written as in the file.
type limits struct{ least, most string }

// ranges holds every number of the configuration.
var ranges = map[string]limits{
	"shutdown_timeout":         {"100ms", "10m"},
	"kontur.request_timeout":   {"100ms", "5m"},
	"kontur.connections":       {"1", "256"},
	"calls.originate_timeout":  {"1s", "5m"},
	"calls.calls_per_minute":   {"1", "1000"},
	"calls.calls_at_once":      {"1", "100"},
	"redirect.timeout":         {"100ms", "10s"},
	"delivery.first_pause":     {"1ms", "1m"},
	"delivery.longest_pause":   {"1ms", "1h"},
	"delivery.collapse_after":  {"1ms", "24h"},
	"recordings.settle_time":   {"100ms", "1h"},
	"recordings.missing_after": {"1s", "24h"},
	"recordings.uploads":       {"1", "32"},
	"recordings.upload_rate":   {"0B", "1TiB"},
	"storage.journal_keep":     {"1h", "8760h"},
	"storage.journal_max_size": {"16MiB", "1TiB"},
	"storage.memory_max_size":  {"1MiB", "4GiB"},
}

// choices holds every key that takes one of a few words.
var choices = map[string][]string{
	"recordings.format": {"keep", "mp3"},
	"history.source":    {"", "csv", "sqlite", "mysql", "postgres"},
	"log.level":         {"debug", "info", "warn", "error"},
	"log.format":        {"auto", "json", "console", "journald"},
}

// shape is what a text must look like.
type shape struct {
	// pattern is that of a Pattern, compiled where it is needed: some are large, and
	// they are of no use once the configuration is read.
	pattern string
	wanted  string
}

// shapes holds the keys that are words of another language: a URL's path, a
// dialplan, a header.
var shapes = map[string]shape{
	"node":                      {`[A-Za-z0-9][A-Za-z0-9._-]{0,62}`, "up to 63 letters, digits, dots, dashes and underscores, such as pbx1"},
	"asterisk.username":         {`[^\s:,\[\]]+`, "the name of a user in ari.conf, without spaces and colons, such as kontur"},
	"asterisk.application":      {`[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}`, "up to 64 letters, digits, dashes, underscores and, after the first, dots, such as kontur-ari"},
	"kontur.workspace":          {`[\pL\pN_-][\pL\pN_.-]*`, "the workspace's name as it stands in the CRM's address, such as my-workspace"},
	"kontur.integration_id":     {`([A-Za-z0-9_-][A-Za-z0-9_.-]*)?`, `the id of the integration's instance, or "" to have it learnt`},
	"server.base_path":          {`(/[A-Za-z0-9_.~-]+)*`, `"" or a path that begins with / and doesn't end with it, such as /kontur`},
	"calls.hidden_number":       {`[\pL\pN_+*#.-]{1,64}`, "a word that stands for a withheld number, such as anonymous"},
	"calls.originate_context":   {`[A-Za-z0-9_.-]{1,79}`, "the name of a dialplan context, such as from-internal"},
	"kontur.api_key":            {`[!-~]+`, "the key alone, without spaces and line ends"},
	"kontur.integration_secret": {`([!-<>-~]+=[!-~]+)?`, `name=value, or "" for a private integration`},
	"asterisk.password":         {`[^\pC]+`, "the password of that user in ari.conf, on one line"},
	"recordings.keep":           {`forever|delete|[1-9][0-9]{0,8}(s|m|h)`, "forever, delete, or how long a file stays once the CRM has it, such as 72h"},
	"history.dsn":               {`[^\pC]*`, "a path or a database's address, on one line"},
}

// validate reports every value that can't be worked with.
func validate(r *report, cfg *Config) {
	for _, key := range scalarKeys() {
		validateScalar(r, key.path, valueOf(cfg, key.path))
	}
	validateURL(r, "asterisk.url", cfg.Asterisk.URL, Default().Asterisk.URL)
	validateURL(r, "kontur.base_url", cfg.Kontur.BaseURL, Default().Kontur.BaseURL)
	validateNode(r, cfg)
	validateServer(r, cfg)
	validateListen(r, "admin.listen", cfg.Admin.Listen)
	validateRegion(r, cfg.Calls.Region)
	validateDirectory(r, cfg.Directory)
	validateRecordings(r, cfg.Recordings)
	validatePath(r, "storage.directory", cfg.Storage.Directory)
	if cfg.Delivery.LongestPause < cfg.Delivery.FirstPause && !r.isBad("delivery.first_pause") && !r.isBad("delivery.longest_pause") {
		r.problem("delivery.longest_pause", "%s is shorter than delivery.first_pause, %s; write at least that", cfg.Delivery.LongestPause, cfg.Delivery.FirstPause)
	}
	if cfg.History.Source != "" && !r.isBad("history.source") && cfg.History.DSN.IsZero() {
		r.problem("history.dsn", "empty, and history.source needs it; write the path of the file or the address of the database, or set history.source to \"\"")
	}
}

func validateScalar(r *report, key string, value any) {
	if limit, ok := ranges[key]; ok {
		validateRange(r, key, value, limit)
	}
	text := fmt.Sprint(value)
	if secret, ok := value.(secret.String); ok {
		text = secret.Reveal()
	}
	if words, ok := choices[key]; ok {
		validateChoice(r, key, text, words)
	}
	if s, ok := shapes[key]; ok && !MustPattern(s.pattern).Match(text) {
		what := "not what is wanted"
		if text == "" {
			what = "empty"
		}
		r.problem(key, "%s; write %s%s", what, s.wanted, orElse(key))
	}
}

// orElse names the other ways to give a secret.
func orElse(key string) string {
	for _, s := range secretSources(&Config{}) {
		if s.key == key {
			return ", or name its file in " + key + "_file"
		}
	}
	return ""
}

func validateRange(r *report, key string, value any, limit limits) {
	least, most := numberOf(limit.least), numberOf(limit.most)
	var number int64
	switch v := value.(type) {
	case time.Duration:
		number = int64(v)
	case Size:
		number = v.Bytes()
	case int:
		number = int64(v)
	}
	if number < least || number > most {
		r.problem(key, "out of range; write a value from %s to %s", limit.least, limit.most)
	}
}

// numberOf reads a limit; the table holds only good ones, as a test makes sure.
func numberOf(text string) int64 {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n
	}
	if d, err := time.ParseDuration(text); err == nil {
		return int64(d)
	}
	size, _ := ParseSize(text)
	return size.Bytes()
}

func validateChoice(r *report, key, text string, words []string) {
	shown := make([]string, len(words))
	for i, word := range words {
		if word == text {
			return
		}
		shown[i] = cmp.Or(word, `""`)
	}
	hint := ""
	if near, ok := nearest(text, words); ok {
		hint = "; did you mean " + near + "?"
	}
	r.problem(key, "not one of the words it can be; write %s%s", strings.Join(shown, ", "), hint)
}

func validateURL(r *report, key, text, example string) {
	if text == "" {
		r.problem(key, "empty; write an address such as %s", example)
		return
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		r.problem(key, "not an http or https address; write one such as %s", example)
	case !validPort(cmp.Or(u.Port(), "80")):
		r.problem(key, "the port is no port number; write an address such as %s", example)
	case u.User != nil:
		r.problem(key, "user name and password have keys of their own; write an address such as %s", example)
	case u.RawQuery != "" || u.Fragment != "" || u.ForceQuery:
		r.problem(key, "an address without ? and # is wanted; write one such as %s", example)
	}
}

func validPort(text string) bool {
	_, err := strconv.ParseUint(text, 10, 16)
	return err == nil
}

// validateNode wants a name that distinguishes this Asterisk from the others, where
// there are others.
func validateNode(r *report, cfg *Config) {
	if cfg.Kontur.SharedWorkspace && strings.HasPrefix(cfg.Node, "localhost") {
		r.problem("node", "localhost is the name of every machine, and kontur.shared_workspace needs one of its own; write a name such as pbx1")
	}
}

func validateServer(r *report, cfg *Config) {
	if cfg.Server.Listen != "" {
		validateListen(r, "server.listen", cfg.Server.Listen)
	}
	validateFile(r, "server.tls_cert", cfg.Server.TLSCert)
	validateFile(r, "server.tls_key", cfg.Server.TLSKey)
	switch {
	case cfg.Server.TLSCert == "" && cfg.Server.TLSKey != "":
		r.problem("server.tls_cert", "empty, and server.tls_key is set; write the certificate's path, or \"\" into both")
	case cfg.Server.TLSCert != "" && cfg.Server.TLSKey == "":
		r.problem("server.tls_key", "empty, and server.tls_cert is set; write the key's path, or \"\" into both")
	}
	validateProxies(r, cfg.Server.TrustedProxies)
	if cfg.Server.Listen != "" && cfg.Server.Listen == cfg.Admin.Listen && !strings.HasSuffix(cfg.Admin.Listen, ":0") {
		r.problem("admin.listen", "the same address as server.listen; write another port")
	}
}

// validateProxies wants proxies that are not every address.
func validateProxies(r *report, proxies []netip.Prefix) {
	for i, network := range proxies {
		if network.Bits() == 0 {
			r.problem(fmt.Sprintf("server.trusted_proxies[%d]", i), "every address is in it, so that anybody could say he is somebody else; write the addresses of the proxies alone, such as 127.0.0.1/32")
		}
	}
}

func validateListen(r *report, key, text string) {
	host, port, err := net.SplitHostPort(text)
	if err != nil || !validPort(port) || strings.ContainsFunc(host, unicode.IsSpace) {
		r.problem(key, "not host:port; write an address and a port such as 127.0.0.1:8091, or :8091 for every address")
	}
}

var regionShape = regexp.MustCompile(`^[A-Z]{2}$`)

func validateRegion(r *report, region string) {
	if !regionShape.MatchString(region) || !phonenumbers.GetSupportedRegions()[region] {
		r.problem("calls.region", "not a country; write its two capital letters (ISO 3166), such as RU or KZ")
	}
}

func validatePath(r *report, key, path string) {
	if path == "" {
		r.problem(key, "empty; write an absolute path, beginning with /")
		return
	}
	validateFile(r, key, path)
}

// validateFile is validatePath for a path that may be missing.
func validateFile(r *report, key, path string) {
	if path != "" && (!filepath.IsAbs(path) || strings.ContainsFunc(path, unicode.IsControl)) {
		r.problem(key, "not an absolute path; write one that begins with /")
	}
}
