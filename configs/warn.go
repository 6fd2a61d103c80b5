package configs

import (
	"net"
	"net/url"
	"os"
	"slices"
	"strings"

	"kontur-ari/internal/secret"
)

// reserved are the sections and keys that are read and checked but that nothing
// acts on yet. A key that ends in a dot stands for its section.
var reserved = []string{
	"history.",
}

// isReserved reports whether nothing acts on a key yet.
func isReserved(key string) bool {
	return slices.ContainsFunc(reserved, func(name string) bool {
		return key == name || strings.HasSuffix(name, ".") && strings.HasPrefix(key+".", name)
	})
}

// warn notes what is allowed and probably not meant.
func warn(r *report, cfg *Config, inline map[string]bool) {
	if len(inline) > 0 {
		warnReadable(r, r.file, "", "everybody on this machine can read the secrets in it; chmod 640 it, or keep them in files of their own (api_key_file and the like)")
	}
	for _, s := range secretSources(cfg) {
		if *s.file == "" {
			continue
		}
		if path, err := expandCredentials(*s.file); err == nil {
			warnReadable(r, path, s.key+"_file", "everybody on this machine can read that file; chmod 640 it")
		}
	}
	if u, err := url.Parse(cfg.Asterisk.URL); err == nil && !r.bad["asterisk.url"] && !strings.HasSuffix(u.Path, "/ari") {
		r.warn("asterisk.url", "doesn't end in /ari, where Asterisk serves ARI; an address is usually like %s", Default().Asterisk.URL)
	}
	warnPlain(r, "asterisk.url", cfg.Asterisk.URL, "the ARI password")
	warnPlain(r, "kontur.base_url", cfg.Kontur.BaseURL, "the API key")
	warnOpen(r, cfg.Server)
	warnReserved(r, cfg)
}

func warnReadable(r *report, path, key, text string) {
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o004 != 0 {
		r.warn(key, "%s", text)
	}
}

// warnPlain warns of an http address that isn't on this machine.
func warnPlain(r *report, key, address, what string) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" || u.Hostname() == "localhost" || u.Hostname() == "" {
		return
	}
	if ip := net.ParseIP(u.Hostname()); ip == nil || !ip.IsLoopback() {
		r.warn(key, "%s crosses the network unencrypted; use https", what)
	}
}

// warnOpen warns of commands that are taken from other machines without TLS.
func warnOpen(r *report, server Server) {
	host, _, err := net.SplitHostPort(server.Listen)
	if err != nil || server.TLSCert != "" || server.TLSKey != "" || host == "localhost" {
		return
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		r.warn("server.listen", "commands and access keys cross the network unencrypted, and whoever reads a key can have calls made; set server.tls_cert and server.tls_key, or listen on 127.0.0.1 behind a reverse proxy")
	}
}

// warnReserved names the keys that are set for a purpose they don't
// serve yet.
func warnReserved(r *report, cfg *Config) {
	defaults := Default()
	for _, key := range scalarKeys() {
		if !isReserved(key.path) || r.bad[key.path] {
			continue
		}
		set, usual := valueOf(cfg, key.path), valueOf(&defaults, key.path)
		if !sameValue(set, usual) {
			r.warn(key.path, "reserved: read and checked, not acted on yet")
		}
	}
}

// sameValue compares two values of one key.
func sameValue(a, b any) bool {
	switch a := a.(type) {
	case secret.String:
		return a.Equal(b.(secret.String))
	case Pattern:
		return a.Equal(b.(Pattern))
	}
	return a == b
}
