package expr

import (
	"math"
	"math/big"
	"strconv"
	"strings"

	"velostream/catalog/types"
	"velostream/pgwire/pgerror"
)

// Catalog computes functions about objects of the database, which need more
// than their arguments. It is for the goroutine that evaluates.
type Catalog interface {
	// Call computes the function name; arguments of strict functions are not
	// NULL. Errors are *pgerror.Error.
	Call(name string, args []types.Datum) (types.Datum, error)
	// Set calls row with each row of the set-returning function name; the slice
	// is reused. It ends with row's error.
	Set(name string, args []types.Datum, row func([]types.Datum) error) error
}

// catalogFamily is the table of functions about objects of the database
// (https://www.postgresql.org/docs/15/functions-info.html, functions-admin.html).
//
//nolint:revive // function-length: a table
func catalogFamily() []Function {
	lines := []struct{ sigs, doc string }{
		{"pg_get_viewdef(oid) text|pg_get_viewdef(oid,bool) text|pg_get_viewdef(oid,int4) text|pg_get_viewdef(text) text|pg_get_viewdef(text,bool) text", "query of a view"},
		{"pg_get_indexdef(oid) text|pg_get_indexdef(oid,int4,bool) text", "statement that makes an index, or one of its columns"},
		{"pg_get_constraintdef(oid) text|pg_get_constraintdef(oid,bool) text", "definition of a constraint"},
		{"pg_get_functiondef(oid) text", "statement that makes a function"},
		{"pg_get_function_arguments(oid) text", "argument list of a function"},
		{"pg_get_function_identity_arguments(oid) text", "argument list that identifies a function"},
		{"pg_get_function_result(oid) text", "result type of a function"},
		{"pg_get_function_sqlbody(oid) text", "body of a function in standard SQL"},
		{"pg_get_triggerdef(oid) text|pg_get_triggerdef(oid,bool) text", "definition of a trigger"},
		{"pg_get_ruledef(oid) text|pg_get_ruledef(oid,bool) text", "definition of a rule"},
		{"pg_get_partkeydef(oid) text", "partition key of a table"},
		{"pg_get_statisticsobjdef_columns(oid) text", "columns of a statistics object"},
		{"pg_get_serial_sequence(text,text) text", "sequence behind a column"},
		{"pg_sequence_last_value(regclass) int8", "number that a sequence gave last, NULL: none"},
		{"pg_get_userbyid(oid) name", "name of a role"},
		{"obj_description(oid,name) text|obj_description(oid) text", "comment of an object"},
		{"col_description(oid,int4) text", "comment of a column"},
		{"shobj_description(oid,name) text", "comment of an object of all databases"},
		{"pg_table_is_visible(oid) bool", "relation is found by its name alone"},
		{"pg_type_is_visible(oid) bool", "type is found by its name alone"},
		{"pg_function_is_visible(oid) bool", "function is found by its name alone"},
		{"pg_operator_is_visible(oid) bool|pg_opclass_is_visible(oid) bool|pg_opfamily_is_visible(oid) bool|pg_collation_is_visible(oid) bool|" +
			"pg_conversion_is_visible(oid) bool|pg_statistics_obj_is_visible(oid) bool|pg_ts_config_is_visible(oid) bool|" +
			"pg_ts_parser_is_visible(oid) bool|pg_ts_dict_is_visible(oid) bool|pg_ts_template_is_visible(oid) bool", "object is found by its name alone"},
		{"has_table_privilege(oid,text) bool|has_table_privilege(text,text) bool|has_table_privilege(name,oid,text) bool|has_table_privilege(name,text,text) bool|has_table_privilege(oid,oid,text) bool|has_table_privilege(oid,text,text) bool", "role may do something with a relation"},
		{"has_any_column_privilege(oid,text) bool|has_any_column_privilege(text,text) bool|has_any_column_privilege(name,oid,text) bool|has_any_column_privilege(name,text,text) bool|has_any_column_privilege(oid,oid,text) bool|has_any_column_privilege(oid,text,text) bool", "role may do something with a column of a relation"},
		{"pg_table_size(regclass) int8", "bytes of a relation"},
		{"pg_relation_size(regclass) int8|pg_relation_size(regclass,text) int8", "bytes of a relation"},
		{"pg_total_relation_size(regclass) int8", "bytes of a relation and its indexes"},
		{"pg_indexes_size(regclass) int8", "bytes of a relation's indexes"},
		{"pg_database_size(oid) int8|pg_database_size(name) int8", "bytes of a database"},
		{"pg_tablespace_size(oid) int8|pg_tablespace_size(name) int8", "bytes of a tablespace"},
		{"pg_encoding_to_char(int4) name", "name of an encoding"},
		{"pg_char_to_encoding(name) int4", "number of an encoding"},
		{"getdatabaseencoding() name", "encoding of the database"},
		{"pg_client_encoding() name", "encoding of the client"},
		{"current_schemas(bool) name[]", "schemas of the search path"},
		{"pg_is_in_recovery() bool", "server is a standby: false"},
		{"txid_current() int8", "version of the catalog"},
		{"pg_postmaster_start_time() timestamptz", "start of the server"},
		{"pg_conf_load_time() timestamptz", "time when the configuration was read"},
		{"pg_tablespace_location(oid) text", "folder of a tablespace"},
		{"pg_relation_is_publishable(regclass) bool", "relation can be in a publication"},
		{"pg_relation_filenode(regclass) oid", "file of a relation"},
		{"pg_index_column_has_property(regclass,int4,text) bool", "property of an index column"},
		{"pg_stat_get_numscans(oid) int8", "number of scans of a relation"},
		{"pg_my_temp_schema() oid", "schema of the session's temporary relations, 0: it has none"},
		{"pg_is_other_temp_schema(oid) bool", "schema of another session's temporary relations"},
		{"pg_blocking_pids(int4) int4[]", "sessions that a session waits for"},
		{"pg_current_logfile() text", "log file: NULL"},
		{"pg_has_role(oid,text) bool|pg_has_role(name,text) bool|pg_has_role(name,name,text) bool|pg_has_role(name,oid,text) bool|pg_has_role(oid,oid,text) bool|pg_has_role(oid,name,text) bool", "role is member of a role"},
		{"to_regclass(text) regclass", "relation of a name, NULL if there is none"},
		{"to_regtype(text) regtype", "type of a name, NULL if there is none"},
		{"to_regnamespace(text) regnamespace", "schema of a name, NULL if there is none"},
		{"to_regproc(text) regproc", "function of a name, NULL if there is none"},
		{"pg_describe_object(oid,oid,int4) text", "description of an object"},
		{"acldefault(char,oid) text[]", "access control list of an object that nothing was granted on"},
	}
	for _, k := range []string{"schema", "database", "function", "language", "sequence", "tablespace", "type", "server", "foreign_data_wrapper"} {
		n := "has_" + k + "_privilege"
		lines = append(lines, struct{ sigs, doc string }{
			n + "(oid,text) bool|" + n + "(text,text) bool|" + n + "(name,oid,text) bool|" + n + "(name,text,text) bool|" +
				n + "(oid,oid,text) bool|" + n + "(oid,text,text) bool",
			"role may use a " + k,
		})
	}
	n := "has_column_privilege"
	lines = append(lines, struct{ sigs, doc string }{
		n + "(oid,text,text) bool|" + n + "(oid,int2,text) bool|" + n + "(text,text,text) bool|" + n + "(text,int2,text) bool|" +
			n + "(name,text,text,text) bool|" + n + "(name,oid,text,text) bool|" + n + "(name,text,int2,text) bool|" + n + "(name,oid,int2,text) bool|" +
			n + "(oid,text,text,text) bool|" + n + "(oid,oid,text,text) bool|" + n + "(oid,text,int2,text) bool|" + n + "(oid,oid,int2,text) bool", "role may use a column",
	})
	var defs []def
	for _, l := range lines {
		for sig := range strings.SplitSeq(l.sigs, "|") {
			name := parseSignature(sig).Name
			defs = append(defs, def{sig: sig, scalar: fromCatalog(name), volatility: Stable, doc: l.doc})
		}
	}
	return table(append(defs, actions()...))
}

