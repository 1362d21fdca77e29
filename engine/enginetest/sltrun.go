package enginetest

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"velostream/catalog/types"
)

// Target is a database that a Script runs on.
type Target struct {
	// Name is postgres or velostream, for onlyif and skipif.
	Name string
	// DSN of the database; asked again after Restart.
	DSN func() string
	// Restart stops and starts the server; nil: the directive only reconnects.
	Restart func()
	// Extended sends each statement by the extended protocol, prepared, with
	// binary results; else by the simple protocol.
	Extended bool
	// Timeout of each record; 0 is 20 s.
	Timeout time.Duration
}

// Outcome is what one record gave.
type Outcome struct {
	Record  *Record
	Skipped bool
	Err     error // of the run: the outcome differs from what the record wants
	// What came: rewriting puts it into the record.
	Tag    string
	SQLErr *pgconn.PgError
	Types  string
	Rows   []string
}

// Run runs a script and returns an outcome per record, in order. The error is
// of the machinery, such as a server that cannot be reached.
func (s *Script) Run(ctx context.Context, t Target) ([]Outcome, error) {
	r := &runner{t: t, conns: map[string]*pgconn.PgConn{}, users: map[string]string{}, labels: map[string][]string{}, cur: "main", types: pgtype.NewMap()}
	if t.Timeout == 0 {
		r.t.Timeout = 20 * time.Second
	}
	defer r.close()
	var out []Outcome
	for i := range s.Records {
		rec := &s.Records[i]
		o := Outcome{Record: rec}
		switch {
		case rec.Kind == Text:
			continue
		case !rec.applies(t.Name, r.protocol()):
			o.Skipped = true
		case rec.Kind == Halt:
			return out, nil
		case rec.Kind == Restart:
			r.close()
			if t.Restart != nil {
				t.Restart()
			}
		case rec.Kind == Connection:
			r.cur = rec.Name
			if rec.User != "" {
				r.users[rec.Name] = rec.User
			}
		default:
			r.one(ctx, rec, &o)
			if _, ok := errors.AsType[*connectError](o.Err); ok {
				return append(out, o), fmt.Errorf("line %d: %w", rec.Line, o.Err)
			}
		}
		out = append(out, o)
	}
	return out, nil
}

type connectError struct{ error }

type runner struct {
	t      Target
	conns  map[string]*pgconn.PgConn
	users  map[string]string // who a connection logs in as
	cur    string
	labels map[string][]string
	types  *pgtype.Map
	// prepared counts prepared statements, for their names.
	prepared int
}

func (r *runner) protocol() string {
	if r.t.Extended {
		return "extended"
	}
	return "simple"
}

func (r *runner) close() {
	for _, c := range r.conns {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		_ = c.Close(ctx)
		cancel()
	}
	clear(r.conns)
}

// conn is the current connection, made when first used.
func (r *runner) conn(ctx context.Context) (*pgconn.PgConn, error) {
	if c := r.conns[r.cur]; c != nil && !c.IsClosed() {
		return c, nil
	}
	cfg, err := pgconn.ParseConfig(r.t.DSN())
	if err != nil {
		return nil, &connectError{err}
	}
	if u := r.users[r.cur]; u != "" {
		cfg.User = u
	}
	c, err := pgconn.ConnectConfig(ctx, cfg)
	if err != nil {
		return nil, &connectError{err}
	}
	r.conns[r.cur] = c
	return c, nil
}

var matview = regexp.MustCompile(`(?i)^(\s*(?:create|drop|explain create))\s+((?:or\s+replace\s+)?)materialized\s+view((?:\s+if\s+not\s+exists)?)`)

// PlainView maps CREATE and DROP MATERIALIZED VIEW to a plain view, whose
// content is the truth at each moment.
func PlainView(sql string) string { return matview.ReplaceAllString(sql, "$1 ${2}view") }

