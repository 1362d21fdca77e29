package session

import (
	"math"
	"slices"
	"strconv"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/engine/sql/ast"
	"velostream/engine/sql/binder"
	"velostream/pgwire/pgerror"
)

// addConstraint gives c its OID and name, and its index if it is UNIQUE, and
// puts it into r.
func (n *namer) addConstraint(r *catalog.Relation, c *binder.Constraint) error {
	k := c.Constraint
	k.ID = n.id()
	if k.Name != "" && hasConstraint(r, k.Name) {
		return pgerror.New(pgerror.DuplicateObject, "constraint %q for relation %q already exists", k.Name, r.Name)
	}
	switch k.Kind {
	case catalog.Check:
		if k.Name == "" {
			col := ""
			if len(k.Columns) == 1 {
				col = r.Columns[k.Columns[0]].Name
			}
			k.Name = n.constraint(r, col, "check")
		}
	case catalog.Unique:
		if k.Name == "" {
			k.Name = n.relation(r, columnsText(r, k.Columns), "key")
		} else if n.snap.Named(r.Schema, k.Name) || slices.Contains(n.used, k.Name) || k.Name == r.Name {
			return pgerror.New(pgerror.DuplicateTable, "relation %q already exists", k.Name)
		}
		k.Index = n.id()
		r.Indexes = append(r.Indexes, catalog.Index{ID: k.Index, Name: k.Name, Columns: k.Columns, Unique: true, NullsEqual: c.NullsEqual})
	case catalog.ForeignKey:
		if k.Name == "" {
			k.Name = n.constraint(r, columnsText(r, k.Columns), "fkey")
		}
		parent := r
		if c.Self {
			k.Ref = r.ID
			k.RefIndex = selfKey(r, k.RefColumns)
		} else {
			parent = n.snap.ByID(k.Ref)
		}
		c.Constraint = k
		if err := binder.CheckKeyTypes(c, r.Columns, parent.Columns); err != nil {
			return err
		}
	}
	r.Constraints = append(r.Constraints, k)
	return nil
}

// selfKey is the unique index of r over cols, 0: its primary key.
func selfKey(r *catalog.Relation, cols []int) uint32 {
	if r.PrimaryKey && slices.Equal(r.Key, cols) {
		return 0
	}
	for _, x := range r.Indexes {
		if x.Unique && x.Plain() && slices.Equal(x.Columns, cols) {
			return x.ID
		}
	}
	return 0
}

// constrain puts the constraints and sequences of a column list into the new
// relation r, and returns the sequences.
func (s *Session) constrain(n *namer, p ast.Parsed, r *catalog.Relation, def *binder.Definition) ([]catalog.Change, error) {
	if len(def.Constraints) > 0 && r.Kind != catalog.Table {
		return nil, pgerror.Unsupported("%s constraints of streams are not supported", string(def.Constraints[0].Kind)).
			WithHint("Leave it out, or declare it NOT ENFORCED.")
	}
	r.KeyName = def.KeyName
	for _, c := range def.Constraints {
		if err := s.mayRefer(n.snap, r, c); err != nil {
			return nil, err
		}
		if err := n.addConstraint(r, c); err != nil {
			return nil, err
		}
	}
	var out []catalog.Change
	for _, d := range def.Sequences {
		seq, err := s.columnSequence(n, p, r, d)
		if err != nil {
			return nil, err
		}
		out = append(out, catalog.Change{Put: seq})
	}
	return out, nil
}

// columnSequence makes the sequence of a serial or identity column.
func (s *Session) columnSequence(n *namer, p ast.Parsed, r *catalog.Relation, d binder.SequenceDef) (*catalog.Relation, error) {
	c := &r.Columns[d.Column]
	if c.Default != "" {
		return nil, pgerror.New(pgerror.SyntaxError, "multiple default values specified for column %q of table %q", c.Name, r.Name).At(p.Position(d.At))
	}
	num := newNumbers(sequenceType(c.Type))
	if err := setNumbers(p, num, d.Options, true); err != nil {
		return nil, err
	}
	num.Owner, num.Column = r.ID, d.Column
	seq := &catalog.Relation{
		ID: n.id(), Schema: r.Schema, Kind: catalog.Sequence, Owner: r.Owner, EventTime: -1, Numbers: num, PartOf: r.ID,
	}
	if err := s.nameSequence(n, p, seq, d.Options); err != nil {
		return nil, err
	}
	if seq.Name == "" {
		seq.Name = n.relation(r, c.Name, "seq")
	}
	c.Sequence = seq.ID
	if c.Identity == "" {
		c.Default = "nextval('" + seq.Name + "'::regclass)"
	}
	return seq, nil
}

// nameSequence gives seq the name that the option SEQUENCE NAME says, as pg_dump does.
func (s *Session) nameSequence(n *namer, p ast.Parsed, seq *catalog.Relation, opts []ast.SeqOption) error {
	for _, o := range opts {
		if o.Name != "SEQUENCE NAME" {
			continue
		}
		at, err := s.place(n.snap, p, o.Owner)
		if err != nil {
			return err
		}
		if at.exists != nil {
			return pgerror.New(pgerror.DuplicateTable, "relation %q already exists", at.name)
		}
		seq.Schema, seq.Name = at.schema, at.name
	}
	return nil
}

