package aritest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

// client listens to a Server and sends it requests.
type client struct {
	t      *testing.T
	server *Server
	socket *websocket.Conn
}

func (c *client) ask(method, path, body string) string {
	c.t.Helper()
	request, err := http.NewRequestWithContext(c.t.Context(), method, c.server.URL+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	request.SetBasicAuth(Username, Password)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		c.t.Fatal(err)
	}
	answer, err := io.ReadAll(response.Body)
	if err := response.Body.Close(); err != nil {
		c.t.Error(err)
	}
	if err != nil {
		c.t.Fatal(err)
	}
	return string(answer)
}

// listen connects and subscribes, to events of these types.
func listen(t *testing.T, server *Server, types ...string) *client {
	t.Helper()
	socket, response, err := websocket.Dial(t.Context(), server.URL+"/events?app=test", &websocket.DialOptions{
		HTTPHeader: http.Header{"Authorization": {"Basic a29udHVyOmFyaXRlc3Qtc2VjcmV0"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	_ = response // coder/websocket has closed its body
	t.Cleanup(func() { _ = socket.CloseNow() })
	c := &client{t: t, server: server, socket: socket}
	allowed := make([]string, len(types))
	for i, name := range types {
		allowed[i] = fmt.Sprintf(`{"type":%q}`, name)
	}
	c.ask(http.MethodPut, "/applications/test/eventFilter", `{"allowed":[`+strings.Join(allowed, ",")+`]}`)
	c.ask(http.MethodPost, "/applications/test/subscription?eventSource=channel:,bridge:", "")
	return c
}

func (c *client) variable(channel, name string) string {
	var answer struct{ Value string }
	path := "/channels/" + channel + "/variable?" + url.Values{"variable": {name}}.Encode()
	if err := json.Unmarshal([]byte(c.ask(http.MethodGet, path, "")), &answer); err != nil {
		c.t.Error(err)
	}
	return answer.Value
}

func channelOfName(id, name string) string {
	return fmt.Sprintf(`{"id":%q,"name":%q,"state":"Up","dialplan":{"exten":"78005550101"}}`, id, name)
}

func (c *client) play(events ...string) {
	c.t.Helper()
	for _, event := range events {
		if to, ok := c.server.Play([]byte(event)); !ok || to != 1 {
			c.t.Errorf("%s was played to listener %d: %t", event, to, ok)
		}
	}
}

func TestWhatIsPlayedIsWhatTheListsShow(t *testing.T) {
	c := listen(t, Start(t), "ChannelCreated")
	a, b := channelOfName("1.1", "PJSIP/trunk-00000001"), channelOfName("1.2", "PJSIP/101-00000002")
	c.play(
		`{"type":"ChannelCreated","channel":`+a+`}`,
		`{"type":"ChannelCreated","channel":`+b+`}`,
		`{"type":"Dial","dialstatus":"","caller":`+a+`,"peer":`+b+`}`,
		`{"type":"BridgeCreated","bridge":{"id":"b1","bridge_type":"mixing","channels":[]}}`,
		`{"type":"ChannelEnteredBridge","channel":`+b+`,"bridge":{"id":"b1","bridge_type":"mixing","channels":["1.2"]}}`,
	)
	if channels := c.ask(http.MethodGet, "/channels", ""); !strings.Contains(channels, "trunk") || !strings.Contains(channels, "101-") {
		t.Errorf("channels: %s", channels)
	}
	if bridges := c.ask(http.MethodGet, "/bridges", ""); !strings.Contains(bridges, `"channels":["1.2"]`) {
		t.Errorf("bridges: %s", bridges)
	}
	if linked, dialled := c.variable("1.2", "CHANNEL(linkedid)"), c.variable("1.1", "CALLERID(dnid)"); linked != "1.1" || dialled != "78005550101" {
		t.Errorf("linkedid %q, dnid %q", linked, dialled)
	}
	c.play(
		`{"type":"ChannelLeftBridge","channel":`+b+`,"bridge":{"id":"b1","bridge_type":"mixing","channels":[]}}`,
		`{"type":"BridgeBlindTransfer","channel":`+b+`,"bridge":{"id":"b1","bridge_type":"mixing","channels":["1.2"]}}`,
	)
	if bridges := c.ask(http.MethodGet, "/bridges", ""); !strings.Contains(bridges, `"channels":[]`) {
		t.Errorf("bridges, after the report of a finished transfer: %s", bridges)
	}
	c.play(
		`{"type":"ChannelDestroyed","channel":`+b+`}`,
		`{"type":"BridgeDestroyed","bridge":{"id":"b1"}}`,
		`{"type":"Dial","dialstatus":"CANCEL","caller":`+a+`,"peer":`+b+`}`,
	)
	if channels, bridges := c.ask(http.MethodGet, "/channels", ""), c.ask(http.MethodGet, "/bridges", ""); strings.Contains(channels, "101-") || strings.Contains(bridges, "b1") {
		t.Errorf("what is gone is shown: %s %s", channels, bridges)
	}
	if c.server.Empty() {
		t.Error("Empty, although one channel is left")
	}
}

func TestAnEventWithoutAListenerDoesNotHappen(t *testing.T) {
	server := Start(t)
	created := []byte(`{"type":"ChannelCreated","channel":` + channelOfName("1.1", "PJSIP/101-00000001") + `}`)
	if _, ok := server.Play(created); ok || !server.Empty() {
		t.Error("it happened without anybody listening")
	}
	c := listen(t, server, "ChannelCreated")
	c.server.Silence()
	if _, ok := server.Play(created); ok || !server.Empty() {
		t.Error("it happened while the cable was cut")
	}
}

func TestOnlyWhatTheFilterLetsThroughIsSent(t *testing.T) {
	c := listen(t, Start(t), "ChannelCreated")
	ch := channelOfName("1.1", "PJSIP/101-00000001")
	c.play(`{"type":"ChannelVarset","channel":`+ch+`}`, `{"type":"ChannelCreated","channel":`+ch+`}`)
	read := make(chan string, 1)
	go func() {
		_, first, err := c.socket.Read(t.Context())
		if err != nil {
			t.Error(err)
		}
		read <- string(first)
		_, _, _ = c.socket.Read(t.Context()) // answers pings, until the end
	}()
	if err := c.server.AwaitRead(t.Context()); err != nil {
		t.Error(err)
	}
	if first := <-read; !strings.Contains(first, "ChannelCreated") {
		t.Errorf("first came %s", first)
	}
}
