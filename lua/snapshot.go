package lua

import (
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// A snapshot is a whole state as bytes: every reachable value with its
// identity, suspended coroutines and fibers, the source text of the chunks that
// closures come from, and the counters. It holds no code, no addresses, no hash
// seeds and no hints, so equal states give equal bytes in every process.
//
//	"LUASNAP" version(1) length(uvarint) SHA-256(32) deflate(body)
//
// The body has, in this order: chunks, permanents, a directory of objects in
// order of serial, their contents, and what belongs to the state itself.

const (
	snapshotMagic   = "LUASNAP"
	snapshotVersion = 1
)

// SnapshotOptions modify State.Snapshot.
type SnapshotOptions struct {
	// Strict makes anything that cannot be saved an error.
	Strict bool
}

// Unsaved is a value that a snapshot could not save, or a restore not bring
// back. In the restored state using it raises a RefusalRestore.
type Unsaved struct {
	Path   string // where it was found first, such as "_G.cache.conn"
	Type   string // its type name
	Reason string
}

func (u Unsaved) String() string { return u.Path + " (" + u.Type + "): " + u.Reason }

// Snapshot saves the state between runs, or while all fibers of its run wait.
// It changes nothing that a script or the host can observe. What cannot be saved
// is replaced in the snapshot by a tombstone and listed.
func (s *State) Snapshot(o SnapshotOptions) (data []byte, unsaved []Unsaved, err error) {
	switch {
	case s.broken != nil:
		return nil, nil, s.broken
	case s.closed:
		return nil, nil, fmt.Errorf("lua: snapshot of a closed state")
	case s.inRun() && !s.between() || s.nested > 0 || s.call.active:
		return nil, nil, fmt.Errorf("lua: snapshot of a running state")
	}
	e := newEncoder(s)
	e.collect()
	e.sort()
	e.body()
	if e.err != nil {
		return nil, nil, fmt.Errorf("lua: snapshot: %w", e.err)
	}
	unsaved = e.unsavedPaths()
	if o.Strict && len(unsaved) > 0 {
		return nil, unsaved, fmt.Errorf("lua: snapshot: %s", unsaved[0])
	}
	data, err = seal(e.b)
	return data, unsaved, err
}

// seal adds the header to a body and compresses it.
func seal(body []byte) ([]byte, error) {
	var out bytes.Buffer
	out.Grow(len(body)/3 + 64)
	out.WriteString(snapshotMagic)
	out.WriteByte(snapshotVersion)
	out.Write(binary.AppendUvarint(nil, uint64(len(body))))
	sum := sha256.Sum256(body)
	out.Write(sum[:])
	w, err := flate.NewWriter(&out, flate.BestSpeed)
	if err == nil {
		if _, err = w.Write(body); err == nil {
			err = w.Close()
		}
	}
	return out.Bytes(), err
}

// unseal checks a header and returns the body, of at most limit bytes.
func unseal(data []byte, limit int64) ([]byte, error) {
	if len(data) < len(snapshotMagic)+1 || string(data[:len(snapshotMagic)]) != snapshotMagic {
		return nil, fmt.Errorf("not a snapshot")
	}
	if v := data[len(snapshotMagic)]; v != snapshotVersion {
		return nil, fmt.Errorf("snapshot of version %d; this program reads version %d", v, snapshotVersion)
	}
	data = data[len(snapshotMagic)+1:]
	size, n := binary.Uvarint(data)
	if n <= 0 || len(data) < n+sha256.Size || size > math.MaxInt64 {
		return nil, errTruncated
	}
	if int64(size) > limit {
		return nil, fmt.Errorf("snapshot of %d bytes; the limit is %d", size, limit)
	}
	want := data[n : n+sha256.Size]
	r := flate.NewReader(bytes.NewReader(data[n+sha256.Size:]))
	var body bytes.Buffer
	body.Grow(int(min(size, uint64(64*len(data)), 1<<26)) + bytes.MinRead)
	if m, err := io.Copy(&body, io.LimitReader(r, int64(size)+1)); err != nil || uint64(m) != size {
		return nil, errTruncated
	}
	if sum := sha256.Sum256(body.Bytes()); !bytes.Equal(sum[:], want) {
		return nil, fmt.Errorf("checksum does not match")
	}
	return body.Bytes(), nil
}

var errTruncated = fmt.Errorf("truncated or damaged")

// tag says what a value in a snapshot is.
type tag byte

const (
	tagNil       tag = iota
	tagFalse         //
	tagTrue          //
	tagInt           // varint
	tagFloat         // 8 bytes
	tagNewString     // first use of a string: see encoder.string
	tagString        // number of a string
	tagObject        // number of an object
	tagNewFunc       // first use of a permanent function: its name
	tagFunc          // number of a permanent function
	tagPermanent     // number of a permanent value
	tagOriginal      // value of a global that its permanent still holds
	tagCleared       // key of an entry whose weak key was collected
)

// Kinds of strings.
const (
	stringOwn    = iota // belongs to the state
	stringShared        // belongs to the process
	stringConst         // constant of a chunk, whose number follows
)
