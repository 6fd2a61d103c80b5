package configs

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

// TestBadValues breaks one key at a time: exactly one problem, of that key.
func TestBadValues(t *testing.T) {
	for _, test := range []struct{ yaml, key, want string }{
		{"nodes: pbx1", "nodes", "unknown key; did you mean node?"},
		{"Node: pbx1", "Node", "unknown key; did you mean node?"},
		{"admin: {listne: ':1'}", "admin.listne", "unknown key; did you mean admin.listen?"},
		{"admin: {request_timeout: 5s}", "admin.request_timeout", "did you mean kontur.request_timeout?"},
		{"admin: {colour: blue}", "admin.colour", "unknown key; known here: listen"},
		{"admin.listen: ':1'", "admin.listen", "unknown key; write listen: below admin: instead"},
		{"asterix: {}", "asterix", "did you mean asterisk?"},
		{"directory: {users: [{user_id: a, extension: 1, exten: 2}]}", "directory.users[0].exten", "known here: user_id, name, extension, endpoint, mobile"},
		{"node: a\nnode: b", "node", "set twice, first in line"},
		{"admin: {}\nadmin: {}", "admin", "set twice"},
		{"node:", "node", "no value; write one"},
		{"node: ~", "node", "no value"},
		{"node: ''", "node", "empty; write up to 63 letters"},
		{"node: 'pbx 1'", "node", "not what is wanted; write up to 63 letters"},
		{"node: [a]", "node", "a single value is wanted here"},
		{"node: {a: b}", "node", "a single value is wanted here"},
		{"node: !!str a", "node", "tags (!name) are not read"},
		{"admin: here", "admin", "keys are wanted here"},
		{"admin: []", "admin", "keys are wanted here"},
		{"directory: {users: {}}", "directory.users", "a list is wanted here"},
		{"directory: {users: [a]}", "directory.users[0]", "keys are wanted here"},
		{"directory: {users: [~]}", "directory.users[0]", "an empty item"},
		{"shutdown_timeout: 10", "shutdown_timeout", "10 has no unit; write 10s for seconds, 10m for minutes or 10h for hours"},
		{"shutdown_timeout: '10'", "shutdown_timeout", "10 has no unit"},
		{"shutdown_timeout: 10 seconds", "shutdown_timeout", "not a duration; write a number with a unit"},
		{"shutdown_timeout: -5s", "shutdown_timeout", "can't be negative"},
		{"shutdown_timeout: 0s", "shutdown_timeout", "out of range; write a value from 100ms to 10m"},
		{"calls: {originate_timeout: 5}", "calls.originate_timeout", "write 5s for seconds"},
		{"redirect: {timeout: 1h}", "redirect.timeout", "out of range; write a value from 100ms to 10s"},
		{"calls: {calls_per_minute: -1}", "calls.calls_per_minute", "out of range; write a value from 1 to 1000"},
		{"calls: {calls_per_minute: many}", "calls.calls_per_minute", "not a whole number"},
		{"calls: {calls_per_minute: 1.5}", "calls.calls_per_minute", "not a whole number"},
		{"calls: {auto_answer: yes}", "calls.auto_answer", "neither true nor false"},
		{"calls: {internal_numbers: '(\\d'}", "calls.internal_numbers", "not a regular expression"},
		{"calls: {internal_numbers: '(?=7)'}", "calls.internal_numbers", "no look-around"},
		{"calls: {internal_numbers: ''}", "calls.internal_numbers", "an empty pattern"},
		{"calls: {allowed_numbers: ['^7$', '[']}", "calls.allowed_numbers[1]", "not a regular expression"},
		{"calls: {allowed_numbers: '^7$'}", "calls.allowed_numbers", "a list is wanted here"},
		{"calls: {region: UK}", "calls.region", "not a country"},
		{"calls: {region: ru}", "calls.region", "two capital letters"},
		{"calls: {hidden_number: ''}", "calls.hidden_number", "empty; write a word"},
		{"calls: {originate_context: 'a,b'}", "calls.originate_context", "the name of a dialplan context"},
		{"delivery: {longest_pause: 100ms}", "delivery.longest_pause", "100ms is shorter than delivery.first_pause, 500ms; write at least that"},
		{"storage: {journal_max_size: 1024}", "storage.journal_max_size", "1024 has no unit; write 1024B for bytes, 1024MiB or 1024GiB"},
		{"storage: {journal_max_size: 1G}", "storage.journal_max_size", "not a size"},
		{"storage: {journal_max_size: -1GiB}", "storage.journal_max_size", "can't be negative"},
		{"storage: {journal_max_size: 99999999999TiB}", "storage.journal_max_size", "not a size"},
		{"storage: {journal_max_size: 1KiB}", "storage.journal_max_size", "from 16MiB to 1TiB"},
		{"storage: {directory: var/lib}", "storage.directory", "not an absolute path"},
		{"storage: {directory: ''}", "storage.directory", "empty; write an absolute path"},
		{"admin: {listen: 8091}", "admin.listen", "not host:port"},
		{"admin: {listen: ''}", "admin.listen", "not host:port"},
		{"admin: {listen: '127.0.0.1:80911'}", "admin.listen", "not host:port"},
		{"admin: {listen: '127.0.0.1:8090'}", "admin.listen", "the same address as server.listen"},
		{"server: {listen: localhost}", "server.listen", "not host:port"},
		{"server: {allowed_networks: 203.0.113.0/24}", "server.allowed_networks", "a list is wanted here"},
		{"server: {allowed_networks: [crm.kontur.ru]}", "server.allowed_networks[0]", "not a network; write its address, a slash and the number of its bits"},
		{"server: {allowed_networks: ['::ffff:203.0.113.0/120']}", "server.allowed_networks[0]", "not a network"},
		{"server: {allowed_networks: [203.0.113.7]}", "server.allowed_networks[0]", "an address and no network; write 203.0.113.7/32"},
		{"server: {trusted_proxies: [127.0.0.1/32, 203.0.113.7/24]}", "server.trusted_proxies[1]", "write 203.0.113.0/24 for the network, or 203.0.113.7/32"},
		{"server: {trusted_proxies: [0.0.0.0/0]}", "server.trusted_proxies[0]", "every address is in it"},
		{"server: {base_path: kontur/}", "server.base_path", "begins with / and doesn't end with it"},
		{"server: {tls_cert: /etc/cert.pem}", "server.tls_key", "empty, and server.tls_cert is set"},
		{"server: {tls_key: /etc/key.pem}", "server.tls_cert", "empty, and server.tls_key is set"},
		{"recordings: {format: mp4}", "recordings.format", "write keep, mp3; did you mean mp3?"},
		{"recordings: {directory: monitor}", "recordings.directory", "not an absolute path"},
		{"recordings: {directory: ''}", "recordings.directory", "empty; write an absolute path"},
		{"recordings: {directory_in_asterisk: monitor}", "recordings.directory_in_asterisk", "not an absolute path"},
		{"recordings: {voicemail_directory: voicemail}", "recordings.voicemail_directory", "not an absolute path"},
		{"recordings: {voicemail_directory_in_asterisk: ./voicemail}", "recordings.voicemail_directory_in_asterisk", "not an absolute path"},
		{"recordings: {names: '{uniqueid}.wav'}", "recordings.names", "a list is wanted here"},
		{"recordings: {names: ['{uniqueid}.wav', ~]}", "recordings.names[1]", "empty"},
		{"recordings: {settle_time: 99ms}", "recordings.settle_time", "from 100ms to 1h"},
		{"recordings: {missing_after: 25h}", "recordings.missing_after", "from 1s to 24h"},
		{"recordings: {uploads: 0}", "recordings.uploads", "from 1 to 32"},
		{"recordings: {uploads: 33}", "recordings.uploads", "from 1 to 32"},
		{"recordings: {upload_rate: 125000}", "recordings.upload_rate", "125000 has no unit"},
		{"recordings: {upload_rate: 2TiB}", "recordings.upload_rate", "from 0B to 1TiB"},
		{"recordings: {keep: for ever}", "recordings.keep", "write forever, delete, or how long"},
		{"recordings: {keep: 9000h}", "recordings.keep", "out of range; write forever, delete, or a time up to 8760h"},
		{"history: {source: csv}", "history.dsn", "empty, and history.source needs it"},
		{"history: {source: oracle}", "history.source", `write "", csv, sqlite, mysql, postgres`},
		{"log: {level: warning}", "log.level", "write debug, info, warn, error"},
		{"log: {format: journal}", "log.format", "did you mean journald?"},
	} {
		t.Run(test.yaml, func(t *testing.T) {
			found := problems(t, test.yaml+"\n"+minimal)
			if len(found) != 1 || found[0].Key != test.key || !strings.Contains(found[0].Text, test.want) {
				t.Errorf("problems %v\nwant one of %s with %q", found, test.key, test.want)
			}
			if !strings.Contains(found[0].Where, "kontur-ari.yaml:") {
				t.Errorf("the problem is at %q, want a line", found[0].Where)
			}
		})
	}
}

