package pgcatalog

import (
	"math"
	"slices"
	"strings"

	"velostream/catalog"
	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
)

// encodingUTF8 is PostgreSQL's number of the encoding UTF8.
const encodingUTF8 = 6

// function computes a function of the catalogs.
type function func(c *Catalog, args []types.Datum) (any, error)

// Call computes a function about objects of the database; functions that the
// catalogs do not have are 42883. It implements expr.Catalog.
func (c *Catalog) Call(name string, args []types.Datum) (types.Datum, error) {
	f := functionTable[name]
	if f == nil {
		if strings.HasSuffix(name, "_is_visible") {
			return types.BoolDatum(true), nil
		}
		return types.Datum{}, pgerror.New(pgerror.UndefinedFunction, "function %s does not exist", name)
	}
	v, err := f(c, args)
	if err != nil {
		return types.Datum{}, err
	}
	return datum(v), nil
}

// oidArg is an argument that is an OID.
func oidArg(d types.Datum) uint32 { return uint32(d.I) }

// functionTable is every function by name. Strict ones are never called with
// NULL: expr sees to it.
var functionTable = withAdvisory(map[string]function{
	"format_type":                        formatType,
	"pg_get_viewdef":                     viewDefinition,
	"pg_get_expr":                        getExpr,
	"pg_get_indexdef":                    indexDef,
	"pg_get_constraintdef":               constraintDef,
	"pg_get_functiondef":                 functionDef,
	"pg_get_function_arguments":          func(c *Catalog, a []types.Datum) (any, error) { return c.arguments(oidArg(a[0])), nil },
	"pg_get_function_identity_arguments": func(c *Catalog, a []types.Datum) (any, error) { return c.arguments(oidArg(a[0])), nil },
	"pg_get_function_result":             functionResult,
	"pg_get_function_sqlbody":            null,
	"pg_get_triggerdef":                  null,
	"pg_get_ruledef":                     ruleDef,
	"pg_get_partkeydef":                  null,
	"pg_get_statisticsobjdef_columns":    null,
	"pg_get_serial_sequence":             serialSequence,
	"pg_sequence_last_value":             sequenceLastValue,
	"pg_get_userbyid":                    userByID,
	"obj_description":                    objDescription,
	"col_description": func(c *Catalog, a []types.Datum) (any, error) {
		return c.comment(oidArg(a[0]), classClass, int(a[1].I)), nil
	},
	"shobj_description":            objDescription,
	"pg_table_is_visible":          tableVisible,
	"pg_type_is_visible":           typeVisible,
	"pg_function_is_visible":       functionVisible,
	"pg_table_size":                relationSize(true, false),
	"pg_relation_size":             relationSize(true, false),
	"pg_total_relation_size":       relationSize(true, true),
	"pg_indexes_size":              relationSize(false, true),
	"pg_tablespace_size":           func(c *Catalog, _ []types.Datum) (any, error) { return databaseSize(c, nil) },
	"pg_database_size":             databaseSize,
	"pg_encoding_to_char":          func(_ *Catalog, a []types.Datum) (any, error) { return encodingNames[a[0].I], nil },
	"pg_char_to_encoding":          charToEncoding,
	"getdatabaseencoding":          func(*Catalog, []types.Datum) (any, error) { return "UTF8", nil },
	"pg_client_encoding":           func(c *Catalog, _ []types.Datum) (any, error) { return c.Encoding, nil },
	"current_schemas":              currentSchemas,
	"pg_is_in_recovery":            func(*Catalog, []types.Datum) (any, error) { return false, nil },
	"txid_current":                 func(c *Catalog, _ []types.Datum) (any, error) { return int64(c.Snapshot.Version), nil },
	"pg_postmaster_start_time":     func(c *Catalog, _ []types.Datum) (any, error) { return c.Started, nil },
	"pg_conf_load_time":            func(c *Catalog, _ []types.Datum) (any, error) { return c.Started, nil },
	"pg_tablespace_location":       func(*Catalog, []types.Datum) (any, error) { return "", nil },
	"pg_relation_is_publishable":   func(*Catalog, []types.Datum) (any, error) { return false, nil },
	"pg_relation_filenode":         func(_ *Catalog, a []types.Datum) (any, error) { return oidArg(a[0]), nil },
	"pg_index_column_has_property": indexProperty,
	"pg_stat_get_numscans":         zero,
	"pg_my_temp_schema":            func(c *Catalog, _ []types.Datum) (any, error) { return c.schemaOID(c.Temp), nil },
	"pg_is_other_temp_schema": func(c *Catalog, a []types.Datum) (any, error) {
		name, ok := c.schemaName(oidArg(a[0]))
		return ok && catalog.IsTemp(name) && name != c.Temp, nil
	},
	"pg_blocking_pids":                   func(*Catalog, []types.Datum) (any, error) { return []int{}, nil },
	"pg_current_logfile":                 null,
	"pg_has_role":                        hasRole,
	"to_regclass":                        toReg(types.OIDRegclass),
	"to_regtype":                         toReg(types.OIDRegtype),
	"to_regnamespace":                    toReg(types.OIDRegnamespace),
	"to_regproc":                         toReg(types.OIDRegproc),
	"has_table_privilege":                hasTable,
	"has_any_column_privilege":           hasAnyColumn,
	"has_column_privilege":               hasColumn,
	"has_sequence_privilege":             hasSequence,
	"has_schema_privilege":               hasSchema,
	"has_database_privilege":             hasDatabase,
	"has_function_privilege":             hasFunction,
	"has_language_privilege":             hasOther,
	"has_tablespace_privilege":           hasOther,
	"has_type_privilege":                 hasOther,
	"has_server_privilege":               hasOther,
	"has_foreign_data_wrapper_privilege": hasOther,
	"acldefault":                         defaultACL,
	"pg_cancel_backend":                  signal(func(c *Catalog) func(uint32) bool { return c.Cancel }),
	"pg_terminate_backend":               signal(func(c *Catalog) func(uint32) bool { return c.Terminate }),
	"set_config":                         setConfig,
	"pg_reload_conf":                     reloadConf,
	"pg_sleep":                           sleep,
	"pg_notify":                          notify,
	"pg_stat_file":                       null,
	"pg_describe_object":                 describeObject,
})

