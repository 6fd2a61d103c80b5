package recordings

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
)

// wave returns a WAVE file with so many bytes of sound. Its header may declare another number.
func wave(sound, declared int, extra ...byte) []byte {
	chunk := func(name string, length int, content []byte) []byte {
		return append(binary.LittleEndian.AppendUint32([]byte(name), uint32(length)), content...)
	}
	body := append([]byte("WAVE"), chunk("fmt ", 16, make([]byte, 16))...)
	body = append(body, extra...)
	headed := len(body) + chunkLength + declared
	body = append(body, chunk("data", declared, make([]byte, sound))...)
	return append(chunk("RIFF", headed, nil), body...)
}

func TestTheHeaderSaysWhetherARecordingIsWhole(t *testing.T) {
	fact := append([]byte("fact\x04\x00\x00\x00"), 0, 0, 0, 0)
	odd := append([]byte("LIST\x03\x00\x00\x00"), 1, 2, 3, 0)
	whole, running, silent := soundHeader{Wave: true, Whole: true}, soundHeader{Wave: true}, soundHeader{Wave: true, Whole: true, Silent: true}
	for _, test := range []struct {
		name    string
		content []byte
		want    soundHeader
	}{
		{"whole", wave(3200, 3200), whole},
		{"with another chunk", wave(3200, 3200, fact...), whole},
		{"with a chunk of odd length", wave(3200, 3200, odd...), whole},
		{"filled up by a byte", append(wave(3201, 3201), 0), whole},
		{"being written, nothing declared yet", wave(3200, 0), running},
		{"being written, less declared", wave(3200, 1600), running},
		{"cut off", wave(3200, 3200)[:2000], running},
		{"header only", wave(0, 0), silent},
		{"header only, declared long", wave(0, 3200), soundHeader{Wave: true, Silent: true}},
		{"half a header", wave(0, 0)[:30], soundHeader{Wave: true, Silent: true}},
		{"empty", nil, soundHeader{Silent: true}},
		{"shorter than any header", []byte("RIFF"), soundHeader{Silent: true}},
		{"no WAVE", append([]byte("ID3\x03"), make([]byte, 400)...), soundHeader{}},
		{"no data within reason", append([]byte("RIFF\x00\x00\x00\x00WAVE"), bytes.Repeat([]byte("junk\x00\x00\x00\x00"), 1000)...), soundHeader{Wave: true}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got, err := readSound(bytes.NewReader(test.content), int64(len(test.content))); err != nil || got != test.want {
				t.Errorf("%+v, want %+v, error %v", got, test.want, err)
			}
		})
	}
}

// A file that grows between two reads of its size and its header is not whole.
func TestAFileThatGrowsWhileItIsLookedAtIsNotWhole(t *testing.T) {
	content := wave(3200, 3200)
	if got, err := readSound(bytes.NewReader(content), int64(len(content)-100)); err != nil || got.Whole {
		t.Errorf("%+v, error %v", got, err)
	}
}

type brokenDisk struct{}

func (brokenDisk) ReadAt([]byte, int64) (int, error) { return 0, errDisk }

var errDisk = errors.New("input/output error")

func TestADiskThatFailsIsNotSilence(t *testing.T) {
	if got, err := readSound(brokenDisk{}, 5000); !errors.Is(err, errDisk) || got.Silent {
		t.Errorf("%+v, error %v", got, err)
	}
}

// FuzzSound looks for a header that makes reading it fail, or take a file for whole that
// holds less than it says.
func FuzzSound(f *testing.F) {
	f.Add(wave(100, 100))
	f.Add(wave(100, 0))
	f.Add(wave(0, 0)[:20])
	f.Add([]byte("RIFF\xff\xff\xff\xffWAVEdata\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, content []byte) {
		sound, err := readSound(bytes.NewReader(content), int64(len(content)))
		if err != nil {
			t.Fatal(err)
		}
		if sound.Whole && !sound.Wave {
			t.Error("whole, and no WAVE")
		}
		if sound.Whole {
			declared := int64(binary.LittleEndian.Uint32(content[4:])) + chunkLength
			if size := int64(len(content)); declared > size+1 || declared < size-1 {
				t.Errorf("whole with %d bytes, and %d declared", size, declared)
			}
		}
	})
}
