package session

import (
	"context"
	"math"
	"sort"
	"strconv"
	"strings"
	"time"

	"velostream/catalog/types"
	"velostream/engine/option"
	"velostream/engine/sql/ast"
	"velostream/pgwire"
	"velostream/pgwire/pgerror"
)

// setting describes a run-time parameter.
type setting struct {
	name     string // as SHOW prints it
	initial  string
	reported bool // ParameterStatus
	fixed    bool // cannot be changed
	super    bool // changed by superusers only
	check    func(v string) (string, error)
}

// allSettings is every parameter there is; order as ParameterStatus is sent.
func allSettings(version string) []setting {
	return []setting{
		{name: "server_version", initial: version, reported: true, fixed: true},
		{name: "server_encoding", initial: "UTF8", reported: true, fixed: true},
		{name: "client_encoding", initial: "UTF8", reported: true, check: checkEncoding},
		{name: "DateStyle", initial: "ISO, MDY", reported: true, check: checkDateStyle},
		{name: "TimeZone", initial: "UTC", reported: true, check: checkTimeZone},
		{name: "integer_datetimes", initial: "on", reported: true, fixed: true},
		{name: "IntervalStyle", initial: "postgres", reported: true, check: oneOf("postgres", "postgres_verbose", "sql_standard", "iso_8601")},
		{name: "is_superuser", initial: "on", reported: true, fixed: true},
		{name: "session_authorization", reported: true},
		{name: "standard_conforming_strings", initial: "on", reported: true, check: oneOf("on")},
		{name: "application_name", reported: true},
		{name: "default_transaction_read_only", initial: "off", reported: true, check: checkBool},
		{name: "in_hot_standby", initial: "off", reported: true, fixed: true},
		{name: "server_version_num", initial: "150000", fixed: true},
		{name: "search_path", initial: `"$user", public`},
		{name: "extra_float_digits", initial: "1", check: checkInt(-15, 3)},
		{name: "bytea_output", initial: "hex", check: oneOf("hex", "escape")},
		{name: "statement_timeout", initial: "0", check: checkDuration},
		{name: "lock_timeout", initial: "0", check: checkDuration},
		{name: "idle_in_transaction_session_timeout", initial: "0", check: checkDuration},
		{name: "temp_file_limit", initial: "1GB", super: true, check: checkSize},
		{name: "idle_session_timeout", initial: "0", check: checkDuration},
		{name: "client_min_messages", initial: "notice", check: oneOf("debug5", "debug4", "debug3", "debug2", "debug1", "log", "notice", "warning", "error")},
		{name: "transaction_isolation", initial: "read committed", check: isolation},
		{name: "default_transaction_isolation", initial: "read committed", check: isolation},
		{name: "transaction_read_only", initial: "off", check: checkBool},
		{name: "max_identifier_length", initial: "63", fixed: true},
		{name: "max_index_keys", initial: "32", fixed: true},
		{name: "password_encryption", initial: "scram-sha-256"},
		{name: "lc_collate", initial: "C", fixed: true},
		{name: "lc_ctype", initial: "C", fixed: true},
		{name: "lc_messages", initial: "C", super: true},
		{name: "lc_monetary", initial: "C"},
		{name: "lc_numeric", initial: "C"},
		{name: "lc_time", initial: "C"},
		{name: "default_table_access_method", initial: "heap"},
		{name: "default_tablespace", initial: ""},
		{name: "role", initial: "none"},
		{name: "row_security", initial: "on"},
		{name: "synchronous_commit", initial: "on"},
		{name: "xmloption", initial: "content"},
		{name: "synchronize_seqscans", initial: "on", check: checkBool},
		{name: "escape_string_warning", initial: "on", check: checkBool},
		{name: "check_function_bodies", initial: "on"},
		// Velostream's own.
		{name: "query_memory", initial: "256MB", check: checkMemory},
		{name: "read_consistency", initial: "strict", check: oneOf("strict", "relaxed")},
		{name: "auto_offset_reset", initial: "latest", check: oneOf("latest", "earliest")},
		{name: "background_ddl", initial: "off", check: checkBool},
	}
}

// settings are the parameters of one session.
type settings struct {
	all    map[string]*setting // by lower-case name
	order  []*setting
	values map[string]string
	origin map[string]string // what RESET goes back to
	source map[string]string // where origin is from, as pg_settings says it; none: the default
	fmt    *types.Format
	regs   *names // of the session's reg types
}