// one runs a record and judges it.
func (r *runner) one(ctx context.Context, rec *Record, o *Outcome) {
	ctx, cancel := context.WithTimeout(ctx, r.t.Timeout)
	defer cancel()
	c, err := r.conn(ctx)
	if err != nil {
		o.Err = err
		return
	}
	sql := rec.SQL
	if r.t.Name == "postgres" {
		sql = PlainView(sql)
	}
	var raw [][][]byte
	var fields []pgconn.FieldDescription
	switch {
	case rec.Kind == CopyIn:
		tag, e := c.CopyFrom(ctx, strings.NewReader(joinLines(rec.Data)), sql)
		o.Tag, err = tag.String(), e
	case rec.Kind == CopyOut:
		var buf bytes.Buffer
		_, err = c.CopyTo(ctx, &buf, sql)
		o.Rows = splitLines(buf.String())
	case r.t.Extended:
		r.prepared++
		fields, raw, o.Tag, err = extended(ctx, c, fmt.Sprintf("s%d", r.prepared), sql)
	default:
		fields, o.Rows, o.Tag, err = simple(ctx, c, sql)
	}
	o.Types = typeLetters(fields)
	if err != nil && !errors.As(err, &o.SQLErr) {
		o.Err = fmt.Errorf("no answer: %w", err)
		return
	}
	if o.SQLErr != nil && o.SQLErr.Position > 0 {
		o.SQLErr.Position += int32(len(rec.SQL) - len(sql)) // sql is a plain view's
	}
	if r.t.Extended && rec.Kind == Query && err == nil {
		o.Err = r.checkBinary(rec, o, fields, raw)
		return
	}
	o.Err = rec.judge(o, r.labels, o.Rows)
}

func joinLines(l []string) string {
	if len(l) == 0 {
		return ""
	}
	return strings.Join(l, "\n") + "\n"
}

func splitLines(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(s, "\n"), "\n")
}

// judge compares the outcome with what the record wants.
func (r *Record) judge(o *Outcome, labels map[string][]string, rows []string) error {
	if o.SQLErr != nil {
		return r.judgeError(o.SQLErr)
	}
	if r.WantErr {
		return fmt.Errorf("wanted error %s, got %q", r.Code, o.Tag)
	}
	if r.Tag != "" && r.Tag != o.Tag {
		return fmt.Errorf("wanted tag %q, got %q", r.Tag, o.Tag)
	}
	if r.Types != "" && r.Types != o.Types {
		return fmt.Errorf("wanted types %s, got %s", r.Types, o.Types)
	}
	if r.Kind == Statement || r.Kind == CopyIn {
		return nil
	}
	got := r.arrange(rows)
	if r.Label != "" {
		if before, ok := labels[r.Label]; ok && !slices.Equal(before, got) {
			return fmt.Errorf("differs from the earlier %s:\n%s\nearlier:\n%s", r.Label, strings.Join(got, "\n"), strings.Join(before, "\n"))
		}
		labels[r.Label] = got
	}
	if !slices.Equal(got, r.Want) {
		return fmt.Errorf("wanted\n%s\ngot\n%s", strings.Join(r.Want, "\n"), strings.Join(got, "\n"))
	}
	return nil
}

func (r *Record) judgeError(e *pgconn.PgError) error {
	switch {
	case !r.WantErr:
		return fmt.Errorf("%w (position %d)", e, e.Position)
	case r.Code != "" && r.Code != e.Code:
		return fmt.Errorf("wanted error %s, got %s: %s", r.Code, e.Code, e.Message)
	case r.Position != 0 && r.Position != int(e.Position):
		return fmt.Errorf("wanted error at %d, got %d: %s", r.Position, e.Position, e.Message)
	case r.Message != nil && !r.Message.MatchString(e.Message):
		return fmt.Errorf("wanted error /%s/, got %s", r.Message, e.Message)
	}
	return nil
}

