package e2e_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"kontur-ari/crm/crmtest"
)

// This file recognises who is heard in the recordings that the CRM has.

// The tones, in hertz, that distinguish the people in a recording. Each lies between the
// others' harmonics.
const (
	clientsTone = 437
	tone101     = 683
	tone102     = 1069
)

// toneNames are the names that expected recordings give to the tones.
var toneNames = map[int]string{clientsTone: "client", tone101: "101", tone102: "102"}

// recordings returns a line for each recording announced to the CRM, sorted: the leg and
// who is heard, as in "client>101: client 101".
func (d *deployment) recordings() []string {
	files := make(map[string]crmtest.File)
	for _, file := range d.crm.Files() {
		files[file.ID] = file
	}
	var lines []string
	for _, call := range d.crm.Calls() {
		legs := legNames(call)
		for _, request := range call.Requests {
			if request.Kind != crmtest.KindRecording || !request.Effective || request.Repeat {
				continue
			}
			leg := legs[request.Body.ExternalCallItemID]
			if leg == "" {
				leg = "the call"
			}
			who, err := heardIn(files[request.Body.RecordingFileID])
			if err != nil {
				d.Error(err)
			}
			lines = append(lines, leg+": "+who)
		}
	}
	slices.Sort(lines)
	return lines
}

// expectRecordings waits until as many recordings have been announced, and compares them
// with lines of the form "LEG: WHO WHO".
func (d *deployment) expectRecordings(expected ...string) {
	d.Helper()
	d.must(d.crm.WaitFor(d.ctx, func(crm *crmtest.CRM) bool {
		announced := 0
		for _, request := range crm.Requests() {
			if request.Kind == crmtest.KindRecording && request.Effective && !request.Repeat {
				announced++
			}
		}
		return announced >= len(expected)
	}))
	slices.Sort(expected)
	if announced := d.recordings(); !slices.Equal(announced, expected) {
		d.Errorf("recordings that were announced:\n  %s\nwanted:\n  %s", strings.Join(announced, "\n  "), strings.Join(expected, "\n  "))
	}
}

// heardIn returns the names of those whose tones are in a file.
func heardIn(file crmtest.File) (string, error) {
	samples, err := samplesOf(file)
	if err != nil {
		return "", fmt.Errorf("file %s, %s, %d bytes: %w", file.Name, file.ContentType, file.Size, err)
	}
	var who []string
	for _, hertz := range []int{clientsTone, tone101, tone102} {
		if hears(samples, hertz) {
			who = append(who, toneNames[hertz])
		}
	}
	return strings.Join(who, " "), nil
}

const (
	sampleRate = 8000
	// window is how many samples are searched at a time. loudEnough is the amplitude that a
	// tone must reach in one of the windows.
	window     = sampleRate / 10
	loudEnough = 1500
)

// hears reports whether a tone is anywhere in a sound (Goertzel's algorithm).
func hears(samples []int16, hertz int) bool {
	for part := range slices.Chunk(samples, window) {
		if len(part) < window {
			continue
		}
		turn := 2 * math.Cos(2*math.Pi*float64(hertz)/sampleRate)
		var last, before float64
		for _, sample := range part {
			last, before = float64(sample)+turn*last-before, last
		}
		power := last*last + before*before - turn*last*before
		if 2*math.Sqrt(max(power, 0))/window >= loudEnough {
			return true
		}
	}
	return false
}

// samplesOf decodes a WAV or MP3 file.
func samplesOf(file crmtest.File) ([]int16, error) {
	content := file.Content
	if file.ContentType == "audio/mpeg" {
		decode := exec.Command("ffmpeg", "-loglevel", "error", "-f", "mp3", "-i", "pipe:0", "-ar", strconv.Itoa(sampleRate), "-ac", "1", "-f", "s16le", "pipe:1")
		decode.Stdin = bytes.NewReader(content)
		sound, err := decode.Output()
		if err != nil {
			return nil, fmt.Errorf("decode it by ffmpeg: %w", err)
		}
		return samplesIn(sound), nil
	}
	if len(content) < 44 || string(content[:4]) != "RIFF" || file.ContentType != "audio/wav" {
		return nil, errors.New("it is no sound")
	}
	if int64(binary.LittleEndian.Uint32(content[4:]))+8 != file.Size {
		return nil, errors.New("its header does not fit its length")
	}
	return samplesIn(content[44:]), nil
}

// samplesIn decodes signed samples of 16 bits, little-endian.
func samplesIn(sound []byte) []int16 {
	samples := make([]int16, len(sound)/2)
	for i := range samples {
		samples[i] = int16(binary.LittleEndian.Uint16(sound[2*i:]))
	}
	return samples
}
