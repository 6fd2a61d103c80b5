package server_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"kontur-ari/crm/server"
)

func itoa(n int) string { return strconv.Itoa(n) }

func TestRequestsThatAreRejected(t *testing.T) {
	s := newStage(t, nil)
	s.crm.set(func(c *crm) { c.keys["expired-key"] = false })
	header := func(name, value string) map[string]string { return map[string]string{name: value} }
	for _, test := range []struct {
		name   string
		sent   sent
		status int
		reason server.Reason
	}{
		{"no key", sent{header: header("X-XCOM-AccessKey", "-")}, 401, server.RejectedNoKey},
		{"empty key", sent{header: header("X-XCOM-AccessKey", "")}, 401, server.RejectedNoKey},
		{"endless key", sent{header: header("X-XCOM-AccessKey", strings.Repeat("k", 2000))}, 401, server.RejectedNoKey},
		{"key with spaces", sent{header: header("X-XCOM-AccessKey", "a b")}, 401, server.RejectedNoKey},
		{"key of another workspace", sent{header: header("X-XCOM-AccessKey", "other-workspaces")}, 401, server.RejectedKey},
		{"expired key", sent{header: header("X-XCOM-AccessKey", "expired-key")}, 401, server.RejectedKey},
		{"API key in its place", sent{header: map[string]string{"X-XCOM-AccessKey": "-", "X-XCOM-Integration-ApiKey": goodKey}}, 401, server.RejectedNoKey},
		{"GET", sent{method: "GET"}, 405, server.RejectedMethod},
		{"PUT", sent{method: "PUT"}, 405, server.RejectedMethod},
		{"OPTIONS", sent{method: "OPTIONS"}, 405, server.RejectedMethod},
		{"invented method", sent{method: "CALL"}, 405, server.RejectedMethod},
		{"root", sent{path: "/"}, 404, server.RejectedPath},
		{"readiness", sent{path: "/readyz"}, 404, server.RejectedPath},
		{"slash at the end", sent{path: callPath + "/"}, 404, server.RejectedPath},
		{"two slashes", sent{path: "/" + callPath}, 404, server.RejectedPath},
		{"dots", sent{path: "/api/v1/my-workspace/x/../communications/call"}, 404, server.RejectedPath},
		{"other letters", sent{path: strings.ToUpper(callPath)}, 404, server.RejectedPath},
		{"two ids", sent{path: "/api/v1/my-workspace/communications/a/b/hangup"}, 404, server.RejectedPath},
		{"no id", sent{path: "/api/v1/my-workspace/communications//hangup"}, 404, server.RejectedPath},
		{"call without workspace", sent{path: "/communications/call"}, 404, server.RejectedPath},
		{"other workspace", sent{path: "/api/v1/other/communications/call"}, 404, server.RejectedWorkspace},
		{"other workspace's webhook", sent{path: "/api/v1/other/communications/sync"}, 404, server.RejectedWorkspace},
		{"no workspace", sent{path: "/api/v1//communications/call"}, 404, server.RejectedWorkspace},
		{"form", sent{header: header("Content-Type", "application/x-www-form-urlencoded")}, 415, server.RejectedMediaType},
		{"text", sent{header: header("Content-Type", "text/plain")}, 415, server.RejectedMediaType},
		{"windows-1251", sent{header: header("Content-Type", "application/json; charset=windows-1251")}, 415, server.RejectedMediaType},
		{"no media type", sent{header: header("Content-Type", ";;;")}, 415, server.RejectedMediaType},
		{"compressed", sent{header: header("Content-Encoding", "gzip")}, 415, server.RejectedMediaType},
		{"large", sent{body: strings.Repeat(" ", 64<<10+1), path: callPath}, 413, server.RejectedSize},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := s.server.Stats().Rejected[test.reason]
			answer := s.send(test.sent)
			s.expect(answer, test.status, "")
			if n := s.server.Stats().Rejected[test.reason]; n != before+1 {
				t.Errorf("counted %d times as %s, want once: %+v", n-before, test.reason, s.server.Stats())
			}
			if test.status == 405 && answer.header.Get("Allow") != "POST" {
				t.Errorf("Allow is %q", answer.header.Get("Allow"))
			}
			if test.status == 401 && answer.body != `"Unauthorized"` {
				t.Errorf("the body is %s", answer.body)
			}
		})
	}
	if n := s.switchboard.commands(); n != 0 {
		t.Errorf("%d commands reached the switch", n)
	}
	if n := s.crm.questions(); n != 2 {
		t.Errorf("the CRM was asked %d times, want twice: about the two keys that might have been good", n)
	}
	s.expect(s.send(sent{}), http.StatusOK, `"OK"`)
}

