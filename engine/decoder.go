package engine

import (
	"velostream/engine/format"
	"velostream/engine/format/formats"
	"velostream/engine/option"
)

// decoder makes the decoder of a relation's values: option "format" names it.
func decoder(o option.Options, fields []format.Field) (format.Decoder, error) {
	return formats.NewDecoder("format", o, fields, nil)
}
