package pgcatalog

import (
	"velostream/catalog"
	"velostream/catalog/auth"
	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
)

// sequenceSources are the catalogs of sequences.
func sequenceSources() map[string]source {
	return map[string]source{
		"pg_sequence": {"seqrelid seqtypid seqstart seqincrement seqmax seqmin seqcache seqcycle", func(c *Catalog, e *emitter) {
			c.sequences(func(r *catalog.Relation, n *catalog.Numbers) {
				e.row(r.ID, numberType(n), n.Start, n.Increment, n.Max, n.Min, 1, n.Cycle)
			})
		}},
		"pg_sequences": {
			"schemaname sequencename sequenceowner data_type start_value min_value max_value increment_by cycle cache_size last_value",
			func(c *Catalog, e *emitter) {
				c.sequences(func(r *catalog.Relation, n *catalog.Numbers) {
					var last any
					if c.LastValue != nil && e.wants("last_value") && c.Snapshot.Granted(r, c.User, auth.Usage|auth.Select) != auth.None {
						if v, called := c.LastValue(r); called {
							last = v
						}
					}
					e.row(r.Schema, r.Name, r.Owner, numberType(n), n.Start, n.Min, n.Max, n.Increment, n.Cycle, 1, last)
				})
			},
		},
	}
}

func (c *Catalog) sequences(f func(*catalog.Relation, *catalog.Numbers)) {
	for _, r := range c.relations() {
		if r.Kind == catalog.Sequence && r.Numbers != nil {
			f(r, r.Numbers)
		}
	}
}

// sequenceStateRows are what a sequence has as a relation.
func (c *Catalog) sequenceStateRows(e *emitter) {
	c.sequences(func(r *catalog.Relation, n *catalog.Numbers) {
		if c.Snapshot.Granted(r, c.User, auth.Select) == auth.None {
			return
		}
		last, called := n.Start, false
		if c.LastValue != nil {
			last, called = c.LastValue(r)
		}
		e.row(r.ID, last, 0, called)
	})
}

func sequenceLastValue(c *Catalog, a []types.Datum) (any, error) {
	r := c.Snapshot.ByID(oidArg(a[0]))
	switch {
	case r == nil:
		return nil, pgerror.New(pgerror.UndefinedTable, "could not open relation with OID %d", oidArg(a[0]))
	case r.Kind != catalog.Sequence:
		return nil, pgerror.New(pgerror.WrongObjectType, "%q is not a sequence", r.Name)
	case c.Snapshot.Granted(r, c.User, auth.Usage|auth.Select) == auth.None:
		return nil, pgerror.New(pgerror.InsufficientPrivilege, "permission denied for sequence %s", r.Name)
	case c.LastValue == nil:
		return nil, nil
	}
	if v, called := c.LastValue(r); called {
		return v, nil
	}
	return nil, nil
}

func numberType(n *catalog.Numbers) types.OID {
	switch n.Type {
	case "smallint":
		return types.OIDInt2
	case "integer":
		return types.OIDInt4
	}
	return types.OIDInt8
}

// infoSequenceRows is information_schema.sequences.
func (c *Catalog) infoSequenceRows(e *emitter) {
	c.sequences(func(r *catalog.Relation, n *catalog.Numbers) {
		if !c.Snapshot.Sees(c.User, r) {
			return
		}
		if o := c.relation(n.Owner); o != nil && o.Columns[n.Column].Identity != "" {
			return // it is part of its column
		}
		d := describeType(types.Type{OID: numberType(n), Mod: -1})
		e.row(c.Database, r.Schema, r.Name, d.name, d.precision, d.radix, 0, itoa(n.Start), itoa(n.Min), itoa(n.Max),
			itoa(n.Increment), yesNo(n.Cycle))
	})
}

// serialSequence is pg_get_serial_sequence.
func serialSequence(c *Catalog, a []types.Datum) (any, error) {
	oid, err := c.Number(types.OIDRegclass, string(a[0].B))
	if err != nil {
		return nil, err
	}
	r := c.relation(oid)
	if r == nil {
		return nil, nil
	}
	i := r.ColumnIndex(string(a[1].B))
	if i < 0 {
		return nil, nil
	}
	for _, s := range c.Snapshot.Dependents(r.ID) {
		if n := s.Numbers; n != nil && n.Owner == r.ID && n.Column == i {
			return quoteIdent(s.Schema) + "." + quoteIdent(s.Name), nil
		}
	}
	return nil, nil
}