// actions are functions that do something.
func actions() []def {
	d := func(sig, doc string, nullCall bool) def {
		return def{sig: sig, scalar: fromCatalog(parseSignature(sig).Name), volatility: Volatile, nullCall: nullCall, doc: doc}
	}
	advisory := []def{d("pg_advisory_unlock_all() void", "lets go of all advisory locks of the session", false)}
	for _, shared := range []string{"", "_shared"} {
		for _, args := range []string{"(int8)", "(int4,int4)"} {
			a := shared + args
			advisory = append(advisory,
				d("pg_advisory_lock"+a+" void", "waits for an advisory lock and takes it for the session", false),
				d("pg_advisory_xact_lock"+a+" void", "waits for an advisory lock and takes it for the transaction", false),
				d("pg_try_advisory_lock"+a+" bool", "takes an advisory lock for the session where it is free", false),
				d("pg_try_advisory_xact_lock"+a+" bool", "takes an advisory lock for the transaction where it is free", false),
				d("pg_advisory_unlock"+a+" bool", "lets go of an advisory lock of the session", false))
		}
	}
	return append(advisory, []def{
		d("set_config(text,text,bool) text", "sets a run-time parameter", true),
		d("pg_cancel_backend(int4) bool", "cancels what a session does", false),
		d("pg_terminate_backend(int4) bool", "ends a session", false),
		d("pg_reload_conf() bool", "reads the files again that say who may connect", false),
		d("pg_sleep(float8) void", "waits for seconds", false),
		d("pg_notify(text,text) void", "sends a notification to who listens to a channel", true),
		{sig: "format_type(oid,int4) text", scalar: formatType, nullCall: true, volatility: Stable, doc: "SQL name of a type with its modifier"},
		{sig: "pg_get_expr(text,oid) text", scalar: getExpr, volatility: Stable, doc: "text of a stored expression"},
		{sig: "pg_get_expr(text,oid,bool) text", scalar: getExpr, volatility: Stable, doc: "text of a stored expression"},
		{sig: "parse_ident(text) text[]", scalar: parseIdent, doc: "parts of a qualified name"},
		{sig: "parse_ident(text,bool) text[]", scalar: parseIdent, doc: "parts of a qualified name"},
		{sig: "pg_size_bytes(text) int8", scalar: sizeBytes, doc: "bytes of a size with its unit"},
		{sig: "pg_size_pretty(int8) text", scalar: sizePretty, doc: "bytes in the unit that suits"},
		{sig: "pg_size_pretty(numeric) text", scalar: sizePrettyNumeric, doc: "bytes in the unit that suits"},
	}...)
}