// TestBadConnections breaks the keys of the sections that minimal sets.
func TestBadConnections(t *testing.T) {
	for _, test := range []struct{ key, value, want string }{
		{"asterisk.url", "''", "empty; write an address such as http://127.0.0.1:8088/ari"},
		{"asterisk.url", "127.0.0.1:8088", "not an http or https address"},
		{"asterisk.url", "ws://127.0.0.1:8088/ari", "not an http or https address"},
		{"asterisk.url", "http:///ari", "not an http or https address"},
		{"asterisk.url", "http://127.0.0.1:99999/ari", "no port number"},
		{"asterisk.url", "http://u:p@127.0.0.1:8088/ari", "keys of their own"},
		{"asterisk.url", "http://127.0.0.1:8088/ari?x=1", "without ? and #"},
		{"asterisk.username", "''", "empty; write the name of a user in ari.conf"},
		{"asterisk.username", "'a:b'", "not what is wanted; write the name of a user"},
		{"asterisk.password", "''", "empty; write the password of that user in ari.conf, on one line, or name its file in asterisk.password_file"},
		{"asterisk.application", "''", "empty; write up to 64"},
		{"asterisk.application", "'a,b'", "not what is wanted; write up to 64 letters"},
		{"asterisk.application", "..", "not what is wanted; write up to 64 letters"},
		{"asterisk.application", "приложение", "not what is wanted"},
		{"kontur.base_url", "''", "empty; write an address such as https://crm.kontur.ru"},
		{"kontur.base_url", "crm.kontur.ru", "not an http or https address"},
		{"kontur.workspace", "''", "empty; write the workspace's name"},
		{"kontur.workspace", "a/b", "not what is wanted; write the workspace's name"},
		{"kontur.workspace", "'..'", "not what is wanted"},
		{"kontur.api_key", "''", "empty; write the key alone, without spaces and line ends, or name its file in kontur.api_key_file"},
		{"kontur.api_key", "'a b'", "not what is wanted; write the key alone"},
		{"kontur.api_key", "", "no value; write one"},
		{"kontur.integration_secret", "value", "not what is wanted; write name=value"},
		{"kontur.integration_id", "a/b", "not what is wanted; write the id"},
		{"kontur.shared_workspace", "1", "neither true nor false"},
		{"kontur.request_timeout", "15", "15 has no unit; write 15s"},
		{"kontur.connections", "0", "out of range; write a value from 1 to 256"},
		{"kontur.connections", "5000000000", "not a whole number"},
	} {
		t.Run(test.key+"="+test.value, func(t *testing.T) {
			section, name, _ := strings.Cut(test.key, ".")
			var lines []string
			for line := range strings.Lines(minimal) {
				if strings.HasPrefix(line, "  "+name+":") {
					continue
				}
				lines = append(lines, line)
				if line == section+":\n" {
					lines = append(lines, "  "+name+": "+test.value+"\n")
				}
			}
			found := problems(t, strings.Join(lines, ""))
			if len(found) != 1 || found[0].Key != test.key || !strings.Contains(found[0].Text, test.want) {
				t.Errorf("problems %v\nwant one of %s with %q", found, test.key, test.want)
			}
		})
	}
}

