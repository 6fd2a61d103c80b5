package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"kontur-ari/ari"
)

// The requests that an answered inbound call makes, in their order.
const (
	started = iota
	appeared
	connected
	disconnected
	finished
	callFinished
	registered
	requestsPerCall
)

// cause is which of a call's events each request comes of.
var cause = [requestsPerCall]int{started: 0, appeared: 2, connected: 9, disconnected: 13, finished: 14, callFinished: 14, registered: 14}

// eventsPerCall is how many events of such a call pass the event filter.
const eventsPerCall = 15

// capture is a call as a real Asterisk sent it, and what is replaced in it to make
// others of it.
const (
	capture        = "e2e/testdata/captures/inbound_caller_hangs_up.jsonl"
	capturedTrunk  = "1795436993.0"
	capturedPhone  = "1795436993.1"
	capturedBridge = "2bc1cef1-8330-4fe3-bd26-9a43a8d73221"
	// epoch is what the ids of channels begin with; the caller's of the n-th call ends
	// in 2n, the employee's in 2n+1.
	epoch = "1795436993."
)

// asteriskTime is how Asterisk writes moments.
const asteriskTime = "2006-01-02T15:04:05.000-0700"

// slot is a place in an event that differs from call to call.
type slot int

const (
	nothing slot = iota
	trunkID
	phoneID
	bridgeID
	timestamp
)

// part is text, and what follows it.
type part struct {
	text []byte
	slot slot
}

// script is what Asterisk says about an answered call.
type script [][]part

// The end of a channel as it was captured, and with the variables that the documentation
// asks Asterisk to show: nothing is recorded.
const (
	channelEnds  = `"language":"en"}`
	channelShows = `"language":"en","channelvars":{"CHANNEL(linkedid)":"` + capturedTrunk +
		`","MIXMONITOR_FILENAME":"","CDR(recordingfile)":"","RECORDED_FILE":"","VM_MESSAGEFILE":""}}`
)

// readScript reads it from the checkout in directory. With shown, channels show the
// variables that are recommended.
func readScript(directory string, shown bool) (_ script, err error) {
	file, err := os.Open(filepath.Join(directory, capture))
	if err != nil {
		return nil, fmt.Errorf("reading the captured call: %w", err)
	}
	defer func() { _ = file.Close() }()
	var events script
	for lines := bufio.NewScanner(file); lines.Scan(); {
		line := bytes.TrimSpace(lines.Bytes())
		if _, err := ari.Decode(line); err != nil {
			continue // a comment, or what the event filter keeps back
		}
		text := string(line)
		if shown {
			text = strings.ReplaceAll(text, channelEnds, channelShows)
		}
		events = append(events, cut(text))
	}
	if len(events) != eventsPerCall {
		return nil, fmt.Errorf("the captured call %s has %d events, not %d: the causes of its requests must be counted anew", capture, len(events), eventsPerCall)
	}
	return events, nil
}

// cut finds the places in an event.
func cut(line string) []part {
	const moment = `"timestamp":"`
	var parts []part
	for {
		first, kind, length := len(line), nothing, 0
		for text, found := range map[string]slot{`"` + capturedTrunk + `"`: trunkID, `"` + capturedPhone + `"`: phoneID, `"` + capturedBridge + `"`: bridgeID, moment: timestamp} {
			if at := strings.Index(line, text); at >= 0 && at < first {
				first, kind, length = at, found, len(text)
			}
		}
		if kind == nothing {
			return append(parts, part{text: []byte(line)})
		}
		if kind == timestamp {
			// Up to the quotation mark that ends it.
			begin := first + length
			parts = append(parts, part{[]byte(line[:begin]), kind})
			line = line[begin+strings.IndexByte(line[begin:], '"'):]
			continue
		}
		parts = append(parts, part{[]byte(line[:first]), kind})
		line = line[first+length:]
	}
}

// appendEvent appends the i-th event of the n-th call.
func (s script) appendEvent(to []byte, n, i int) []byte {
	for _, p := range s[i] {
		to = append(to, p.text...)
		switch p.slot {
		case trunkID:
			to = appendChannel(to, 2*n)
		case phoneID:
			to = appendChannel(to, 2*n+1)
		case bridgeID:
			to = append(strconv.AppendInt(append(to, `"bridge-`...), int64(n), 10), '"')
		case timestamp:
			to = time.Now().UTC().AppendFormat(to, asteriskTime)
		}
	}
	return to
}

func appendChannel(to []byte, id int) []byte {
	to = append(append(to, '"'), epoch...)
	return append(strconv.AppendInt(to, int64(id), 10), '"')
}
