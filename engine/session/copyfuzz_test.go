package session

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
)

// FuzzCopyRead feeds COPY's readers any bytes. They must come to an end, with
// errors of COPY only.
func FuzzCopyRead(f *testing.F) {
	for _, s := range []string{
		"1\ta\n2\t\\N\n\\.\n", "1,\"a\"\"b\"\r\n2,\r\n", "1\ta\r2\tb\r", "a\\.\n", "\\", "\"", "\r", "1\tx\\\ny\n", "\\x4\\7\\\\.\n",
		binarySignature + "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x01a\xff\xff\xff\xff\xff\xff",
	} {
		for mode := range byte(4) {
			f.Add(mode, []byte(s))
		}
	}
	rel := &catalog.Relation{Name: "t", Columns: []catalog.Column{{Name: "a", Type: types.Text}, {Name: "b", Type: types.Text}}}
	f.Fuzz(func(t *testing.T, mode byte, data []byte) {
		format := &copyFormat{delimiter: '\t', null: `\N`, quote: '"', escape: '"', header: mode&4 != 0, match: mode&8 != 0}
		if mode&1 != 0 {
			format.csv, format.delimiter, format.null = true, ',', ""
		}
		if mode&2 != 0 {
			format.escape = '\\'
		}
		var r copySource = newCopyReader(bytes.NewReader(data), format, rel, []int{0, 1})
		if mode&16 != 0 {
			r = newBinaryReader(bytes.NewReader(data), rel, []int{0, 1})
		}
		for range len(data) + 2 {
			_, err := r.next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				e := pgerror.From(err)
				if e.Code != pgerror.BadCopyFileFormat || strings.ToValidUTF8(e.Where, "?") != e.Where {
					t.Fatalf("%v, %q", err, e.Where)
				}
				return
			}
		}
		t.Fatal("more lines than there are bytes")
	})
}
