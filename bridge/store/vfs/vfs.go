// Package vfs makes SQLite write less often and flush less: the write-ahead log in few
// large writes, and of each file what it holds, not when it was written last.
//
// SQLite by itself makes two writes for each page of the log, and a commit of some pages
// takes a good part of the time of a flush for them. And as its driver builds it, it
// flushes with fsync, which has a file system like ext4 write its journal only because
// the file's time has changed; where there is fdatasync, SQLite is made for that.
//
// What a checkpoint writes to the database is given to the disk by and by, so that a
// commit does not wait for all of it; and what was written to each log is counted.
//
// It is a layer above SQLite's own file system layer (https://sqlite.org/vfs.html). What
// is written to a log, one piece behind the other, is collected and handed on when
// anything else is asked of the file, and so before it is flushed. Until then nobody else
// may look at it. SQLite keeps to that as long as each commit is flushed: it tells others
// of new pages in the log after the flush. So this is for connections with
// synchronous=FULL alone. Nor may pages be written before the end of a transaction that is
// rolled back then (cache_spill=OFF): the rest of them would be handed on with the next
// write, when their place may be another process's. An error of a collected write, such as a full disk, comes from
// what made it necessary, which for a commit is the flush, and rolls the transaction back
// as it would have otherwise.
package vfs

