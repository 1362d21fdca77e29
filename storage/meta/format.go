package meta

import (
	"encoding/binary"
	"hash/crc32"

	"velostream/pgwire/pgerror"
)

const (
	magic         = "VELOMETA"
	formatVersion = 1
	headerBytes   = 16
	frameBytes    = 8  // length and checksum
	payloadMin    = 12 // version and count
)

var (
	le         = binary.LittleEndian
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
)

// header begins each file.
func header() []byte {
	b := le.AppendUint32([]byte(magic), formatVersion)
	return le.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// encode is the frame of a change that leads to version.
func encode(version uint64, records [][]byte) ([]byte, error) {
	n := frameBytes + payloadMin
	for _, r := range records {
		if len(r) > RecordBytesMax {
			return nil, pgerror.New(pgerror.ProgramLimitExceeded, "metadata record of %d bytes exceeds the maximum of %d", len(r), RecordBytesMax)
		}
		n += 4 + len(r)
		if n > ChangeBytesMax {
			return nil, pgerror.New(pgerror.ProgramLimitExceeded, "metadata change exceeds the maximum of %d bytes", ChangeBytesMax)
		}
	}
	b := make([]byte, frameBytes, n)
	b = le.AppendUint64(b, version)
	b = le.AppendUint32(b, uint32(len(records)))
	for _, r := range records {
		b = le.AppendUint32(b, uint32(len(r)))
		b = append(b, r...)
	}
	le.PutUint32(b, uint32(len(b)-frameBytes))
	le.PutUint32(b[4:], checksum(b))
	return b, nil
}

// checksum is that of a frame: of its length and payload.
func checksum(frame []byte) uint32 {
	return crc32.Update(crc32.Checksum(frame[:4], castagnoli), castagnoli, frame[frameBytes:])
}

// content is what a file says.
type content struct {
	version uint64
	records [][]byte
	good    int64 // where the last whole frame ends
}

// decode reads a file's data, which the records share. What follows good is a
// torn tail. A frame that is bad although whole ones follow it is damage: XX001
// with its offset.
func decode(file string, data []byte) (content, error) {
	if len(data) < headerBytes || string(data[:8]) != magic {
		return content{}, damaged(file, 0, "it does not begin as a metadata log")
	}
	if le.Uint32(data[12:]) != crc32.Checksum(data[:12], castagnoli) {
		return content{}, damaged(file, 0, "the header's checksum is wrong")
	}
	if v := le.Uint32(data[8:]); v != formatVersion {
		return content{}, pgerror.New(pgerror.ObjectNotInPrerequisiteState, "metadata log %q has format %d, this server reads %d", file, v, formatVersion).
			WithHint("Run the version of the server that wrote it.")
	}
	c := content{good: headerBytes}
	for c.good < int64(len(data)) {
		payload := frameAt(data[c.good:])
		if payload == nil {
			if at := nextFrame(data, c.good+1, c.version); at > 0 {
				return content{}, damaged(file, c.good, "a change's checksum is wrong").
					WithDetail("Changes made later are intact from offset %d on.", at)
			}
			return c, nil
		}
		version := le.Uint64(payload)
		// The first frame may be a rewritten log's, of any version.
		if c.good > headerBytes && version != c.version+1 {
			return content{}, damaged(file, c.good, "version %d follows version %d", version, c.version)
		}
		records, ok := decodeRecords(payload)
		if !ok {
			return content{}, damaged(file, c.good, "the records do not fill their change")
		}
		c.version = version
		c.records = append(c.records, records...)
		c.good += int64(frameBytes + len(payload))
	}
	return c, nil
}

// frameAt is the payload of the frame data begins with, nil when there is no
// whole one.
func frameAt(data []byte) []byte {
	if len(data) < frameBytes+payloadMin {
		return nil
	}
	n := int(le.Uint32(data))
	if n < payloadMin || n > ChangeBytesMax || n > len(data)-frameBytes {
		return nil
	}
	if le.Uint32(data[4:]) != checksum(data[:frameBytes+n]) {
		return nil
	}
	return data[frameBytes : frameBytes+n]
}

// nextFrame looks for a whole frame at or after offset from that continues
// after version last, and returns its offset, 0 for none. Most offsets are
// ruled out by the version alone.
func nextFrame(data []byte, from int64, last uint64) int64 {
	for at := from; at+frameBytes+payloadMin <= int64(len(data)); at++ {
		if v := le.Uint64(data[at+frameBytes:]); v <= last || v-last > uint64(len(data)) {
			continue
		}
		if frameAt(data[at:]) != nil {
			return at
		}
	}
	return 0
}

// decodeRecords takes a payload apart.
func decodeRecords(payload []byte) ([][]byte, bool) {
	n, rest := int(le.Uint32(payload[8:])), payload[payloadMin:]
	if n > len(rest)/4 {
		return nil, false
	}
	out := make([][]byte, 0, n)
	for range n {
		if len(rest) < 4 {
			return nil, false
		}
		size := int(le.Uint32(rest))
		if size > len(rest)-4 {
			return nil, false
		}
		out = append(out, rest[4:4+size:4+size])
		rest = rest[4+size:]
	}
	return out, len(rest) == 0
}

// damaged is the error of a file that is not as it was written.
func damaged(file string, offset int64, format string, args ...any) *pgerror.Error {
	e := pgerror.New(pgerror.DataCorrupted, format, args...)
	e.Message = pgerror.New("", "metadata log %q is damaged at offset %d: ", file, offset).Message + e.Message
	return e.WithHint("Restore the file from a backup. The state of the jobs is kept apart from it.")
}