func null(*Catalog, []types.Datum) (any, error) { return nil, nil }
func zero(*Catalog, []types.Datum) (any, error) { return 0, nil }

func formatType(c *Catalog, a []types.Datum) (any, error) {
	if a[0].Null {
		return nil, nil
	}
	mod := int32(-1)
	if !a[1].Null {
		mod = int32(a[1].I)
		if name := bareName(types.OID(a[0].I)); name != "" && mod < 0 {
			return name, nil
		}
	}
	return c.typeName(types.OID(a[0].I), mod), nil
}

// bareName is the name of a type that is said to have no modifier, where that of
// SQL would mean a length of 1.
func bareName(o types.OID) string {
	elem, isArray := (types.Type{OID: o, Mod: -1}).Elem()
	if isArray {
		o = elem.OID
	}
	name := map[types.OID]string{types.OIDBit: `"bit"`, types.OIDBpchar: "bpchar"}[o]
	if name != "" && isArray {
		name += "[]"
	}
	return name
}

func viewDefinition(c *Catalog, a []types.Datum) (any, error) {
	oid := oidArg(a[0])
	if a[0].B != nil {
		var err error
		if oid, err = c.Number(types.OIDRegclass, string(a[0].B)); err != nil {
			return nil, err
		}
	}
	r := c.relation(oid)
	if r == nil {
		return nil, nil
	}
	pretty, wrap := false, 0
	if len(a) > 1 {
		pretty = a[1].I != 0
		if a[1].I > 1 {
			wrap = int(a[1].I)
		}
	}
	return orNull(c.viewText(r, pretty, wrap)), nil
}

func quoteAll(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = quoteIdent(n)
	}
	return out
}

func indexDef(c *Catalog, a []types.Datum) (any, error) {
	x, ok := c.findIndex(oidArg(a[0]))
	if !ok {
		return nil, nil
	}
	pretty := len(a) > 2 && a[2].Bool()
	if len(a) == 1 || a[1].I == 0 {
		return x.text(c, pretty), nil
	}
	if i := int(a[1].I); i >= 1 && i <= len(x.columns) {
		return x.keyTexts(c, pretty)[i-1], nil
	}
	return "", nil
}

func constraintDef(c *Catalog, a []types.Datum) (any, error) {
	for _, k := range c.constraints() {
		if k.ID == oidArg(a[0]) {
			return k.text(c, len(a) > 1 && a[1].Bool()), nil
		}
	}
	for _, t := range c.domains() {
		for _, k := range t.Checks {
			if k.ID == oidArg(a[0]) {
				return c.domainCheckText(t, k, len(a) > 1 && a[1].Bool()), nil
			}
		}
	}
	return nil, nil
}

func (c *Catalog) arguments(oid uint32) any {
	p, ok := c.findProc(oid)
	if !ok {
		return nil
	}
	args := make([]string, len(p.Args))
	for i, t := range p.Args {
		args[i] = c.typeName(t, -1)
		if p.user != nil && p.user.ArgNames[i] != "" {
			args[i] = quoteIdent(p.user.ArgNames[i]) + " " + args[i]
		}
		if p.Variadic && i == len(args)-1 {
			args[i] = "VARIADIC " + args[i]
		}
	}
	return strings.Join(args, ", ")
}

