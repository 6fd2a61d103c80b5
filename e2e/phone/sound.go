package phone

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"net"
	"strconv"
	"strings"
	"time"
)

// Speak sends sound (of silence) to the other side until the call is over. Some
// things a switch does only when it hears something: Local channels stay in a
// conversation until then.
func (c *Call) Speak() error { return c.Whistle(0) }

// Whistle sends a tone of that frequency, in hertz, to the other side until the call is
// over; 0 is silence. The last tone begun is the one that is sent.
func (c *Call) Whistle(hertz int) error {
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
	if c.tone.Swap(&tone{hertz}) == nil {
		c.phone.done.Go(func() { c.speak(address) })
	}
	return nil
}

// tone is what a call sends.
type tone struct{ hertz int }

const (
	// packetLength is how much sound goes into one packet, packetSamples how many
	// samples that are: 8,000 a second.
	packetLength  = 20 * time.Millisecond
	packetSamples = 160
	sampleRate    = 8000
	// loudness is the amplitude of a tone, a quarter of the largest.
	loudness = 8000
)

func (c *Call) speak(address net.Addr) {
	tick := time.NewTicker(packetLength)
	defer tick.Stop()
	for number := uint32(1); ; number++ {
		// The socket is closed when the call ends, and then no one hears it.
		_, _ = c.media.socket.WriteTo(packet(number, c.tone.Load().hertz), address)
		select {
		case <-tick.C:
		case <-c.ended:
			return
		case <-c.phone.life.Done():
			return
		}
	}
}

// packet is an RTP packet (RFC 3550) of G.711 A-law with a part of a tone.
func packet(number uint32, hertz int) []byte {
	const version, alaw = 2 << 6, 8
	packet := []byte{version, alaw}
	packet = binary.BigEndian.AppendUint16(packet, uint16(number))
	packet = binary.BigEndian.AppendUint32(packet, number*packetSamples)
	packet = binary.BigEndian.AppendUint32(packet, 1) // the source, the only one
	for i := range packetSamples {
		// The phase restarts every second, so that it stays exact.
		at := (int(number)*packetSamples + i) % sampleRate
		packet = append(packet, aLaw(int(loudness*math.Sin(2*math.Pi*float64(hertz*at)/sampleRate))))
	}
	return packet
}

// aLaw is a sample of 16 bits in the companding of ITU-T G.711, A-law.
func aLaw(sample int) byte {
	sign := byte(0x80)
	if sample < 0 {
		sign, sample = 0, -sample-1
	}
	sample >>= 3 // it has 12 bits of magnitude
	segment := max(bits.Len(uint(sample))-5, 0)
	mantissa := sample >> max(segment, 1) & 0xF
	return (sign | byte(segment<<4|mantissa)) ^ 0x55
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
