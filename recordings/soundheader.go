package recordings

import (
	"encoding/binary"
	"errors"
	"io"
)

// soundHeader is what the beginning of a recording says about its length.
type soundHeader struct {
	// Wave: it is a WAVE file (RIFF), which Asterisk writes as .wav, .wav16 and .WAV. The
	// fields below are false for any other format, but for an empty file.
	Wave bool
	// Whole: the lengths in its header are those of the file. Asterisk writes wrong ones
	// first and corrects them when it closes the file.
	Whole bool
	// Silent: nothing follows the header.
	Silent bool
}

// The parts of a WAVE file ("Multimedia Programming Interface and Data Specifications
// 1.0", IBM and Microsoft, 1991).
const (
	riffLength  = 12
	chunkLength = 8
	// mostChunks bounds how many chunks are read; a real file has four or five.
	mostChunks = 64
)

// readSound reads the header of a file of that size. It returns only errors of reading.
func readSound(file io.ReaderAt, size int64) (soundHeader, error) {
	var riff [riffLength]byte
	if err := readAt(file, riff[:], 0); err != nil {
		// A file that short holds no sound.
		return soundHeader{Silent: errors.Is(err, io.EOF)}, notEnd(err)
	}
	if string(riff[:4]) != "RIFF" || string(riff[8:]) != "WAVE" {
		return soundHeader{}, nil
	}
	declared := int64(binary.LittleEndian.Uint32(riff[4:])) + chunkLength
	at := int64(riffLength)
	for range mostChunks {
		var chunk [chunkLength]byte
		if err := readAt(file, chunk[:], at); err != nil {
			return soundHeader{Wave: true, Silent: true}, notEnd(err)
		}
		length := int64(binary.LittleEndian.Uint32(chunk[4:]))
		at += chunkLength
		if string(chunk[:4]) == "data" {
			return soundHeader{Wave: true, Whole: length <= size-at && ends(declared, size), Silent: size <= at}, nil
		}
		// Chunks begin at even offsets.
		at += length + length&1
	}
	return soundHeader{Wave: true}, nil
}

// ends reports whether the length in a header is that of the file. Some writers count the
// padding byte of the last chunk and others don't.
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