// formatType also knows the row types of relations where there is a catalog.
func formatType(c *CallContext, a []datum) (datum, error) {
	if c.Env != nil && c.Env.Catalog != nil {
		return c.Env.Catalog.Call("format_type", a)
	}
	if a[0].Null {
		return null()
	}
	t := types.Type{OID: types.OID(a[0].I), Mod: -1}
	if _, ok := t.Info(); !ok {
		return str("???")
	}
	if !a[1].Null {
		t.Mod = int32(a[1].I)
	}
	return str(t.String())
}

// getExpr is pg_get_expr, which without a catalog gives what is stored.
func getExpr(c *CallContext, a []datum) (datum, error) {
	if c.Env != nil && c.Env.Catalog != nil {
		return c.Env.Catalog.Call("pg_get_expr", a)
	}
	return a[0], nil
}

// fromCatalog is a function that the environment's catalog computes.
func fromCatalog(name string) Scalar {
	return func(c *CallContext, a []datum) (datum, error) {
		if c.Env == nil || c.Env.Catalog == nil {
			return fail(pgerror.Unsupported("%s is not supported outside of a query by a client", name))
		}
		return c.Env.Catalog.Call(name, a)
	}
}

// sizePretty prints bytes as PostgreSQL does: the unit changes at 10240, with
// rounding half up.
func sizePretty(_ *CallContext, a []datum) (datum, error) {
	v := a[0].I
	var unit int
	units := []string{"bytes", "kB", "MB", "GB", "TB", "PB"}
	abs := func(x int64) int64 {
		if x == math.MinInt64 {
			return math.MaxInt64
		}
		return max(x, -x)
	}
	if abs(v) < 10*1024 {
		return str(strconv.FormatInt(v, 10) + " bytes")
	}
	v /= 1 << 9 // one bit more than the unit, to round by
	for unit = 1; abs(v) >= 20*1024-1 && unit < len(units)-1; unit++ {
		v /= 1 << 10
	}
	if v > 0 {
		v++
	} else {
		v--
	}
	return str(strconv.FormatInt(v/2, 10) + " " + units[unit])
}

// sizePrettyNumeric is pg_size_pretty of any number; one with a fraction below
// 10240 keeps it.
func sizePrettyNumeric(c *CallContext, a []datum) (datum, error) {
	d := a[0].Dec
	if !d.IsFinite() {
		return str(d.String() + " PB")
	}
	ten := types.FromInt64(10 * 1024)
	if d.Abs().Cmp(ten) < 0 {
		return str(d.String() + " bytes")
	}
	v, ok := d.Trunc(0).Int64()
	if ok {
		return sizePretty(c, []datum{{I: v}})
	}
	n := new(big.Int).Quo(d.Trunc(0).Unscaled(), big.NewInt(1<<49)) // one bit more than PB, the last unit, to round by
	n.Quo(n.Add(n, big.NewInt(int64(n.Sign()))), big.NewInt(2))
	return str(n.String() + " PB")
}
