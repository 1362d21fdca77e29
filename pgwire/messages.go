package pgwire

import (
	"encoding/binary"
	"strconv"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
)

// The messages of the server, appended to a buffer by hand: there are few,
// and none of them may allocate
// (https://www.postgresql.org/docs/15/protocol-message-formats.html).

// begin starts a message of type typ and returns where its length goes.
func begin(dst []byte, typ byte) ([]byte, int) {
	dst = append(dst, typ, 0, 0, 0, 0)
	return dst, len(dst) - 4
}

// finish writes the length of the message begun at mark.
func finish(dst []byte, mark int) []byte {
	binary.BigEndian.PutUint32(dst[mark:], uint32(len(dst)-mark))
	return dst
}

func appendCString(dst []byte, s string) []byte {
	for i := range len(s) {
		if s[i] == 0 { // a zero byte would end the string early and shift all that follows
			s = s[:i]
			break
		}
	}
	dst = append(dst, s...)
	return append(dst, 0)
}

func appendInt16(dst []byte, v int16) []byte {
	return binary.BigEndian.AppendUint16(dst, uint16(v))
}

func appendInt32(dst []byte, v int32) []byte {
	return binary.BigEndian.AppendUint32(dst, uint32(v))
}

// appendEmpty appends a message without body, such as ParseComplete.
func appendEmpty(dst []byte, typ byte) []byte {
	return append(dst, typ, 0, 0, 0, 4)
}

func appendReady(dst []byte, status byte) []byte {
	return append(dst, 'Z', 0, 0, 0, 5, status)
}

func appendCommandComplete(dst []byte, tag string, rows int64) []byte {
	dst, mark := begin(dst, 'C')
	dst = append(dst, tag...)
	if tag != "" && tag[len(tag)-1] == ' ' {
		dst = strconv.AppendInt(dst, rows, 10)
	}
	return finish(append(dst, 0), mark)
}

func appendParameterStatus(dst []byte, name, value string) []byte {
	dst, mark := begin(dst, 'S')
	dst = appendCString(dst, name)
	return finish(appendCString(dst, value), mark)
}

func appendNotification(dst []byte, pid uint32, channel, payload string) []byte {
	dst, mark := begin(dst, 'A')
	dst = binary.BigEndian.AppendUint32(dst, pid)
	dst = appendCString(dst, channel)
	return finish(appendCString(dst, payload), mark)
}

func appendBackendKey(dst []byte, pid uint32, secret []byte) []byte {
	dst, mark := begin(dst, 'K')
	dst = binary.BigEndian.AppendUint32(dst, pid)
	return finish(append(dst, secret...), mark)
}

// appendError appends an ErrorResponse ('E') or a NoticeResponse ('N').
func appendError(dst []byte, typ byte, e *pgerror.Error) []byte {
	severity := e.Severity
	if severity == "" {
		severity = "ERROR"
		if typ == 'N' {
			severity = "NOTICE"
		}
	}
	dst, mark := begin(dst, typ)
	field := func(code byte, value string) {
		if value != "" {
			dst = appendCString(append(dst, code), value)
		}
	}
	field('S', severity)
	field('V', severity)
	field('C', e.Code)
	dst = appendCString(append(dst, 'M'), e.Message) // always there, also when empty
	field('D', e.Detail)
	field('H', e.Hint)
	if e.Position > 0 {
		field('P', strconv.Itoa(e.Position))
	}
	field('W', e.Where)
	field('s', e.Schema)
	field('t', e.Table)
	field('c', e.Column)
	field('n', e.Constraint)
	return finish(append(dst, 0), mark)
}

func appendParameterDescription(dst []byte, params []types.OID) []byte {
	dst, mark := begin(dst, 't')
	dst = appendInt16(dst, int16(len(params)))
	for _, p := range params {
		dst = binary.BigEndian.AppendUint32(dst, uint32(types.Type{OID: p}.Wire().OID))
	}
	return finish(dst, mark)
}

// appendRowDescription describes cols; formats is empty (text), one for all,
// or one for each.
func appendRowDescription(dst []byte, cols []ResultColumn, formats []int16) []byte {
	dst, mark := begin(dst, 'T')
	dst = appendInt16(dst, int16(len(cols)))
	for i, c := range cols {
		wire := c.Type.Wire()
		oid := wire.OID
		if oid == types.OIDUnknown { // clients do not know the unknown type; it reads as text
			oid = types.OIDText
		}
		dst = appendCString(dst, c.Name)
		dst = binary.BigEndian.AppendUint32(dst, c.Table)
		dst = appendInt16(dst, c.Attr)
		dst = binary.BigEndian.AppendUint32(dst, uint32(oid))
		dst = appendInt16(dst, typeLen(oid))
		dst = appendInt32(dst, wire.Mod)
		dst = appendInt16(dst, formatOf(formats, i))
	}
	return finish(dst, mark)
}

// formatOf is the format code of column or parameter i (0 text, 1 binary).
func formatOf(formats []int16, i int) int16 {
	switch len(formats) {
	case 0:
		return 0
	case 1:
		return formats[0]
	}
	return formats[i]
}

// typeLen is pg_type.typlen: the size of a type's values, -1 where it varies.
func typeLen(oid types.OID) int16 {
	switch oid {
	case types.OIDBool, types.OIDChar1:
		return 1
	case types.OIDInt2:
		return 2
	case types.OIDInt4, types.OIDFloat4, types.OIDDate, types.OIDOid, types.OIDRegproc,
		types.OIDRegclass, types.OIDRegtype, types.OIDRegnamespace, types.OIDRegrole, types.OIDRegprocedure, types.OIDRegoper, types.OIDRegoperator, types.OIDRegcollation, types.OIDVoid:
		return 4
	case types.OIDInt8, types.OIDFloat8, types.OIDTime, types.OIDTimestamp, types.OIDTimestamptz:
		return 8
	case types.OIDMacaddr:
		return 6
	case types.OIDInterval, types.OIDUUID:
		return 16
	case types.OIDName:
		return 64
	default:
		return -1
	}
}

// appendCopyResponse appends CopyInResponse ('G') or CopyOutResponse ('H').
func appendCopyResponse(dst []byte, typ, format byte, columns int) []byte {
	dst, mark := begin(dst, typ)
	dst = append(dst, format)
	dst = appendInt16(dst, int16(columns))
	for range columns {
		dst = appendInt16(dst, int16(format))
	}
	return finish(dst, mark)
}
