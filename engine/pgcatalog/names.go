package pgcatalog

import (
	"slices"
	"strconv"
	"strings"

	"velostream/catalog"
	"velostream/catalog/auth"
	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
)

// Name is the text form of a value of a reg type: the name of the object,
// qualified where search_path does not find it, or the number of what does not
// exist. It implements types.Names.
func (c *Catalog) Name(kind types.OID, oid uint32) string {
	if oid == 0 {
		return "-"
	}
	switch kind {
	case types.OIDRegclass:
		if r := c.relation(oid); r != nil {
			return c.qualified(r.Schema, r.Name)
		}
		if x, ok := c.findIndex(oid); ok {
			return c.qualified(x.rel.Schema, x.name)
		}
	case types.OIDRegtype:
		return c.typeName(types.OID(oid), -1)
	case types.OIDRegnamespace:
		if n, ok := c.schemaName(oid); ok {
			return quoteIdent(n)
		}
	case types.OIDRegproc, types.OIDRegprocedure:
		p, ok := c.findProc(oid)
		switch {
		case ok && kind == types.OIDRegproc:
			return c.FunctionName(oid)
		case ok:
			return quoteIdent(p.Name) + "(" + strings.Join(c.typeNames(p.Args), ",") + ")"
		}
	case types.OIDRegoper, types.OIDRegoperator:
		if s, ok := operatorName(oid, kind == types.OIDRegoperator); ok {
			return s
		}
	case types.OIDRegcollation:
		for _, row := range staticRows()["pg_collation"] {
			if number(*row[0]) == oid {
				return quoteIdent(*row[1])
			}
		}
	case types.OIDRegrole:
		if n, ok := c.roleName(oid); ok {
			return quoteIdent(n)
		}
	default:
	}
	return strconv.FormatUint(uint64(oid), 10)
}

// Number is the OID of what a text names. Errors: 42P01, 42704, 42883, 3F000.
func (c *Catalog) Number(kind types.OID, text string) (uint32, error) {
	t := strings.TrimSpace(text)
	if t == "-" {
		return 0, nil
	}
	if v, err := strconv.ParseUint(t, 10, 32); err == nil {
		return uint32(v), nil
	}
	if kind == types.OIDRegprocedure || kind == types.OIDRegoper || kind == types.OIDRegoperator {
		return c.signature(kind, t)
	}
	parts, err := splitName(t)
	if err != nil {
		return 0, err
	}
	schema, name := "", parts[len(parts)-1]
	if len(parts) > 1 {
		schema = parts[len(parts)-2]
	}
	switch kind {
	case types.OIDRegclass:
		if schema != "" && c.Snapshot.HasSchema(schema) && schema != c.Temp && !c.Snapshot.MayUseSchema(c.User, schema, auth.Usage) {
			return 0, catalog.Denied("schema", schema)
		}
		if oid := c.findRelation(schema, name); oid != 0 {
			return oid, nil
		}
		return 0, pgerror.NoSuchRelation(text)
	case types.OIDRegnamespace:
		if oid := c.schemaOID(name); oid != 0 {
			return oid, nil
		}
		return 0, pgerror.New(pgerror.InvalidSchemaName, "schema %q does not exist", name)
	case types.OIDRegproc:
		for _, p := range c.procs() {
			if p.Name == name {
				return p.oid, nil
			}
		}
		if oid := builtins().byName[name]; oid != 0 {
			return oid, nil
		}
		return 0, pgerror.New(pgerror.UndefinedFunction, "function %q does not exist", text)
	case types.OIDRegcollation:
		for _, row := range staticRows()["pg_collation"] {
			if *row[1] == name {
				return number(*row[0]), nil
			}
		}
		return 0, pgerror.New(pgerror.UndefinedObject, "collation %q does not exist", text)
	case types.OIDRegrole:
		if oid := c.roleOID(name); oid != 0 {
			return oid, nil
		}
		return 0, pgerror.New(pgerror.UndefinedObject, "role %q does not exist", name)
	default:
	}
	return c.findType(text, schema, name)
}

// signature finds a function or operator by name and argument types.
func (c *Catalog) signature(kind types.OID, text string) (uint32, error) {
	name, list, hasArgs := strings.Cut(text, "(")
	parts := strings.Split(name, ".")
	name = strings.Trim(strings.TrimSpace(parts[len(parts)-1]), `"`)
	var args []types.OID
	for a := range strings.SplitSeq(strings.TrimSuffix(list, ")"), ",") {
		if a = strings.TrimSpace(a); a == "" {
			continue
		}
		oid, err := c.Number(types.OIDRegtype, a)
		if err != nil {
			return 0, err
		}
		args = append(args, types.OID(oid))
	}
	if kind == types.OIDRegprocedure {
		for _, p := range c.procs() {
			if p.Name == name && hasArgs && slices.Equal(p.Args, args) {
				return p.oid, nil
			}
		}
		return 0, pgerror.New(pgerror.UndefinedFunction, "function %q does not exist", text)
	}
	for _, o := range builtins().operators {
		if o.name == name && (!hasArgs || slices.Equal(o.args, args)) {
			return o.oid, nil
		}
	}
	return 0, pgerror.New(pgerror.UndefinedFunction, "operator does not exist: %s", text)
}

func operatorName(oid uint32, full bool) (string, bool) {
	for _, o := range builtins().operators {
		if o.oid != oid {
			continue
		}
		if !full {
			return o.name, true
		}
		args := typeTexts(o.args)
		for i, a := range o.args {
			if a == 0 {
				args[i] = "NONE"
			}
		}
		return o.name + "(" + strings.Join(args, ",") + ")", true
	}
	return "", false
}