// arrange sorts rows as the record asks.
func (r *Record) arrange(rows []string) []string {
	rows = slices.Clone(rows)
	switch r.Sort {
	case "rowsort":
		slices.Sort(rows)
	case "valuesort":
		var v []string
		for _, l := range rows {
			v = append(v, strings.Split(l, separator)...)
		}
		slices.Sort(v)
		return v
	}
	return rows
}

const separator = " | "

// simple runs sql by the simple protocol; the last result set counts.
func simple(ctx context.Context, c *pgconn.PgConn, sql string) (fields []pgconn.FieldDescription, rows []string, tag string, err error) {
	m := c.Exec(ctx, sql)
	for m.NextResult() {
		rr := m.ResultReader()
		fields, rows = slices.Clone(rr.FieldDescriptions()), nil
		for rr.NextRow() {
			var b strings.Builder
			for i, v := range rr.Values() {
				if i > 0 {
					b.WriteString(separator)
				}
				b.WriteString(cell(v))
			}
			rows = append(rows, b.String())
		}
		ct, e := rr.Close()
		tag = ct.String()
		if e != nil && err == nil {
			err = e
		}
	}
	return fields, rows, tag, errors.Join(err, m.Close())
}

// cell writes a value for a result line.
func cell(v []byte) string {
	switch {
	case v == nil:
		return "NULL"
	case len(v) == 0:
		return "(empty)"
	}
	return strings.NewReplacer("\n", `\n`, "\t", `\t`, "\r", `\r`).Replace(string(v))
}

// extended runs sql as a prepared statement with binary results.
func extended(ctx context.Context, c *pgconn.PgConn, name, sql string) ([]pgconn.FieldDescription, [][][]byte, string, error) {
	if _, err := c.Prepare(ctx, name, sql, nil); err != nil {
		return nil, nil, "", err
	}
	rr := c.ExecPrepared(ctx, name, nil, nil, []int16{1})
	fields := slices.Clone(rr.FieldDescriptions())
	var rows [][][]byte
	for rr.NextRow() {
		row := make([][]byte, len(rr.Values()))
		for i, v := range rr.Values() {
			row[i] = slices.Clone(v)
			if v != nil && row[i] == nil {
				row[i] = []byte{}
			}
		}
		rows = append(rows, row)
	}
	tag, err := rr.Close()
	if err != nil {
		return nil, nil, "", err
	}
	if c.TxStatus() != 'E' {
		err = c.Deallocate(ctx, name)
	}
	return fields, rows, tag.String(), err
}

// checkBinary compares binary rows with the record's text rows: both are read
// by the client's own codecs into values that must be equal.
func (r *runner) checkBinary(rec *Record, o *Outcome, fields []pgconn.FieldDescription, rows [][][]byte) error {
	if rec.Sort == "valuesort" {
		return nil
	}
	var got, want []string
	for _, row := range rows {
		var b []string
		for i, v := range row {
			if t := (types.Type{OID: types.OID(fields[i].DataTypeOID), Mod: -1}); hasRows(t) {
				text, ok := rowText(t, v)
				if !ok {
					return nil
				}
				b = append(b, text)
				continue
			}
			b = append(b, r.canonical(fields[i].DataTypeOID, pgtype.BinaryFormatCode, v))
		}
		got = append(got, strings.Join(b, separator))
	}
	for _, l := range rec.Want {
		cells := strings.Split(l, separator)
		if len(cells) != len(fields) { // the separator is in a value: cannot be taken apart
			return nil
		}
		for i, s := range cells {
			var v []byte
			if hasRows(types.Type{OID: types.OID(fields[i].DataTypeOID), Mod: -1}) {
				continue
			}
			switch s {
			case "NULL":
			case "(empty)":
				v = []byte{}
			default:
				if regTypes[fields[i].DataTypeOID] { // a name in text, an OID in binary
					return nil
				}
				v = []byte(strings.NewReplacer(`\n`, "\n", `\t`, "\t", `\r`, "\r").Replace(s))
				if oid := fields[i].DataTypeOID; (oid == pgtype.JSONOID || oid == pgtype.JSONBOID) && !json.Valid(v) {
					v = []byte(s) // the escapes are JSON's own
				}
			}
			cells[i] = r.canonical(fields[i].DataTypeOID, pgtype.TextFormatCode, v)
		}
		want = append(want, strings.Join(cells, separator))
	}
	if rec.Sort == "rowsort" {
		slices.Sort(got)
		slices.Sort(want)
	}
	o.Rows = nil
	if rec.Types != "" && rec.Types != o.Types {
		return fmt.Errorf("wanted types %s, got %s", rec.Types, o.Types)
	}
	if rec.WantErr {
		return fmt.Errorf("wanted error %s", rec.Code)
	}
	if !slices.Equal(got, want) {
		return fmt.Errorf("binary: wanted\n%s\ngot\n%s", strings.Join(want, "\n"), strings.Join(got, "\n"))
	}
	return nil
}