func newSettings(e *Engine) *settings {
	st := &settings{all: map[string]*setting{}, values: map[string]string{}, origin: map[string]string{}, source: map[string]string{}}
	for _, d := range allSettings(e.Version) {
		st.order = append(st.order, &d)
		key := strings.ToLower(d.name)
		st.all[key], st.values[key], st.origin[key] = &d, d.initial, d.initial
	}
	return st
}

// start takes the parameters of the start-up packet. Unknown ones are passed
// over: drivers send many, and refusing the connection would help nobody.
func (st *settings) start(s pgwire.Startup) error {
	for name, v := range s.Params {
		key := strings.ToLower(name)
		d := st.all[key]
		if d == nil && !strings.Contains(key, ".") || d != nil && d.fixed || key == "session_authorization" {
			continue
		}
		if err := st.permitted(key, st.values["is_superuser"] == "on"); err != nil {
			return err
		}
		if err := st.assign(key, v); err != nil {
			return err
		}
		st.origin[key], st.source[key] = st.values[key], "client"
	}
	for _, d := range transactionDefaults {
		st.values[d.of] = st.values[d.from]
	}
	return nil
}

// checkSize takes a size: a bare number is kB, -1 no limit, as in PostgreSQL.
func checkSize(v string) (string, error) {
	if v == "-1" {
		return v, nil
	}
	n, ok := option.ParseSize(v)
	if _, err := strconv.ParseInt(v, 10, 32); err == nil {
		n, v = n<<10, v+"kB"
	}
	if !ok || n < 0 {
		return "", pgerror.New(pgerror.InvalidParameterValue, "").WithHint("A size, as 512MB; -1: no limit.")
	}
	return v, nil
}

// tempFileLimit is temp_file_limit in bytes.
func (st *settings) tempFileLimit() int64 {
	if n, ok := option.ParseSize(st.get("temp_file_limit")); ok {
		return n
	}
	return math.MaxInt64
}

// assign checks and sets a parameter. key is lower case.
func (st *settings) assign(key, v string) error {
	v, err := st.check(key, v)
	if err == nil {
		st.values[key], st.fmt = v, nil
	}
	return err
}

// check returns the value as it is kept. key is lower case.
func (st *settings) check(key, v string) (string, error) {
	d := st.all[key]
	if d == nil {
		if strings.Contains(key, ".") {
			return v, nil // a placeholder of an extension, as in PostgreSQL
		}
		return "", st.unknown(key)
	}
	if d.fixed {
		return "", pgerror.New("55P02", "parameter %q cannot be changed", d.name)
	}
	if d.check == nil {
		return v, nil
	}
	given := v
	if key == "datestyle" && v != "" { // a style alone leaves the order as it is, and the other way round
		given = st.values[key] + ", " + v
	}
	kept, err := d.check(given)
	if err != nil {
		e := pgerror.New(pgerror.InvalidParameterValue, "invalid value for parameter %q: %q", d.name, v)
		if m := pgerror.From(err).Message; m != invalidValue {
			return "", pgerror.New(pgerror.InvalidParameterValue, "%s for parameter %q%s", m, d.name, pgerror.From(err).Detail)
		}
		if h := pgerror.From(err).Hint; h != "" {
			return "", e.WithHint("%s", h)
		}
		return "", e
	}
	return kept, nil
}

// permitted refuses the parameters that only superusers change. key is lower case.
func (st *settings) permitted(key string, superuser bool) error {
	if d := st.all[key]; d != nil && d.super && !superuser {
		return denied("permission denied to set parameter %q", d.name)
	}
	return nil
}

func (st *settings) unknown(key string) *pgerror.Error {
	e := pgerror.New(pgerror.UndefinedObject, "unrecognized configuration parameter %q", key)
	if near := option.Nearest(key, st.names()); near != "" {
		return e.WithHint("Perhaps you meant %q.", near)
	}
	return e
}

func (st *settings) names() []string {
	out := make([]string, 0, len(st.all))
	for n := range st.all {
		out = append(out, n)
	}
	sort.Strings(out)
	return out
}

func (st *settings) get(name string) string { return st.values[strings.ToLower(name)] }

