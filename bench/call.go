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

// The requests of an answered inbound call, in their order.
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

// cause is, for each request, the index of the event that causes it.
var cause = [requestsPerCall]int{started: 0, appeared: 2, connected: 9, disconnected: 13, finished: 14, callFinished: 14, registered: 14}

// eventsPerCall is how many events of such a call pass the event filter.
const eventsPerCall = 15

// capture is the path of a call that a real Asterisk sent. The captured ids are replaced
// in every copy.
const (
	capture        = "e2e/testdata/captures/inbound_caller_hangs_up.jsonl"
	capturedTrunk  = "1795436993.0"
	capturedPhone  = "1795436993.1"
	capturedBridge = "2bc1cef1-8330-4fe3-bd26-9a43a8d73221"
	// epoch is the beginning of every channel id. In the n-th call the caller's id ends
	// in 2n, the employee's in 2n+1.
	epoch = "1795436993."
)

// asteriskTime is the layout of Asterisk's timestamps.
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

// part is constant text and the slot that follows it.
type part struct {
	text []byte
	slot slot
}

// script holds the events that Asterisk sends about an answered call.
type script [][]part

// channelEnds is the end of a channel in the capture. channelShows adds the variables that
// the documentation recommends, for a call without a recording.
const (
	channelEnds  = `"language":"en"}`
	channelShows = `"language":"en","channelvars":{"CHANNEL(linkedid)":"` + capturedTrunk +
		`","MIXMONITOR_FILENAME":"","CDR(recordingfile)":"","RECORDED_FILE":"","VM_MESSAGEFILE":""}}`
)

// readScript reads the captured call from the checkout in directory. With shown, channels
// show the recommended variables.
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
			continue // a comment, or an event that the event filter drops
		}
		text := string(line)
		if shown {
			text = strings.ReplaceAll(text, channelEnds, channelShows)
		}
		events = append(events, cut(text))
	}
	if len(events) != eventsPerCall {
		return nil, fmt.Errorf("the captured call %s has %d events, not %d: update the causes of its requests", capture, len(events), eventsPerCall)
	}
	return events, nil
}

// cut splits an event at its slots.
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