func functionResult(c *Catalog, a []types.Datum) (any, error) {
	p, ok := c.findProc(oidArg(a[0]))
	if !ok {
		return nil, nil
	}
	if p.Set {
		return "SETOF " + c.typeName(p.Ret, -1), nil
	}
	return c.typeName(p.Ret, -1), nil
}

func functionDef(c *Catalog, a []types.Datum) (any, error) {
	p, ok := c.findProc(oidArg(a[0]))
	if !ok {
		return nil, nil
	}
	if p.Kind == 'a' {
		return nil, pgerror.New(pgerror.WrongObjectType, "%q is an aggregate function", p.Name)
	}
	ret, _ := functionResult(c, a)
	if u := p.user; u != nil {
		text := "CREATE OR REPLACE FUNCTION " + quoteIdent(u.Schema) + "." + quoteIdent(u.Name) + "(" + c.arguments(p.oid).(string) + ")\n RETURNS " +
			ret.(string) + "\n LANGUAGE sql\n"
		var words []string
		if u.Volatility != "VOLATILE" {
			words = append(words, u.Volatility)
		}
		if u.Strict {
			words = append(words, "STRICT")
		}
		if len(words) > 0 {
			text += " " + strings.Join(words, " ") + "\n"
		}
		tag := "$function$"
		for strings.Contains(u.Body, tag) {
			tag = tag[:len(tag)-1] + "x$"
		}
		return text + "AS " + tag + u.Body + tag + "\n", nil
	}
	text := "CREATE OR REPLACE FUNCTION pg_catalog." + quoteIdent(p.Name) + "(" + c.arguments(p.oid).(string) + ")\n RETURNS " +
		ret.(string) + "\n LANGUAGE internal\n " + strings.ToUpper(volatilities[p.Volatility])
	if p.Strict {
		text += " STRICT"
	}
	return text + "\nAS $function$" + p.Name + "$function$\n", nil
}

func ruleDef(c *Catalog, a []types.Datum) (any, error) {
	for _, r := range c.relations() {
		if viewQuery(r) != "" && ruleOID(r) == oidArg(a[0]) {
			return "CREATE RULE \"_RETURN\" AS ON SELECT TO " + quoteIdent(r.Schema) + "." + quoteIdent(r.Name) + " DO INSTEAD" + c.viewText(r, false, 0), nil
		}
	}
	return nil, nil
}

func userByID(c *Catalog, a []types.Datum) (any, error) {
	if n, ok := c.roleName(oidArg(a[0])); ok {
		return n, nil
	}
	return "unknown (OID=" + itoa(a[0].I) + ")", nil
}

func (c *Catalog) comment(oid, class uint32, sub int) any {
	if s, ok := c.description(oid, class, sub); ok {
		return s
	}
	return nil
}

var classes = map[string]uint32{
	"pg_class": classClass, "pg_namespace": classNamespace, "pg_proc": classProc, "pg_database": classDatabase,
	"pg_type": classType, "pg_constraint": classConstraint, "pg_operator": classOperator,
}

func objDescription(c *Catalog, a []types.Datum) (any, error) {
	class := uint32(classClass)
	if len(a) > 1 {
		class = classes[string(a[1].B)]
	}
	return c.comment(oidArg(a[0]), class, 0), nil
}

func tableVisible(c *Catalog, a []types.Datum) (any, error) {
	oid := oidArg(a[0])
	if x, ok := c.findIndex(oid); ok {
		return c.visible(x.rel.Schema, x.name), nil
	}
	r := c.relation(oid)
	if r == nil {
		return nil, nil
	}
	return c.visible(r.Schema, r.Name), nil
}

func functionVisible(c *Catalog, a []types.Datum) (any, error) {
	p, ok := c.findProc(oidArg(a[0]))
	return ok && (p.user == nil || c.inPath(p.user.Schema)), nil
}

func typeVisible(c *Catalog, a []types.Datum) (any, error) {
	oid := oidArg(a[0])
	if (types.Type{OID: types.OID(oid), Mod: -1}).IsUser() {
		schema, name, _, ok := c.userTyped(types.OID(oid))
		return ok && c.typeVisibleIn(schema, name), nil
	}
	return true, nil
}

// relationSize is pg_relation_size and its like: rows, indexes, or both.
func relationSize(rows, indexes bool) function {
	return func(c *Catalog, a []types.Datum) (any, error) {
		r := c.relation(oidArg(a[0]))
		if r == nil {
			x, ok := c.findIndex(oidArg(a[0]))
			switch {
			case !ok:
				return nil, nil
			case c.MeasureIndex == nil || x.primary:
				return int64(0), nil
			}
			return c.MeasureIndex(x.oid), nil
		}
		sum := int64(0)
		if rows {
			sum += c.size(r)
		}
		if indexes {
			sum += c.indexSize(r)
		}
		return sum, nil
	}
}

