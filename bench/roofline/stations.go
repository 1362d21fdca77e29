package roofline

import (
	"bytes"
	"errors"
	"io"
	"os"
)

// Stations reads lines of "name;12.3" and keeps least, greatest, sum and count
// by name.
func Stations(path string) (*Groups, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	d, g := NewDictionary(), NewGroups(1024)
	buf := make([]byte, 64<<10)
	rest := 0
	var value []int64
	for {
		n, err := f.Read(buf[rest:])
		data := buf[:rest+n]
		for {
			end := bytes.IndexByte(data, '\n')
			if end < 0 {
				break
			}
			line := data[:end]
			data = data[end+1:]
			before, after, ok := bytes.Cut(line, []byte{';'})
			if !ok {
				return nil, errSyntax
			}
			var bad error
			if value, bad = number(value[:0], after, 1); bad != nil {
				return nil, bad
			}
			s := g.At(int64(d.Number(before)))
			v := value[0]
			if s.Count == 0 {
				s.High, s.Low = v, v
			}
			s.High, s.Low = max(s.High, v), min(s.Low, v)
			s.Volume += v
			s.Count++
		}
		rest = copy(buf, data)
		if errors.Is(err, io.EOF) {
			return g, nil
		}
		if err != nil {
			return nil, err
		}
	}
}