func TestRequestsThatAreTakenInOtherForms(t *testing.T) {
	for _, test := range []struct {
		name string
		sent sent
	}{
		{"no content type", sent{header: map[string]string{"Content-Type": "-"}}},
		{"charset", sent{header: map[string]string{"Content-Type": "Application/JSON; Charset=\"UTF-8\""}}},
		{"identity", sent{header: map[string]string{"Content-Encoding": "identity"}}},
		{"query", sent{path: callPath + "?x=1", body: goodCall}},
		{"chunked", sent{reader: io.MultiReader(strings.NewReader(goodCall[:9]), strings.NewReader(goodCall[9:]))}},
		{"white space around", sent{path: callPath, body: " \r\n\t" + goodCall + "\n\n"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newStage(t, nil)
			s.expect(s.send(test.sent), http.StatusOK, `"OK"`)
			if s.switchboard.commands() != 1 {
				t.Error("the command did not reach the switch")
			}
		})
	}
}

func TestTheEcho(t *testing.T) {
	s := newStage(t, nil)
	answer := s.send(sent{header: map[string]string{"X-XCOM-Integration-Echo": "-"}})
	if _, there := answer.header["X-Xcom-Integration-Echo"]; answer.status != 200 || there {
		t.Errorf("without an echo: %d, header %v", answer.status, answer.header)
	}
	long := strings.Repeat("e", 8<<10)
	if answer = s.send(sent{header: map[string]string{"X-XCOM-Integration-Echo": long}}); answer.status != 200 || answer.header.Get("X-XCOM-Integration-Echo") != long {
		t.Errorf("8 KiB of echo: %d, %d bytes came back", answer.status, len(answer.header.Get("X-XCOM-Integration-Echo")))
	}
	conn := s.dial()
	// The server may close before it has read all of it.
	_, _ = io.WriteString(conn, head(callPath, "X-Long: 1", "X-XCOM-Integration-Echo: "+strings.Repeat("e", 64<<10)))
	if answer := s.answers(conn, 1)[0]; answer.status != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("64 KiB of echo: %d", answer.status)
	}
	if s.switchboard.commands() != 2 {
		t.Errorf("%d commands, want 2", s.switchboard.commands())
	}
}

func TestAnEchoCannotAddHeaders(t *testing.T) {
	for _, test := range []struct {
		name, echo string
		status     int
		want       string
	}{
		{"CR LF", "a\r\nSet-Cookie: x=1", 200, "a"},
		{"CR", "a\rSet-Cookie: x=1", 400, ""},
		{"LF", "a\nSet-Cookie: x=1", 200, "a"},
		{"NUL", "a\x00b", 400, ""},
		{"folded", "a\r\n\tSet-Cookie: x=1", 200, "a Set-Cookie: x=1"},
		{"encoded", "a%0d%0aSet-Cookie: x=1", 200, "a%0d%0aSet-Cookie: x=1"},
		{"UTF-8", "эхо", 200, "эхо"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newStage(t, nil)
			request := strings.Replace(head(callPath, "Content-Length: "+itoa(len(goodCall))), echo, test.echo, 1) + goodCall
			conn := s.dial()
			if _, err := io.WriteString(conn, request); err != nil {
				t.Fatal(err)
			}
			answer := s.answers(conn, 1)[0]
			if answer.status != test.status || answer.header.Get("Set-Cookie") != "" {
				t.Errorf("answer %d, headers %v", answer.status, answer.header)
			}
			if e := answer.header.Get("X-XCOM-Integration-Echo"); e != test.want {
				t.Errorf("the echo is %q, want %q", e, test.want)
			}
		})
	}
}

