package pgcatalog

import (
	_ "embed"
	"slices"
	"strconv"
	"strings"
	"sync"

	"velostream/catalog"
	"velostream/catalog/types"
)

//go:embed functions.txt
var functionsText string

// builtin is a function or operator of PostgreSQL.
type builtin struct {
	oid  uint32
	name string
	ret  types.OID
	args []types.OID
	code uint32 // of an operator: its function
	neg  uint32
	com  uint32
}

type builtinTable struct {
	functions []builtin
	operators []builtin
	byName    map[string]uint32 // the first function of the name
	byKey     map[string]int    // name and argument types → functions
	operByKey map[string]int
	byOID     map[uint32]int
}

// builtins are PostgreSQL's functions and operators, read at first use.
var builtins = sync.OnceValue(func() *builtinTable {
	t := &builtinTable{byName: map[string]uint32{}, byKey: map[string]int{}, operByKey: map[string]int{}, byOID: map[uint32]int{}}
	for line := range strings.Lines(functionsText) {
		f := strings.Fields(line)
		if len(f) < 4 {
			continue
		}
		b := builtin{oid: number(f[1]), name: f[2]}
		if f[0] == "o" {
			b.code, b.ret, b.neg, b.com = number(f[3]), types.OID(number(f[6])), number(f[7]), number(f[8])
			b.args = []types.OID{types.OID(number(f[4])), types.OID(number(f[5]))}
			t.operByKey[procKey(b.name, b.args)] = len(t.operators)
			t.operators = append(t.operators, b)
			continue
		}
		b.ret = types.OID(number(f[3]))
		for _, a := range f[4:] {
			b.args = append(b.args, types.OID(number(a)))
		}
		t.byOID[b.oid] = len(t.functions)
		t.byKey[procKey(b.name, b.args)] = len(t.functions)
		if _, ok := t.byName[b.name]; !ok {
			t.byName[b.name] = b.oid
		}
		t.functions = append(t.functions, b)
	}
	return t
})

func number(s string) uint32 {
	v, _ := strconv.ParseUint(s, 10, 32) // the file is ours; a test reads it
	return uint32(v)
}

func procKey(name string, args []types.OID) string {
	var b strings.Builder
	b.WriteString(name)
	for _, a := range args {
		b.WriteByte(' ')
		b.WriteString(itoa(a))
	}
	return b.String()
}

// proc is a row of pg_proc.
type proc struct {
	Function
	oid  uint32
	user *catalog.Function // nil: built in
}

// firstOwnProc is the first OID of functions that PostgreSQL does not have.
const firstOwnProc = 14000

// procs lists the functions of the registry with their OIDs, then the input
// and output functions that pg_type names.
func (c *Catalog) procs() []proc {
	if c.functions != nil || c.Functions == nil {
		return c.functions
	}
	own := uint32(firstOwnProc)
	used := map[uint32]bool{}
	for _, f := range c.Functions() {
		if f.Kind == 'o' {
			continue
		}
		oid := uint32(0)
		if i, ok := builtins().byKey[procKey(f.Name, f.Args)]; ok {
			oid = builtins().functions[i].oid
		}
		if oid == 0 || used[oid] {
			oid = own
			own++
		}
		used[oid] = true
		c.functions = append(c.functions, proc{Function: f, oid: oid})
	}
	for _, f := range c.Snapshot.Functions("", "") {
		args := make([]types.OID, len(f.Args))
		for i, a := range f.Args {
			args[i] = a.OID
		}
		p := Function{Name: f.Name, Args: args, Ret: f.Returns.OID, Kind: 'f', Strict: f.Strict, Volatility: 'v', Doc: f.Comment}
		switch f.Volatility {
		case "IMMUTABLE":
			p.Volatility = 'i'
		case "STABLE":
			p.Volatility = 's'
		}
		c.functions = append(c.functions, proc{Function: p, oid: f.ID, user: f})
	}
	for _, row := range staticRows()["pg_type"] {
		for _, cell := range row[15:19] { // typinput to typsend
			oid := number(*cell)
			i, ok := builtins().byOID[oid]
			if !ok || used[oid] {
				continue
			}
			used[oid] = true
			b := builtins().functions[i]
			c.functions = append(c.functions, proc{Function: Function{Name: b.name, Args: b.args, Ret: b.ret, Kind: 'f', Strict: true, Volatility: 'i'}, oid: oid})
		}
	}
	return c.functions
}