func TestSharedWorkspaceNeedsANameForTheNode(t *testing.T) {
	found := problems(t, "node: localhost.localdomain\n"+minimal+"  shared_workspace: true\n")
	if len(found) != 1 || found[0].Key != "node" {
		t.Errorf("problems %v", found)
	}
}

func TestBadDirectory(t *testing.T) {
	for _, test := range []struct{ entries, key, want string }{
		{"users: [{extension: 1}]", "users[0].user_id", "empty; write the user's id"},
		{"users: [{user_id: 'a b', extension: 1}]", "users[0].user_id", "not an id"},
		{"users: [{user_id: a, name: Anna}]", "users[0]", "no telephone at all"},
		{"users: [{user_id: a, extension: '1 0'}]", "users[0].extension", "not an internal number"},
		{"users: [{user_id: a, endpoint: '101'}]", "users[0].endpoint", "not technology/name"},
		{"users: [{user_id: a, endpoint: Local/101@from-internal}]", "users[0].endpoint", "Local channels belong to nobody"},
		{"users: [{user_id: a, mobile: '+7 999 111-22-33'}]", "users[0].mobile", "not a full number; write 7 to 15 digits"},
		{"users: [{user_id: a, mobile: 101}]", "users[0].mobile", "not a full number"},
		{"users: [{user_id: a, mobile: 89991112233}]", "users[0].mobile", "begins with 8 instead of the country code"},
		{"users: [{user_id: a, extension: 1}, {user_id: b, extension: 1, endpoint: SIP/1}]", "users[1].extension", "already taken by directory.users[0].extension ("},
		{"users: [{user_id: a, endpoint: PJSIP/1}, {user_id: b, extension: 1}]", "users[1].endpoint", "already taken by directory.users[0].endpoint ("},
		{"users: [{user_id: a, endpoint: PJSIP/A}, {user_id: b, endpoint: pjsip/a}]", "users[1].endpoint", "already taken"},
		{"users: [{user_id: a, mobile: 79991112233}, {user_id: a, mobile: '79991112233'}]", "users[1].mobile", "already taken by directory.users[0].mobile ("},
		{"users: [{user_id: a, endpoint: PJSIP/x}], trunks: [{endpoint: PJSIP/x}]", "trunks[0].endpoint", "already taken by directory.users[0].endpoint ("},
		{"trunks: [{endpoint: PJSIP/x}, {endpoint: PJSIP/x, number: 79229929292}]", "trunks[1].endpoint", "already taken by directory.trunks[0].endpoint ("},
		{"trunks: [{number: 79229929292}]", "trunks[0].endpoint", "empty; write the trunk's channel name"},
		{"trunks: [{endpoint: PJSIP/x, number: none}]", "trunks[0].number", "not a full number"},
	} {
		t.Run(test.entries, func(t *testing.T) {
			found := problems(t, "directory: {"+test.entries+"}\n"+minimal)
			if len(found) != 1 || found[0].Key != "directory."+test.key || !strings.Contains(found[0].Text, test.want) {
				t.Errorf("problems %v\nwant one of directory.%s with %q", found, test.key, test.want)
			}
		})
	}
}

func TestItemsKeepTheirNumbersBehindABadOne(t *testing.T) {
	found := problems(t, minimal+"directory:\n  users:\n    -\n    - {user_id: a}\n")
	if len(found) != 2 || found[0].Key != "directory.users[0]" || found[1].Key != "directory.users[1]" || !strings.HasSuffix(found[1].Where, ":10") {
		t.Errorf("problems %v", found)
	}
}

// TestErrorTexts compares whole error texts with those that were read and found
// good. Run with -update to rewrite them.
func TestErrorTexts(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			_, _, err := Load(file)
			if err == nil {
				t.Fatal("Load found nothing wrong")
			}
			got, golden := err.Error()+"\n", strings.TrimSuffix(file, ".yaml")+".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("error text (-want +got):\n%s", diff)
			}
		})
	}
}
