package job

import (
	"context"

	"velostream/engine/connector"
	"velostream/engine/format/formats"
	"velostream/engine/option"
	"velostream/engine/source"
)

// sampleRecords is how many records a schema is told from.
const sampleRecords = 1000

// InferColumns tells the columns of a relation that declares none from the
// first records that the source has now. Records that cannot be read are passed
// over where the source's on_error lets them be.
func InferColumns(ctx context.Context, src connector.Source, o option.Options) ([]connector.Column, error) {
	set, err := source.Parse(o)
	if err != nil {
		return nil, err
	}
	header, values, err := source.Sample(ctx, src, sampleRecords)
	if err != nil {
		return nil, err
	}
	if set.OnError != source.Fail {
		good := values[:0]
		for _, v := range values {
			if _, err := formats.Infer("format", o, header, [][]byte{v}); err == nil {
				good = append(good, v)
			}
		}
		values = good
	}
	fields, err := formats.Infer("format", o, header, values)
	if err != nil {
		return nil, err
	}
	out := make([]connector.Column, len(fields))
	for i, f := range fields {
		out[i] = connector.Column{Name: f.Name, Type: f.Type.String()}
	}
	return out, nil
}