// hasRows reports rows, and arrays of them.
func hasRows(t types.Type) bool {
	elem, _ := t.Elem()
	return t.IsRow() || elem.IsRow()
}

// rowText is the text of b, a row or an array of rows in binary form; !ok: it has dimensions
// or fields of types that are not built in.
func rowText(t types.Type, b []byte) (text string, ok bool) {
	if b == nil {
		return "NULL", true
	}
	d, ok, err := rowDatum(t, b)
	if err != nil || !ok {
		return fmt.Sprint(err), err != nil
	}
	out := types.AppendText(nil, t, d, nil)
	return strings.NewReplacer("\n", `\n`, "\t", `\t`, "\r", `\r`).Replace(string(out)), true
}

// rowDatum reads what rowText writes.
func rowDatum(t types.Type, b []byte) (d types.Datum, ok bool, err error) {
	if elem, array := t.Elem(); array {
		return rowArray(elem, b)
	}
	if len(b) < 4 {
		return d, false, nil
	}
	n := int(binary.BigEndian.Uint32(b))
	b = b[4:]
	ts, values := make([]types.Type, n), make([]types.Datum, n)
	for i := range n {
		ts[i] = types.Type{OID: types.OID(binary.BigEndian.Uint32(b)), Mod: -1}
		size := int32(binary.BigEndian.Uint32(b[4:]))
		if b = b[8:]; size < 0 {
			values[i] = types.NullDatum
			continue
		}
		if ts[i].IsUser() || hasRows(ts[i]) || regTypes[uint32(ts[i].OID)] {
			return d, false, nil
		}
		if values[i], err = types.DecodeBinary(ts[i], b[:size]); err != nil {
			return d, false, err
		}
		b = b[size:]
	}
	return types.RowDatum(ts, values, nil), true, nil
}

// rowArray reads an array of rows of one dimension that begins at 1.
func rowArray(elem types.Type, b []byte) (d types.Datum, ok bool, err error) {
	const head, dim = 12, 8
	if len(b) < head+dim || binary.BigEndian.Uint32(b) != 1 || binary.BigEndian.Uint32(b[head+4:]) != 1 {
		return d, false, nil
	}
	if oid := types.OID(binary.BigEndian.Uint32(b[8:])); oid != elem.OID {
		return d, false, fmt.Errorf("array has elements of type %d instead of %d", oid, elem.OID)
	}
	d.List = make([]types.Datum, binary.BigEndian.Uint32(b[head:]))
	b = b[head+dim:]
	for i := range d.List {
		size := int32(binary.BigEndian.Uint32(b))
		if b = b[4:]; size < 0 {
			d.List[i] = types.NullDatum
			continue
		}
		if d.List[i], ok, err = rowDatum(elem, b[:size]); err != nil || !ok {
			return d, ok, err
		}
		b = b[size:]
	}
	return d, true, nil
}

