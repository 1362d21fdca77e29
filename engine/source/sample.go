package source

import (
	"bytes"
	"context"
	"errors"
	"io"
	"time"

	"velostream/engine/connector"
)

// Sample reads the header, if there is one, and up to n values of what src
// holds now, to tell a schema from. It takes as long as that, and at most a
// few seconds: what came by then is the sample.
func Sample(ctx context.Context, src connector.Source, n int) (header []byte, values [][]byte, err error) {
	if h, ok := src.(connector.Headed); ok {
		if header, err = h.Header(ctx); err != nil {
			return nil, nil, err
		}
	}
	if b, ok := src.(connector.Bounded); ok {
		src = b.Bound()
	}
	splits, err := src.Splits(ctx)
	if err != nil || len(splits) == 0 {
		return header, nil, err
	}
	starts := make([]connector.Start, len(splits))
	for i, s := range splits {
		starts[i] = connector.Start{Split: s, Position: connector.Earliest}
	}
	r, err := src.Open(ctx, starts)
	if err != nil {
		return nil, nil, err
	}
	limited, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	var c connector.Chunk
	for len(values) < n && err == nil {
		if err = r.Read(limited, &c); err != nil {
			break
		}
		for i := 0; i < c.Len() && len(values) < n; i++ {
			if v := c.Record(i).Value; v != nil {
				values = append(values, bytes.Clone(v))
			}
		}
	}
	if errors.Is(err, io.EOF) || ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		err = nil
	}
	return header, values, errors.Join(err, r.Close())
}
