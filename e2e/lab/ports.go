package lab

import (
	"errors"
	"fmt"
	"net"
)

// ports are those that one Asterisk listens on.
type ports struct{ sip, http int }

// freePorts asks the kernel for two ports that nobody uses. Somebody may take
// one before Asterisk does; whoever starts it must see and try again.
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

// daemonsHost is the loopback address that daemons listen on: one of their own,
// since any port of 127.0.0.1 may be taken by a connection of the tests' own
// before a daemon starts, or while it is dead.
const daemonsHost = "127.0.0.4"

// freeAddress asks for a TCP port of daemonsHost.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp4", daemonsHost+":0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return listener.Addr().String(), listener.Close()
}