// newNumbers are the settings of a sequence that says nothing but its type.
func newNumbers(typ string) *catalog.Numbers {
	if typ == "" {
		typ = "bigint"
	}
	return &catalog.Numbers{Type: typ, Increment: 1}
}

// setNumbersType is the option AS.
func setNumbersType(p ast.Parsed, n *catalog.Numbers, o ast.SeqOption, fresh bool) error {
	t, err := binder.TypeOf(p.SQL, o.Type)
	if err != nil {
		return err
	}
	name := sequenceType(t)
	switch {
	case name == "":
		return pgerror.New(pgerror.InvalidParameterValue, "sequence type must be smallint, integer, or bigint")
	case fresh:
		n.Type = name
	default:
		moveLimits(n, name)
	}
	return nil
}

// moveLimits gives n another type. Limits that were those of the old type become those
// of the new one.
func moveLimits(n *catalog.Numbers, typ string) {
	was, limit := typeLimit(n.Type), typeLimit(typ)
	if n.Max == was {
		n.Max = limit
	}
	if n.Min == -was-1 {
		n.Min = -limit - 1
	}
	n.Type = typ
}

// sequenceType is the type of a sequence that fills a column of type t, "": it
// cannot.
func sequenceType(t types.Type) string {
	return map[types.OID]string{types.OIDInt2: "smallint", types.OIDInt4: "integer", types.OIDInt8: "bigint"}[t.OID]
}

func typeLimit(typ string) int64 {
	switch typ {
	case "smallint":
		return math.MaxInt16
	case "integer":
		return math.MaxInt32
	}
	return math.MaxInt64
}

// setNumbers applies options to n. fresh: it is a new sequence, whose limits
// and start follow from what is given.
func setNumbers(p ast.Parsed, n *catalog.Numbers, opts []ast.SeqOption, fresh bool) error {
	given := map[string]ast.SeqOption{}
	for _, o := range opts {
		name := o.Name
		if len(name) > 3 && name[:3] == "NO " {
			name = name[3:]
		}
		if _, twice := given[name]; twice {
			return pgerror.New(pgerror.SyntaxError, "conflicting or redundant options").At(p.Position(o.Pos()))
		}
		given[name] = o
	}
	if o, ok := given["AS"]; ok {
		if err := setNumbersType(p, n, o, fresh); err != nil {
			return err
		}
	}
	num := func(name string, to *int64) error {
		o, ok := given[name]
		if !ok || o.Value == "" {
			return nil
		}
		v, err := strconv.ParseInt(o.Value, 10, 64)
		if err != nil {
			return pgerror.New(pgerror.NumericValueOutOfRange, "value %q is out of range for type bigint", o.Value).At(p.Position(o.Pos()))
		}
		*to = v
		return nil
	}
	if err := num("INCREMENT", &n.Increment); err != nil {
		return err
	}
	if n.Increment == 0 {
		return pgerror.New(pgerror.InvalidParameterValue, "INCREMENT must not be zero")
	}
	lo, hi, limit := int64(1), typeLimit(n.Type), typeLimit(n.Type)
	if n.Increment < 0 {
		lo, hi = -limit-1, -1
	}
	if o, ok := given["MINVALUE"]; fresh || ok && o.Value == "" {
		n.Min = lo
	}
	if o, ok := given["MAXVALUE"]; fresh || ok && o.Value == "" {
		n.Max = hi
	}
	if err := num("MINVALUE", &n.Min); err != nil {
		return err
	}
	if err := num("MAXVALUE", &n.Max); err != nil {
		return err
	}
	if fresh {
		n.Start = n.Min
		if n.Increment < 0 {
			n.Start = n.Max
		}
	}
	if err := num("START", &n.Start); err != nil {
		return err
	}
	if o, ok := given["CYCLE"]; ok {
		n.Cycle = o.Name == "CYCLE"
	}
	return checkNumbers(n)
}

func checkNumbers(n *catalog.Numbers) error {
	limit := typeLimit(n.Type)
	switch {
	case n.Max > limit || n.Max < -limit-1:
		return pgerror.New(pgerror.InvalidParameterValue, "MAXVALUE (%d) is out of range for sequence data type %s", n.Max, n.Type)
	case n.Min > limit || n.Min < -limit-1:
		return pgerror.New(pgerror.InvalidParameterValue, "MINVALUE (%d) is out of range for sequence data type %s", n.Min, n.Type)
	case n.Min >= n.Max:
		return pgerror.New(pgerror.InvalidParameterValue, "MINVALUE (%d) must be less than MAXVALUE (%d)", n.Min, n.Max)
	case n.Start < n.Min:
		return pgerror.New(pgerror.InvalidParameterValue, "START value (%d) cannot be less than MINVALUE (%d)", n.Start, n.Min)
	case n.Start > n.Max:
		return pgerror.New(pgerror.InvalidParameterValue, "START value (%d) cannot be greater than MAXVALUE (%d)", n.Start, n.Max)
	}
	return nil
}
