package e2e_test

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"

	"kontur-ari/e2e/lab"
)

// relay is the line between kontur-ari and ARI. While it is cut, no connection lives: the
// old ones are closed, and each new one is closed at once.
type relay struct {
	listener net.Listener
	target   string
	done     sync.WaitGroup

	mu     sync.Mutex
	isCut  bool
	joined map[net.Conn]net.Conn // kontur-ari's connections to those with ARI
}

// startRelay starts a relay to the lab's ARI, which runs until the test is over.
func startRelay(t *testing.T, l *lab.Lab) *relay {
	t.Helper()
	address, err := url.Parse(l.URL)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{listener: listener, target: address.Host, joined: make(map[net.Conn]net.Conn)}
	r.done.Go(r.serve)
	t.Cleanup(func() {
		_ = listener.Close()
		r.cut()
		r.done.Wait()
	})
	return r
}

// url is the address of ARI over the relay.
func (r *relay) url() string { return "http://" + r.listener.Addr().String() + "/ari" }

// cut ends all connections and lets no other live until mend.
func (r *relay) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.isCut = true
	for near, far := range r.joined {
		_, _ = near.Close(), far.Close()
	}
}

// mend lets connections live again.
func (r *relay) mend() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.isCut = false
}

func (r *relay) serve() {
	for {
		near, err := r.listener.Accept()
		if err != nil {
			return
		}
		r.done.Go(func() { r.carry(near) })
	}
}

// carry copies data both ways until either side closes the connection.
func (r *relay) carry(near net.Conn) {
	defer func() { _ = near.Close() }()
	far, err := net.Dial("tcp4", r.target)
	if err != nil {
		return
	}
	defer func() { _ = far.Close() }()
	if !r.join(near, far) {
		return
	}
	defer r.part(near)
	var ways sync.WaitGroup
	for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
		ways.Go(func() {
			// An error ends the connection like a regular close.
			_, _ = io.Copy(way[0], way[1])
			_, _ = near.Close(), far.Close()
		})
	}
	ways.Wait()
}

// join records a connection, and returns false where the line is cut.
func (r *relay) join(near, far net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.isCut {
		r.joined[near] = far
	}
	return !r.isCut
}

func (r *relay) part(near net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.joined, near)
}