func (st *settings) reported() []pgwire.Param {
	var out []pgwire.Param
	for _, d := range st.order {
		if d.reported {
			out = append(out, pgwire.Param{Name: d.name, Value: st.values[strings.ToLower(d.name)]})
		}
	}
	return out
}

// format is the output settings, made anew after a change.
func (st *settings) format() *types.Format {
	if st.fmt == nil {
		loc, ok := types.FindZone(st.get("timezone"))
		if !ok {
			loc = time.UTC
		}
		digits, _ := strconv.Atoi(st.get("extra_float_digits"))
		st.fmt = &types.Format{
			Location: loc, DateStyle: st.get("datestyle"), IntervalStyle: st.get("intervalstyle"),
			ExtraFloatDigits: digits, ByteaEscape: st.get("bytea_output") == "escape",
		}
		if st.regs != nil {
			st.fmt.Names, st.fmt.Types = st.regs, st.regs
		}
	}
	return st.fmt
}

// timeout is a setting in milliseconds; 0: none. name is lower case.
func (st *settings) timeout(name string) time.Duration {
	v := st.values[name]
	if v == "0" { // most are, and it is asked for every statement
		return 0
	}
	ms, _ := strconv.ParseInt(v, 10, 64)
	return time.Duration(ms) * time.Millisecond
}

// set runs SET.
func (s *Session) set(p ast.Parsed, n *ast.Set) error {
	key := strings.ToLower(n.Name)
	if err := s.settings.permitted(key, s.superuser()); err != nil {
		return pgerror.From(err).At(p.Position(n.Pos()))
	}
	v := setText(key, n)
	if n.Default {
		v = s.settings.origin[key]
	}
	if err := s.assign(key, v, n.Scope == ast.ScopeLocal); err != nil {
		return pgerror.From(err).At(p.Position(n.Pos()))
	}
	return nil
}

// setText is the value that a SET gives, as one text. key is lower case.
func setText(key string, n *ast.Set) string {
	if n.Zone != nil {
		return zoneOfInterval(n.Zone)
	}
	parts := make([]string, len(n.Values))
	for i, x := range n.Values {
		parts[i] = x.Text
		if key == "search_path" {
			parts[i] = ast.QuoteIdent(x.Text)
		}
	}
	return strings.Join(parts, ", ")
}

// reset runs RESET.
func (s *Session) reset(n *ast.Reset) error {
	if key := strings.ToLower(n.Name); !n.All && !strings.Contains(key, ".") {
		if _, ok := s.settings.all[key]; !ok {
			return pgerror.New(pgerror.UndefinedObject, "unrecognized configuration parameter %q", n.Name)
		}
		if err := s.settings.permitted(key, s.superuser()); err != nil {
			return err
		}
	}
	for key, v := range s.settings.origin {
		if n.All && strings.HasPrefix(key, "transaction_") {
			continue // of the block, which goes on
		}
		if n.All && (key == "role" || key == "session_authorization") {
			continue
		}
		if d := s.settings.all[key]; d != nil && d.fixed || (!n.All && key != strings.ToLower(n.Name)) || s.settings.values[key] == v {
			continue
		}
		if err := s.assign(key, v, false); err != nil {
			return err
		}
	}
	return nil
}

// isolation checks the name of an isolation level.
func isolation(v string) (string, error) {
	v = strings.ToLower(v)
	switch v {
	case "serializable", "repeatable read", "read committed", "read uncommitted":
		return v, nil
	}
	return "", pgerror.New(pgerror.InvalidParameterValue, "no isolation level").
		WithHint("Available values: serializable, repeatable read, read committed, read uncommitted.")
}

// discard runs DISCARD.
func (s *Session) discard(ctx context.Context, n *ast.Discard) error {
	switch n.What {
	case "TEMP":
		return s.discardTemp(ctx)
	case "ALL":
	default:
		return nil
	}
	if err := s.noTransaction("DISCARD ALL"); err != nil {
		return err
	}
	s.names.DropCursors()
	s.names.DropStatements()
	s.e.channels.forget(s)
	s.unlockAdvisory()
	if err := s.discardTemp(ctx); err != nil {
		return err
	}
	if err := s.assign("session_authorization", s.settings.origin["session_authorization"], false); err != nil {
		return err
	}
	return s.reset(&ast.Reset{All: true})
}
