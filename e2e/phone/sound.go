package phone

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

// Speak sends sound (of silence) to the other side until the call is over. Some
// things a switch does only when it hears something: Local channels stay in a
// conversation until then.
func (c *Call) Speak() error {
	if c.Over() {
		return c.wrap("speak", &EndedError{c.how()})
	}
	c.mu.Lock()
	description := c.described
	c.mu.Unlock()
	address, err := soundAddress(string(description))
	if err != nil {
		return c.wrap("speak", err)
	}
	c.phone.done.Go(func() { c.speak(address) })
	return nil
}

// packetLength is how much sound goes into one packet: 20 ms.
const packetLength = 20 * time.Millisecond

func (c *Call) speak(address net.Addr) {
	tick := time.NewTicker(packetLength)
	defer tick.Stop()
	for number := uint16(1); ; number++ {
		// The socket is closed when the call ends, and then there is nobody to hear.
		_, _ = c.media.socket.WriteTo(silence(number), address)
		select {
		case <-tick.C:
		case <-c.ended:
			return
		case <-c.phone.life.Done():
			return
		}
	}
}

// silence is an RTP packet (RFC 3550) of G.711 A-law without sound.
func silence(number uint16) []byte {
	const version, alaw, quiet, samples = 2 << 6, 8, 0xD5, 160
	packet := []byte{version, alaw}
	packet = binary.BigEndian.AppendUint16(packet, number)
	packet = binary.BigEndian.AppendUint32(packet, uint32(number)*samples)
	packet = binary.BigEndian.AppendUint32(packet, 1) // the source, the only one
	for range samples {
		packet = append(packet, quiet)
	}
	return packet
}

// soundAddress reads from a session description where sound is to be sent.
func soundAddress(description string) (net.Addr, error) {
	var host string
	port := 0
	for line := range strings.Lines(description) {
		line = strings.TrimSpace(line)
		if address, ok := strings.CutPrefix(line, "c=IN IP4 "); ok {
			host = address
		}
		if audio, ok := strings.CutPrefix(line, "m=audio "); ok {
			port, _ = strconv.Atoi(strings.Fields(audio)[0])
		}
	}
	if host == "" || port == 0 {
		return nil, errors.New("the other side has not said where it takes sound")
	}
	address, err := net.ResolveUDPAddr("udp4", net.JoinHostPort(host, strconv.Itoa(port)))
	if err != nil {
		return nil, fmt.Errorf("the address for sound: %w", err)
	}
	return address, nil
}