// findProc finds a function by OID, also one that only PostgreSQL has.
func (c *Catalog) findProc(oid uint32) (proc, bool) {
	if c.procByOID == nil {
		c.procByOID = map[uint32]int{}
		for i, p := range c.procs() {
			c.procByOID[p.oid] = i
		}
	}
	if i, ok := c.procByOID[oid]; ok {
		return c.procs()[i], true
	}
	if i, ok := builtins().byOID[oid]; ok {
		b := builtins().functions[i]
		return proc{Function: Function{Name: b.name, Args: b.args, Ret: b.ret, Kind: 'f'}, oid: b.oid}, true
	}
	return proc{}, false
}

// procSources are pg_proc, pg_aggregate and pg_operator.
func procSources() map[string]source {
	return map[string]source{
		"pg_proc": {"oid proname pronamespace proowner prolang procost prorows provariadic prokind proisstrict proretset " +
			"provolatile proparallel pronargs prorettype proargtypes prosrc proargnames proacl", (*Catalog).procRows},
		"pg_aggregate": {"aggfnoid aggkind aggfinalmodify aggmfinalmodify", (*Catalog).aggregateRows},
		"pg_operator": {"oid oprname oprnamespace oprowner oprkind oprcanmerge oprcanhash oprleft oprright oprresult " +
			"oprcom oprnegate oprcode", (*Catalog).operatorRows},
	}
}

func (c *Catalog) procRows(e *emitter) {
	for _, p := range c.procs() {
		rows := 0.0
		if p.Set {
			rows = 1000
		}
		variadic := types.OID(0)
		if p.Variadic && len(p.Args) > 0 {
			if variadic = p.Args[len(p.Args)-1]; variadic != anyOID {
				if t, ok := (types.Type{OID: variadic, Mod: -1}).Elem(); ok {
					variadic = t.OID
				}
			}
		}
		schema, owner, lang, body, parallel := uint32(oidPGCatalog), uint32(oidSuperuser), 12, p.Name, "s"
		var names, acl any
		if u := p.user; u != nil {
			acl = aclText(u.ACL)
			schema, owner, lang, body, parallel = c.schemaOID(u.Schema), c.roleOID(u.Owner), 14, u.Body, "u"
			if strings.Join(u.ArgNames, "") != "" {
				names = u.ArgNames
			}
		}
		e.row(p.oid, p.Name, schema, owner, lang, 1.0, rows, variadic, p.Kind, p.Strict, p.Set,
			p.Volatility, parallel, len(p.Args), p.Ret, p.Args, body, names, acl)
	}
}

// anyOID is pg_type's "any".
const anyOID = 2276

func (c *Catalog) aggregateRows(e *emitter) {
	for _, p := range c.procs() {
		if p.Kind == 'a' {
			e.row(p.oid, "n", "r", "r")
		}
	}
}

// operatorRows lists the operators that exist here and in PostgreSQL, and our
// own behind them.
func (c *Catalog) operatorRows(e *emitter) {
	if c.Functions == nil {
		return
	}
	own := uint32(firstOwnProc)
	for _, f := range c.Functions() {
		if f.Kind != 'o' {
			continue
		}
		args := slices.Clone(f.Args)
		kind := "b"
		if len(args) == 1 {
			args, kind = []types.OID{0, args[0]}, "l"
		}
		b := builtin{oid: own, name: f.Name, ret: f.Ret}
		if i, ok := builtins().operByKey[procKey(f.Name, args)]; ok {
			b = builtins().operators[i]
		} else {
			own++
		}
		e.row(b.oid, f.Name, oidPGCatalog, oidSuperuser, kind, f.Name == "=", f.Name == "=", args[0], args[1], f.Ret, b.com, b.neg, b.code)
	}
}