func (c *Catalog) typeNames(oids []types.OID) []string {
	out := make([]string, len(oids))
	for i, o := range oids {
		out[i] = c.typeName(o, -1)
	}
	return out
}

func typeTexts(oids []types.OID) []string {
	out := make([]string, len(oids))
	for i, o := range oids {
		out[i] = typeText(o, -1)
	}
	return out
}

// findType reads a type name, or that of a relation's row type.
func (c *Catalog) findType(text, schema, name string) (uint32, error) {
	own := uint32(0)
	if !types.IsBuiltin(name) { // the dialect's other names for types give way
		own = c.findUserType(schema, name)
	}
	if own != 0 {
		return own, nil
	}
	d, err := types.DecodeText(types.Regtype, []byte(text), nil)
	if err == nil {
		return uint32(d.I), nil
	}
	if schema == schemaPG {
		if t, e := types.Lookup(name, nil); e == nil {
			return uint32(t.OID), nil
		}
	}
	if base, ok := strings.CutSuffix(name, "[]"); ok {
		if oid := c.findUserType(schema, base); oid != 0 {
			arr, _ := types.Type{OID: types.OID(oid), Mod: -1}.Array()
			return uint32(arr.OID), nil
		}
	}
	for _, row := range staticRows()["pg_type"] {
		if *row[1] == name {
			return number(*row[0]), nil
		}
	}
	return 0, pgerror.New(pgerror.UndefinedObject, "type %q does not exist", text)
}

// path is the schemas that a name is looked for in.
func (c *Catalog) path(schema string) []string {
	if schema == catalog.TempAlias && c.Temp != "" {
		schema = c.Temp
	}
	if schema != "" {
		return []string{schema}
	}
	return c.SearchPath
}

// findRelation is the OID of a relation or index by name, 0: there is none.
func (c *Catalog) findRelation(schema, name string) uint32 {
	if schema == "" || HasSchema(schema) {
		if r := Relation(schema, name); r != nil {
			return r.ID
		}
	}
	for _, s := range c.path(schema) {
		if r := c.Snapshot.Relation(s, name); r != nil {
			return r.ID
		}
		if oid := c.indexNamed(s, name); oid != 0 {
			return oid
		}
	}
	return 0
}

// splitName takes a name apart at its dots, folding what is not quoted.
func splitName(s string) ([]string, error) {
	bad := func() error { return pgerror.New(pgerror.InvalidName, "invalid name syntax") }
	var parts []string
	for {
		part, rest, ok := cutName(s)
		if !ok {
			return nil, bad()
		}
		parts = append(parts, part)
		if rest == "" {
			return parts, nil
		}
		if rest[0] != '.' {
			return nil, bad()
		}
		s = rest[1:]
	}
}

func cutName(s string) (part, rest string, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		i := strings.IndexByte(s, '.')
		if i < 0 {
			i = len(s)
		}
		return strings.ToLower(strings.TrimSpace(s[:i])), s[i:], i > 0
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		if s[i] != '"' {
			b.WriteByte(s[i])
			continue
		}
		if i+1 < len(s) && s[i+1] == '"' {
			b.WriteByte('"')
			i++
			continue
		}
		return b.String(), s[i+1:], b.Len() > 0
	}
	return "", "", false
}

// qualified is a relation's name, with its schema where search_path finds
// another or none.
func (c *Catalog) qualified(schema, name string) string {
	if c.visible(schema, name) {
		return quoteIdent(name)
	}
	return quoteIdent(schema) + "." + quoteIdent(name)
}

// visible reports that search_path finds schema.name by its name alone.
func (c *Catalog) visible(schema, name string) bool {
	if schema == schemaPG {
		return true
	}
	if Relation(schemaPG, name) != nil {
		return false
	}
	for _, s := range c.SearchPath {
		if s == schema {
			return true
		}
		if c.Snapshot.Relation(s, name) != nil {
			return false
		}
	}
	return false
}

func (c *Catalog) inPath(schema string) bool {
	return schema == schemaPG || slices.Contains(c.SearchPath, schema)
}

// typeName is format_type: the SQL name of a type, with its modifier.
func (c *Catalog) typeName(oid types.OID, mod int32) string {
	if schema, name, array, ok := c.userTyped(oid); ok {
		out := quoteIdent(name)
		if !c.typeVisibleIn(schema, name) {
			out = quoteIdent(schema) + "." + out
		}
		if array {
			out += "[]"
		}
		return out
	}
	return typeText(oid, mod)
}

// typeText is the SQL name of a built-in type.
func typeText(oid types.OID, mod int32) string {
	if oid == 0 {
		return "-"
	}
	t := types.Type{OID: oid, Mod: mod}
	if _, ok := t.Info(); ok {
		return t.String()
	}
	for _, row := range staticRows()["pg_type"] {
		if types.OID(number(*row[0])) == oid {
			if *row[1] == "any" {
				return `"any"`
			}
			return *row[1]
		}
	}
	return "???"
}

// quoteIdent quotes a name where SQL needs it. Names that are reserved words are
// quoted.
func quoteIdent(s string) string {
	plain := s != ""
	for i := range len(s) {
		c := s[i]
		plain = plain && (c >= 'a' && c <= 'z' || c == '_' || i > 0 && (c >= '0' && c <= '9'))
	}
	if plain && !reserved(s) {
		return s
	}
	return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
}