import (
	"errors"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// size is how much is collected at most: thirty pages.
const size = 128 << 10

// unwritten is how much of the database is written before the disk is given it.
const unwritten = 256 << 10

// name is what the layer is called among SQLite's, lower that of the one below.
const name, lower = "kontur-ari", "unix"

// Register makes the layer known to SQLite and returns its name, for the driver's vfs
// parameter. It may be called any number of times.
func Register() (string, error) { return registered() }

var registered = sync.OnceValues(func() (string, error) {
	tls := libc.NewTLS()
	defer tls.Close()
	names, err := libc.CString(name + "\x00" + lower)
	if err != nil {
		return "", err
	}
	base := sqlite3.Xsqlite3_vfs_find(tls, names+uintptr(len(name))+1)
	layer := libc.Xcalloc(tls, 1, libc.Tsize_t(unsafe.Sizeof(sqlite3.Tsqlite3_vfs{})))
	if base == 0 || layer == 0 {
		return "", errors.New("SQLite has no layer above the files of Unix")
	}
	below = *at[sqlite3.Tsqlite3_vfs](base)
	vfs := at[sqlite3.Tsqlite3_vfs](layer)
	*vfs = below
	vfs.FzName, vfs.FpNext = names, 0
	// Behind what the layer below keeps of a file comes what this one keeps.
	stateAt = (uintptr(below.FszOsFile) + 7) &^ 7
	vfs.FszOsFile = int32(stateAt + unsafe.Sizeof(state{}))
	*(*func(*libc.TLS, uintptr, uintptr, uintptr, int32, uintptr) int32)(unsafe.Pointer(&vfs.FxOpen)) = open
	belowVFS = base
	if code := sqlite3.Xsqlite3_vfs_register(tls, layer, 0); code != sqlite3.SQLITE_OK {
		return "", errors.New("SQLite refuses the layer above its files")
	}
	return name, nil
})

// below is the layer below, belowVFS where SQLite has it. They and stateAt are written
// before the layer is registered, and never again.
var (
	below    sqlite3.Tsqlite3_vfs
	belowVFS uintptr
	stateAt  uintptr
)

// state is what is kept of an open file. One connection uses it at a time.
type state struct {
	// methods are those of the layer below.
	methods uintptr
	// own are those that SQLite calls: a table for each file, for it is small, and the
	// layer below has several.
	own sqlite3.Tsqlite3_io_methods
	// collected is the memory for what was not handed on: length bytes that belong at
	// offset. It is taken with the first write.
	collected uintptr
	offset    int64
	length    int32
	// written is the number of a log in logs.
	written int32
	// unwritten is how much of a database the disk was not given yet.
	unwritten int32
}

// at is what SQLite keeps at an address: memory that Go does not move or free.
func at[T any](address uintptr) *T {
	return (*T)(*(*unsafe.Pointer)(unsafe.Pointer(&address)))
}

// function is the function of a table of SQLite's.
func function[T any](address uintptr) T {
	holder := &struct{ address uintptr }{address}
	return *(*T)(unsafe.Pointer(holder))
}

// The types of SQLite's file functions.
type (
	openFunction     = func(tls *libc.TLS, vfs, path, file uintptr, flags int32, granted uintptr) int32
	closeFunction    = func(tls *libc.TLS, file uintptr) int32
	transferFunction = func(tls *libc.TLS, file, data uintptr, length int32, offset int64) int32
	truncateFunction = func(tls *libc.TLS, file uintptr, length int64) int32
	syncFunction     = func(tls *libc.TLS, file uintptr, flags int32) int32
	sizeFunction     = func(tls *libc.TLS, file, length uintptr) int32
	controlFunction  = func(tls *libc.TLS, file uintptr, operation int32, argument uintptr) int32
)

// set has SQLite call a function from a place in a table.
func set[T any](place *uintptr, function T) { *(*T)(unsafe.Pointer(place)) = function }

func open(tls *libc.TLS, _, path, file uintptr, flags int32, granted uintptr) int32 {
	code := function[openFunction](below.FxOpen)(tls, belowVFS, path, file, flags, granted)
	if code != sqlite3.SQLITE_OK || flags&(sqlite3.SQLITE_OPEN_WAL|sqlite3.SQLITE_OPEN_MAIN_DB) == 0 {
		return code
	}
	opened := at[sqlite3.Tsqlite3_file](file)
	s := at[state](file + stateAt)
	*s = state{methods: opened.FpMethods, own: *at[sqlite3.Tsqlite3_io_methods](opened.FpMethods)}
	set[syncFunction](&s.own.FxSync, flush)
	if flags&sqlite3.SQLITE_OPEN_MAIN_DB != 0 {
		set[transferFunction](&s.own.FxWrite, writePage)
	}
	if flags&sqlite3.SQLITE_OPEN_WAL != 0 {
		set[closeFunction](&s.own.FxClose, closeFile)
		set[transferFunction](&s.own.FxRead, read)
		set[transferFunction](&s.own.FxWrite, write)
		set[truncateFunction](&s.own.FxTruncate, truncate)
		set[sizeFunction](&s.own.FxFileSize, fileSize)
		set[controlFunction](&s.own.FxFileControl, control)
		s.written = logs.number(libc.GoString(path))
	}
	opened.FpMethods = file + stateAt + unsafe.Offsetof(s.own)
	return sqlite3.SQLITE_OK
}

// of is the state of an open file, and the functions of the layer below.
func of(file uintptr) (*state, *sqlite3.Tsqlite3_io_methods) {
	s := at[state](file + stateAt)
	return s, at[sqlite3.Tsqlite3_io_methods](s.methods)
}

// write collects what follows what was collected, and hands on what does not fit in.
func write(tls *libc.TLS, file, data uintptr, length int32, offset int64) int32 {
	s, methods := of(file)
	if s.length > 0 && (offset != s.offset+int64(s.length) || s.length+length > size) {
		if code := handOn(tls, file); code != sqlite3.SQLITE_OK {
			return code
		}
	}
	if s.collected == 0 {
		s.collected = libc.Xmalloc(tls, size)
	}
	logs.add(s.written, length)
	if length > size || s.collected == 0 {
		return function[transferFunction](methods.FxWrite)(tls, file, data, length, offset)
	}
	if s.length == 0 {
		s.offset = offset
	}
	libc.Xmemcpy(tls, s.collected+uintptr(s.length), data, libc.Tsize_t(length))
	s.length += length
	return sqlite3.SQLITE_OK
}

// writePage writes to the database, as a checkpoint does with thousands of pages before it
// flushes them. So that a commit which flushes the log at the same time does not wait for
// all of them, the disk is given them by and by.
func writePage(tls *libc.TLS, file, data uintptr, length int32, offset int64) int32 {
	s, methods := of(file)
	code := function[transferFunction](methods.FxWrite)(tls, file, data, length, offset)
	if s.unwritten += length; s.unwritten >= unwritten {
		s.unwritten = 0
		// It begins and waits for nothing. Where it fails, so does the flush.
		_ = unix.SyncFileRange(int(at[sqlite3.TunixFile](file).Fh), 0, 0, unix.SYNC_FILE_RANGE_WRITE)
	}
	return code
}

// handOn writes what was collected. What could not be written is not kept: the
// transaction is rolled back then, and writes it anew.
func handOn(tls *libc.TLS, file uintptr) int32 {
	s, methods := of(file)
	if s.length == 0 {
		return sqlite3.SQLITE_OK
	}
	length := s.length
	s.length = 0
	return function[transferFunction](methods.FxWrite)(tls, file, s.collected, length, s.offset)
}

func closeFile(tls *libc.TLS, file uintptr) int32 {
	// What was not flushed was not committed, and its place may be another's by now.
	s, methods := of(file)
	if s.collected != 0 {
		libc.Xfree(tls, s.collected)
		s.collected, s.length = 0, 0
	}
	return function[closeFunction](methods.FxClose)(tls, file)
}

func read(tls *libc.TLS, file, data uintptr, length int32, offset int64) int32 {
	if code := handOn(tls, file); code != sqlite3.SQLITE_OK {
		return code
	}
	_, methods := of(file)
	return function[transferFunction](methods.FxRead)(tls, file, data, length, offset)
}

func truncate(tls *libc.TLS, file uintptr, length int64) int32 {
	if code := handOn(tls, file); code != sqlite3.SQLITE_OK {
		return code
	}
	_, methods := of(file)
	return function[truncateFunction](methods.FxTruncate)(tls, file, length)
}

// flush makes what the file holds durable, and the first time leaves it to the layer
// below, which makes the file's name durable as well.
func flush(tls *libc.TLS, file uintptr, flags int32) int32 {
	if code := handOn(tls, file); code != sqlite3.SQLITE_OK {
		return code
	}
	opened := at[sqlite3.TunixFile](file)
	// SQLite writes to the log's index next, which is mapped memory: if the file system was
	// frozen meanwhile, that would hold up the whole process, and a system call does not (see
	// the store's guard).
	defer func() { _, _ = syscall.Pwrite(int(opened.Fh), nil, 0) }()
	if opened.FctrlFlags&sqlite3.UNIXFILE_DIRSYNC != 0 {
		_, methods := of(file)
		return function[syncFunction](methods.FxSync)(tls, file, flags)
	}
	for {
		switch err := syscall.Fdatasync(int(opened.Fh)); err {
		case nil:
			return sqlite3.SQLITE_OK
		case syscall.EINTR:
		default:
			return sqlite3.SQLITE_IOERR_FSYNC
		}
	}
}

func fileSize(tls *libc.TLS, file, length uintptr) int32 {
	if code := handOn(tls, file); code != sqlite3.SQLITE_OK {
		return code
	}
	_, methods := of(file)
	return function[sizeFunction](methods.FxFileSize)(tls, file, length)
}

func control(tls *libc.TLS, file uintptr, operation int32, argument uintptr) int32 {
	if code := handOn(tls, file); code != sqlite3.SQLITE_OK {
		return code
	}
	_, methods := of(file)
	return function[controlFunction](methods.FxFileControl)(tls, file, operation, argument)
}
