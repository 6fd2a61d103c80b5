package recordings

import (
	"encoding/binary"
	"errors"
	"io"
)

// Sound is what the beginning of a recording says about its length.
type Sound struct {
	// Wave: it is a WAVE file (RIFF), as Asterisk writes .wav, .wav16 and .WAV. Of any
	// other the fields below say nothing.
	Wave bool
	// Whole: the lengths in its header are those of the file. Asterisk writes them when it
	// closes the file, and before that wrong ones.
	Whole bool
	// Silent: there is nothing behind the header.
	Silent bool
}

// The parts of a WAVE file ("Multimedia Programming Interface and Data Specifications
// 1.0", IBM and Microsoft, 1991).
const (
	riffLength  = 12
	chunkLength = 8
	// mostChunks are looked at: a real file has four or five.
	mostChunks = 64
)

// readSound looks at the header of a file that is so long. The error is one of reading.
func readSound(file io.ReaderAt, size int64) (Sound, error) {
	var riff [riffLength]byte
	if err := readAt(file, riff[:], 0); err != nil {
		// Whatever is that short holds no sound.
		return Sound{Silent: errors.Is(err, io.EOF)}, notEnd(err)
	}
	if string(riff[:4]) != "RIFF" || string(riff[8:]) != "WAVE" {
		return Sound{}, nil
	}
	declared := int64(binary.LittleEndian.Uint32(riff[4:])) + chunkLength
	at := int64(riffLength)
	for range mostChunks {
		var chunk [chunkLength]byte
		if err := readAt(file, chunk[:], at); err != nil {
			return Sound{Wave: true, Silent: true}, notEnd(err)
		}
		length := int64(binary.LittleEndian.Uint32(chunk[4:]))
		at += chunkLength
		if string(chunk[:4]) == "data" {
			return Sound{Wave: true, Whole: length <= size-at && ends(declared, size), Silent: size <= at}, nil
		}
		// Chunks begin at even places.
		at += length + length&1
	}
	return Sound{Wave: true}, nil
}

// ends tells whether a length in a header is that of the file, but for a byte that fills
// up the last chunk, which some count and others don't.
func ends(declared, size int64) bool { return declared-size <= 1 && size-declared <= 1 }

func readAt(file io.ReaderAt, into []byte, at int64) error {
	n, err := file.ReadAt(into, at)
	if n == len(into) {
		return nil
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return io.EOF
	}
	return err
}

func notEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
