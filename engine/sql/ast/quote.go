package ast

import "strings"

// quotedWords are the words that are quoted when they are names: PostgreSQL's
// keywords that are not free everywhere, and those words of the dialect that
// mean something before a parenthesis or in a place of their own.
const quotedWords = `
	all analyse analyze and any array as asc asof asymmetric authorization between bigint binary bit boolean both case cast
	char character check coalesce collate collation column concurrently constraint create cross cube cumulate current
	current_catalog current_date current_role current_schema current_time current_timestamp current_user dec decimal default
	deferrable desc descriptor distinct do else emit end except exists extended extract false fetch filter float for foreign
	freeze from full gap grant greatest group grouping groups having hop hopping ilike in initially inner inout int integer
	intersect interval into is isnull join late lateral leading least left like limit localtime localtimestamp map
	max_duration national natural nchar none normalize not notnull null nullif numeric offset on only operator or order out
	outer over overlaps overlay partition placing position precision prepare primary range real references returning right rollup
	row rows select session session_user setof similar size sliding smallint some step struct substring symmetric table
	tablesample then time timeout timestamp to trailing treat trim true tumble tumbling unbounded union unique user using
	values varchar variadic verbose watermark when where window with within xmlattributes xmlconcat xmlelement xmlexists
	xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable
`

// mustQuote holds quotedWords. Never written after its making.
var mustQuote = func() map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(quotedWords) {
		m[w] = true
	}
	return m
}()

// plainWord reports whether s can stand for itself outside quotes.
func plainWord(s string) bool {
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c == '_':
		case i > 0 && (c >= '0' && c <= '9' || c == '$'):
		default:
			return false
		}
	}
	return s != ""
}

// QuoteIdent returns a name as SQL text, quoted where it must be.
func QuoteIdent(s string) string {
	if plainWord(s) && !mustQuote[s] {
		return s
	}
	return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
}

// QuoteLiteral returns a string constant as SQL text.
func QuoteLiteral(s string) string {
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}