func TestTwoKeysAreNone(t *testing.T) {
	s := newStage(t, nil)
	conn := s.dial()
	if _, err := io.WriteString(conn, head(callPath, "X-XCOM-AccessKey: other", "Content-Length: "+itoa(len(goodCall)))+goodCall); err != nil {
		t.Fatal(err)
	}
	s.expect(s.answers(conn, 1)[0], http.StatusUnauthorized, `"Unauthorized"`)
	if s.switchboard.commands()+s.crm.questions() != 0 {
		t.Error("the CRM was asked, or the switch received a command")
	}
}

// endless is a body without an end. It counts the bytes that are read.
type endless struct{ taken int64 }

func (e *endless) Read(p []byte) (int, error) {
	if e.taken += int64(len(p)); e.taken > 100<<20 {
		return 0, io.EOF
	}
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func TestAHundredMegabytesAreNotRead(t *testing.T) {
	for _, test := range []struct {
		name, key, size string
		status          int
	}{
		{"announced", goodKey, "Content-Length: 104857600", http.StatusRequestEntityTooLarge},
		{"chunked", goodKey, "Transfer-Encoding: chunked", http.StatusRequestEntityTooLarge},
		{"announced by a stranger", "stranger", "Content-Length: 104857600", http.StatusRequestEntityTooLarge},
		{"chunked by a stranger", "stranger", "Transfer-Encoding: chunked", http.StatusUnauthorized},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newStage(t, nil)
			conn := s.dial()
			if _, err := io.WriteString(conn, strings.Replace(head(callPath, test.size), goodKey, test.key, 1)); err != nil {
				t.Fatal(err)
			}
			body, written := &endless{}, make(chan struct{})
			go func() {
				defer close(written)
				if strings.HasPrefix(test.size, "Content") {
					_, _ = io.Copy(conn, body) // until the server closes
					return
				}
				chunk := fmt.Sprintf("%x\r\n%s\r\n", 4096, strings.Repeat(" ", 4096))
				for body.taken < 100<<20 {
					if _, err := io.WriteString(conn, chunk); err != nil {
						return
					}
					body.taken += 4096
				}
			}()
			s.expect(s.answers(conn, 1)[0], test.status, "")
			<-written
			if body.taken > 50<<20 || s.switchboard.commands() != 0 {
				t.Errorf("%d bytes were taken, %d commands", body.taken, s.switchboard.commands())
			}
		})
	}
}

func TestSlowRequestsAreBounded(t *testing.T) {
	quick := func(c *server.Config) {
		c.Limits.HeaderTime, c.Limits.ReadTime = 150*time.Millisecond, 300*time.Millisecond
	}
	t.Run("body", func(t *testing.T) {
		s := newStage(t, quick)
		conn := s.dial()
		began := time.Now()
		if _, err := io.WriteString(conn, head(callPath, "Content-Length: "+itoa(len(goodCall)))+goodCall[:1]); err != nil {
			t.Fatal(err)
		}
		s.expect(s.answers(conn, 1)[0], http.StatusRequestTimeout, "")
		if lasted := time.Since(began); lasted > 5*time.Second || s.server.Stats().Rejected[server.RejectedSlow] != 1 {
			t.Errorf("it took %s; %+v", lasted, s.server.Stats())
		}
		if n, err := conn.Read(make([]byte, 1)); err == nil {
			t.Errorf("the connection stays open: %d bytes", n)
		}
	})
	t.Run("body that breaks off", func(t *testing.T) {
		s := newStage(t, quick)
		conn := s.dial()
		if _, err := io.WriteString(conn, head(callPath, "Content-Length: "+itoa(len(goodCall)))+goodCall[:20]); err != nil {
			t.Fatal(err)
		}
		if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		s.expect(s.answers(conn, 1)[0], http.StatusBadRequest, "")
	})
	t.Run("header", func(t *testing.T) {
		s := newStage(t, quick)
		conn := s.dial()
		began := time.Now()
		if _, err := io.WriteString(conn, "POST "+callPath+" HTTP/1.1\r\nHost: pb"); err != nil {
			t.Fatal(err)
		}
		rest, err := io.ReadAll(conn)
		if lasted := time.Since(began); lasted > 5*time.Second || err != nil || strings.Contains(string(rest), " 200 ") {
			t.Errorf("it took %s: %q, %v", lasted, rest, err)
		}
	})
}

