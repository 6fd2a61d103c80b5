package phone

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"time"
)

// socket is the phone's UDP socket. It keeps a trace of what goes over it.
type socket struct {
	net.PacketConn
	// reading is closed when the first read begins.
	reading   chan struct{}
	firstRead func()
	trace     trace
}

func newSocket(packets net.PacketConn) *socket {
	s := &socket{PacketConn: packets, reading: make(chan struct{})}
	s.firstRead = sync.OnceFunc(func() { close(s.reading) })
	return s
}

func (s *socket) ReadFrom(buffer []byte) (int, net.Addr, error) {
	s.firstRead()
	n, from, err := s.PacketConn.ReadFrom(buffer)
	if err == nil {
		s.trace.add("received", buffer[:n])
	}
	return n, from, err
}

func (s *socket) WriteTo(message []byte, to net.Addr) (int, error) {
	s.trace.add("sent", message)
	return s.PacketConn.WriteTo(message, to)
}

// trace holds the latest messages.
type trace struct {
	mu       sync.Mutex
	messages []string
}

// traceLength is how many messages a trace holds: several calls' worth.
const traceLength = 100

func (t *trace) add(direction string, message []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.messages = append(t.messages, fmt.Sprintf("%s %s\n%s", time.Now().Format("15:04:05.000"), direction, message))
	if len(t.messages) > traceLength {
		t.messages = append(t.messages[:0:0], t.messages[len(t.messages)-traceLength:]...)
	}
}

func (t *trace) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Join(t.messages, "\n")
}
