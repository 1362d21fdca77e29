package pgwire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"velostream/catalog/types"
	"velostream/storage/column"
)

// The fake engine's statements about names; see testdata/protocol/names.
//
//	prepare NAME QUERY…   execute NAME   deallocate NAME|all
//	declare [hold] NAME QUERY…   fetch N NAME   move N NAME   close NAME|all   list
func (st *fakeStatement) queryNames(ctx context.Context, r *fakeRows) (Rows, error) {
	names, w := st.s.n.(Names), st.words
	inner := func(words []string) (Statement, error) {
		return st.s.Prepare(ctx, fakeParsed{text: strings.Join(words, " ")}, nil)
	}
	switch w[0] {
	case "prepare":
		q, err := inner(w[2:])
		if err != nil {
			return nil, err
		}
		return r, names.PutStatement(w[1], strings.Join(w, " "), q)
	case "deallocate":
		if w[1] == "all" {
			names.DropStatements()
			return r, nil
		}
		return r, names.DropStatement(w[1])
	case "declare":
		hold := w[1] == "hold"
		if hold {
			w = w[1:]
		}
		q, err := inner(w[2:])
		if err != nil {
			return nil, err
		}
		return r, names.OpenCursor(w[1], strings.Join(w, " "), q, nil, hold)
	case "close":
		if w[1] == "all" {
			names.DropCursors()
			return r, nil
		}
		return r, names.DropCursor(w[1])
	case "move":
		rows, _, err := names.FetchCursor(w[2], int64(st.num()))
		if err != nil {
			return nil, err
		}
		n := 0
		for {
			b, err := rows.Next(ctx)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return nil, err
			}
			n += b.Rows()
		}
		r.tag = fmt.Sprintf("MOVE %d", n)
		return r, nil
	case "list":
		return &fakeList{names: names, fakeRows: r}, nil
	}
	return nil, fmt.Errorf("no such statement: %v", w)
}

// fakeList shows all names, one a row.
type fakeList struct {
	*fakeRows
	names Names
	done  bool
}

func (l *fakeList) Next(context.Context) (*column.Batch, error) {
	if l.done {
		return nil, io.EOF
	}
	l.done = true
	c := column.New(types.Text, 0)
	for _, p := range l.names.ListStatements() {
		c.Append(types.StringDatum(fmt.Sprintf("statement %s %q %v", p.Name, p.SQL, p.FromSQL)))
	}
	for _, p := range l.names.ListCursors() {
		c.Append(types.StringDatum(fmt.Sprintf("cursor %s %q %v", p.Name, p.SQL, p.Hold)))
	}
	return &column.Batch{N: c.Len(), Cols: []*column.Column{c}}, nil
}