func TestACommandIsTakenBesideIdleConnections(t *testing.T) {
	s := newStage(t, nil)
	for range 1000 {
		s.dial()
	}
	s.expect(s.send(sent{}), http.StatusOK, `"OK"`)
}

func TestConnectionsBeyondTheLimitAreClosed(t *testing.T) {
	s := newStage(t, func(c *server.Config) { c.Limits.Connections = 2 })
	first, _ := s.dial(), s.dial()
	third := s.dial()
	if _, err := third.Read(make([]byte, 1)); err == nil {
		t.Error("the third connection was taken")
	}
	if n := s.server.Stats().Rejected[server.RejectedConnection]; n != 1 {
		t.Errorf("%d were counted", n)
	}
	first.Close()
	// The server may take a moment to see that there is room again.
	for deadline := time.Now().Add(5 * time.Second); ; {
		response, err := s.client.Post("http://"+s.address+callPath, "", nil)
		if err == nil {
			response.Body.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("no connection is taken any more: %v", err)
		}
	}
}

func TestPipelinedCommandsAreAllAnsweredInOrder(t *testing.T) {
	s := newStage(t, nil)
	conn := s.dial()
	request := head(callPath, "Content-Length: "+itoa(len(goodCall))) + goodCall
	bad := strings.Replace(request, goodKey, "bad-key", 1)
	if _, err := io.WriteString(conn, request+bad+request); err != nil {
		t.Fatal(err)
	}
	for i, answer := range s.answers(conn, 3) {
		s.expect(answer, []int{200, 401, 200}[i], "")
	}
	if s.switchboard.commands() != 2 {
		t.Errorf("%d commands, want 2", s.switchboard.commands())
	}
}

func TestHTTP10IsAnswered(t *testing.T) {
	s := newStage(t, nil)
	conn := s.dial()
	request := strings.Replace(head(callPath, "Content-Length: "+itoa(len(goodCall))), "HTTP/1.1\r\nHost: pbx", "HTTP/1.0", 1) + goodCall
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	s.expect(s.answers(conn, 1)[0], http.StatusOK, `"OK"`)
}

// TestSmuggledRequestsAreRefused sends lengths that two servers in a row could
// read differently.
func TestSmuggledRequestsAreRefused(t *testing.T) {
	for _, lengths := range [][]string{
		{"Content-Length: 5", "Content-Length: " + itoa(len(goodCall))},
		{"Content-Length: -1"},
		{"Transfer-Encoding: chunked, identity"},
		{"Transfer-Encoding: xchunked"},
	} {
		s := newStage(t, nil)
		conn := s.dial()
		if _, err := io.WriteString(conn, head(callPath, lengths...)+goodCall); err != nil {
			t.Fatal(err)
		}
		if answer := s.answers(conn, 1)[0]; answer.status < 400 || s.switchboard.commands() != 0 {
			t.Errorf("%v: answer %d, %d commands", lengths, answer.status, s.switchboard.commands())
		}
	}
}