// canonical reads a value by the client's codec and writes it in one form.
func (r *runner) canonical(oid uint32, format int16, v []byte) string {
	if v == nil {
		return "NULL"
	}
	r.learn(oid)
	if t, ok := r.types.TypeForOID(oid); ok {
		x, err := t.Codec.DecodeValue(r.types, oid, format, v)
		if err != nil {
			return fmt.Sprintf("<%v: % x>", err, v)
		}
		switch x := x.(type) {
		case pgtype.Numeric:
			return numeric(x)
		case time.Time:
			return x.UTC().Format(time.RFC3339Nano)
		case pgtype.Interval:
			return fmt.Sprintf("%d/%d/%d", x.Months, x.Days, x.Microseconds)
		}
		return fmt.Sprintf("%v", x)
	}
	return string(v)
}

// learn registers the arrays of an enum type, whose OIDs are their own on each server.
func (r *runner) learn(oid uint32) {
	elem, isArray := types.Type{OID: types.OID(oid)}.Elem()
	if _, known := r.types.TypeForOID(oid); known || !isArray || !elem.IsEnum() {
		return
	}
	e := &pgtype.Type{Name: strconv.Itoa(int(elem.OID)), OID: uint32(elem.OID), Codec: &pgtype.EnumCodec{}}
	r.types.RegisterType(e)
	r.types.RegisterType(&pgtype.Type{Name: strconv.Itoa(int(oid)), OID: oid, Codec: &pgtype.ArrayCodec{ElementType: e}})
}

// regTypes are regproc, regprocedure, regoper, regoperator, regclass, regtype,
// regcollation, regnamespace and regrole.
var regTypes = map[uint32]bool{24: true, 2202: true, 2203: true, 2204: true, 2205: true, 2206: true, 4191: true, 4089: true, 4096: true}

func numeric(n pgtype.Numeric) string {
	switch {
	case n.NaN:
		return "NaN"
	case n.InfinityModifier != 0:
		return fmt.Sprint(n.InfinityModifier)
	}
	x := new(big.Rat).SetInt(n.Int)
	p := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(n.Exp, -n.Exp))), nil)
	if n.Exp < 0 {
		x.Quo(x, new(big.Rat).SetInt(p))
	} else {
		x.Mul(x, new(big.Rat).SetInt(p))
	}
	return x.RatString()
}

// typeLetters are the letters of a query's types; testdata/README.md lists
// them.
func typeLetters(fields []pgconn.FieldDescription) string {
	var b strings.Builder
	for _, f := range fields {
		l, ok := letters[f.DataTypeOID]
		if !ok {
			l = '?'
		}
		b.WriteByte(l)
	}
	return b.String()
}

var letters = map[uint32]byte{
	pgtype.BoolOID: 'B', pgtype.Int2OID: 's', pgtype.Int4OID: 'i', pgtype.Int8OID: 'I',
	pgtype.Float4OID: 'f', pgtype.Float8OID: 'F', pgtype.NumericOID: 'N',
	pgtype.TextOID: 'T', pgtype.VarcharOID: 'v', pgtype.BPCharOID: 'c', pgtype.NameOID: 'n', pgtype.QCharOID: 'q',
	pgtype.ByteaOID: 'X', pgtype.DateOID: 'D', pgtype.TimeOID: 't', pgtype.TimestampOID: 'P', pgtype.TimestamptzOID: 'Z',
	pgtype.IntervalOID: 'V', pgtype.UUIDOID: 'U', pgtype.JSONOID: 'j', pgtype.JSONBOID: 'J', pgtype.OIDOID: 'O',
	pgtype.BoolArrayOID: 'A', pgtype.Int2ArrayOID: 'A', pgtype.Int4ArrayOID: 'A', pgtype.Int8ArrayOID: 'A', pgtype.TextArrayOID: 'A',
	pgtype.NumericArrayOID: 'A', pgtype.Float8ArrayOID: 'A', pgtype.Float4ArrayOID: 'A', pgtype.DateArrayOID: 'A',
	pgtype.TimestampArrayOID: 'A', pgtype.TimestamptzArrayOID: 'A', pgtype.VarcharArrayOID: 'A', pgtype.UUIDArrayOID: 'A',
}