func databaseSize(c *Catalog, a []types.Datum) (any, error) {
	if len(a) > 0 && a[0].B != nil && !slices.Contains(c.databases(), string(a[0].B)) {
		return nil, pgerror.New(pgerror.InvalidCatalogName, "database %q does not exist", a[0].B)
	}
	sum := int64(0)
	for _, r := range c.relations() {
		if sum < math.MaxInt64/2 {
			sum += c.size(r) + c.indexSize(r)
		}
	}
	return sum, nil
}

var encodingNames = map[int64]string{0: "SQL_ASCII", encodingUTF8: "UTF8", 8: "LATIN1"}

func charToEncoding(_ *Catalog, a []types.Datum) (any, error) {
	switch strings.ToUpper(strings.NewReplacer("-", "", "_", "").Replace(string(a[0].B))) {
	case "UTF8", "UNICODE":
		return encodingUTF8, nil
	case "SQLASCII":
		return 0, nil
	case "LATIN1", "ISO88591":
		return 8, nil
	}
	return -1, nil
}

func currentSchemas(c *Catalog, a []types.Datum) (any, error) {
	var out []string
	named := c.SearchPath
	if c.TempImplied {
		if named = named[1:]; a[0].Bool() {
			out = append(out, c.Temp)
		}
	}
	if a[0].Bool() && !slices.Contains(named, schemaPG) {
		out = append(out, schemaPG)
	}
	return append(out, named...), nil
}

func indexProperty(c *Catalog, a []types.Datum) (any, error) {
	x, ok := c.findIndex(oidArg(a[0]))
	i := int(a[1].I) - 1
	if !ok || i < 0 || i >= len(x.columns) {
		return nil, nil
	}
	if i >= x.keys { // named by INCLUDE
		return map[string]any{"returnable": true, "distance_orderable": false, "orderable": false}[string(a[2].B)], nil
	}
	o := x.order[i]
	switch string(a[2].B) {
	case "asc":
		return !o.Desc, nil
	case "desc":
		return o.Desc, nil
	case "nulls_first":
		return o.NullsFirst, nil
	case "nulls_last":
		return !o.NullsFirst, nil
	case "orderable", "returnable", "search_array", "search_nulls":
		return true, nil
	case "distance_orderable":
		return false, nil
	}
	return nil, nil
}

func toReg(kind types.OID) function {
	return func(c *Catalog, a []types.Datum) (any, error) {
		oid, err := c.Number(kind, string(a[0].B))
		if err != nil {
			return nil, nil //nolint:nilerr // NULL is the answer for what does not exist
		}
		return oid, nil
	}
}

func signal(of func(c *Catalog) func(uint32) bool) function {
	return func(c *Catalog, a []types.Datum) (any, error) {
		f := of(c)
		if f == nil {
			return false, nil
		}
		if err := c.maySignal(oidArg(a[0])); err != nil {
			return nil, err
		}
		return f(oidArg(a[0])), nil
	}
}

func setConfig(c *Catalog, a []types.Datum) (any, error) {
	if c.SetConfig == nil || a[0].Null {
		return nil, nil
	}
	return c.SetConfig(string(a[0].B), string(a[1].B), a[2].Bool())
}

func sleep(c *Catalog, a []types.Datum) (any, error) {
	if c.Sleep == nil {
		return "", nil
	}
	return "", c.Sleep(a[0].F)
}

func notify(c *Catalog, a []types.Datum) (any, error) {
	if c.Notify == nil {
		return "", nil
	}
	return "", c.Notify(string(a[0].B), string(a[1].B)) // of NULL: the empty string
}

func describeObject(c *Catalog, a []types.Datum) (any, error) {
	switch oidArg(a[0]) {
	case classClass:
		if r := c.relation(oidArg(a[1])); r != nil {
			if n := int(a[2].I); n > 0 && n <= len(r.Columns) {
				return "column " + quoteIdent(r.Columns[n-1].Name) + " of " + string(r.Kind) + " " + c.qualified(r.Schema, r.Name), nil
			}
			return string(r.Kind) + " " + c.qualified(r.Schema, r.Name), nil
		}
	case classNamespace:
		if n, ok := c.schemaName(oidArg(a[1])); ok {
			return "schema " + n, nil
		}
	}
	return nil, nil
}

func reloadConf(c *Catalog, _ []types.Datum) (any, error) {
	if c.Reload == nil {
		return true, nil
	}
	return c.Reload()
}
