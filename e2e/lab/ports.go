package lab

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync/atomic"
)

// ports are those that one Asterisk listens on.
type ports struct{ sip, http int }

// freePorts asks the kernel for two free ports. Another program may take one before
// Asterisk does; the caller must notice that and try again.
func freePorts() (ports, error) {
	packets, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		return ports{}, fmt.Errorf("find a free port for SIP: %w", err)
	}
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return ports{}, errors.Join(fmt.Errorf("find a free port for HTTP: %w", err), packets.Close())
	}
	free := ports{sip: packets.LocalAddr().(*net.UDPAddr).Port, http: listener.Addr().(*net.TCPAddr).Port}
	return free, errors.Join(packets.Close(), listener.Close())
}

// Daemons listen on a loopback address and on ports of their own: below those that
// the kernel hands out, since any of them may be taken by a connection of the tests
// before a daemon starts, or while it is dead.
const (
	daemonsHost = "127.0.0.4"
	firstPort   = 20000
	portCount   = 12000
)

// portsGiven begins anywhere, since another process may be at it too, and counts up:
// what was given to one daemon is not given to the next before its start.
var portsGiven = func() *atomic.Int64 {
	var given atomic.Int64
	given.Store(rand.Int64N(portCount))
	return &given
}()

// freeAddress finds a TCP address that a daemon may listen on.
func freeAddress() (string, error) {
	var err error
	for range 100 {
		var listener net.Listener
		port := firstPort + portsGiven.Add(1)%portCount
		if listener, err = net.Listen("tcp4", fmt.Sprintf("%s:%d", daemonsHost, port)); err == nil {
			return listener.Addr().String(), listener.Close()
		}
	}
	return "", fmt.Errorf("find a free port: %w", err)
}
