package parser

import (
	"velostream/engine/sql/ast"
	"velostream/pgwire/pgerror"
)

// failAt records the first error, at a byte offset, and ends the input.
func (p *parser) failAt(offset int, code, format string, args ...any) {
	if p.err == nil {
		p.err = pgerror.New(code, format, args...).At(ast.CharPos(p.sql, offset))
		p.stop()
	}
}

// failHint is failAt with a hint.
func (p *parser) failHint(offset int, code, message, hint string) {
	if p.err == nil {
		p.failAt(offset, code, "%s", message)
		p.err.Hint = hint
	}
}

// unexpected fails at the current token, in PostgreSQL's words.
func (p *parser) unexpected() { p.unexpectedAt(p.tok) }

func (p *parser) unexpectedAt(t token) {
	if p.err != nil {
		return
	}
	if t.kind == tEOF {
		p.failAt(len(p.sql), pgerror.SyntaxError, "syntax error at end of input")
		return
	}
	raw := p.sql[t.pos:t.end]
	if t.kind == tDuration {
		p.failAt(int(t.pos), pgerror.SyntaxError, "trailing junk after numeric literal at or near \"%s\"", raw)
		p.err.Hint = "Short durations such as " + raw + " stand in time windows and intervals only; elsewhere write INTERVAL '" + raw + "'."
		return
	}
	hint := ""
	if t.kind == tString && t.cont {
		hint = "A comma may be missing before it."
	}
	p.failAt(int(t.pos), pgerror.SyntaxError, "syntax error at or near \"%s\"", raw)
	p.err.Hint = hint
}

// tooDeep fails because of the statement's nesting.
func (p *parser) tooDeep() {
	if p.err == nil {
		p.failAt(int(p.tok.pos), pgerror.StatementTooComplex, "stack depth limit exceeded")
		p.err.Hint = "The statement is nested too deeply. Write long chains as lists (IN, ARRAY, VALUES), or split the statement."
	}
}

// clauseWords are the words that can go on after a complete part of a query.
var clauseWords = []string{
	"select", "from", "where", "group", "having", "window", "order", "limit", "offset", "fetch", "for", "emit", "into", "with",
	"union", "intersect", "except", "join", "inner", "left", "right", "full", "cross", "natural", "using", "values", "set",
	"returning", "between", "like", "and", "tumbling", "sliding", "session",
}

// leftover fails because a statement is complete and text follows.
func (p *parser) leftover() {
	prev, tok := p.prev, p.tok
	p.unexpected()
	if p.err.Hint != "" {
		return
	}
	if prev.isWord("emit") {
		if w := nearest(tok.text, []string{"changes", "final", "every"}); w != "" {
			p.err.Hint = didYouMean(w)
			return
		}
	}
	for _, t := range []token{tok, prev} {
		if t.kind == tWord && t.cat != catReserved {
			if w := nearest(t.text, clauseWords); w != "" {
				p.err.Hint = didYouMean(w)
				return
			}
		}
	}
}

// hintWord adds a hint when the unexpected token looks like one of the words.
func (p *parser) hintWord(words ...string) {
	if p.err == nil || p.err.Hint != "" || p.err.Code != pgerror.SyntaxError {
		return
	}
	if w := nearest(p.offending(), words); w != "" {
		p.err.Hint = didYouMean(w)
	}
}

// offending is the word at the error's position, in lower case.
func (p *parser) offending() string {
	pos := p.err.Position - 1
	for i := range p.sql {
		if pos == 0 {
			j := i
			for j < len(p.sql) && isIdentPart(p.sql[j]) {
				j++
			}
			return foldASCII(p.sql[i:j])
		}
		pos--
	}
	return ""
}

func didYouMean(word string) string {
	b := []byte(word)
	for i, c := range b {
		if c >= 'a' && c <= 'z' {
			b[i] = c - 'a' + 'A'
		}
	}
	return "Did you mean " + string(b) + "?"
}

// nearest is the one of words that differs from word by one edit, or by two
// in words of more than four letters; "" if none does, or word is among them.
func nearest(word string, words []string) string {
	if len(word) < 2 || len(word) > 30 {
		return ""
	}
	best, bestDist := "", 3
	for _, w := range words {
		d := editDistance(word, w)
		if d == 0 {
			return ""
		}
		if limit := min(2, (len(w)-1)/2); d <= limit && d < bestDist {
			best, bestDist = w, d
		}
	}
	if bestDist == 2 && len(word) <= 4 {
		return ""
	}
	return best
}

// editDistance counts insertions, deletions, substitutions and swaps of
// neighbours between two short words.
func editDistance(a, b string) int {
	if d := len(a) - len(b); d > 2 || d < -2 {
		return 3
	}
	var rows [3][40]int
	if len(b) >= len(rows[0]) {
		return 3
	}
	for j := range len(b) + 1 {
		rows[1][j] = j
	}
	for i := 1; i <= len(a); i++ {
		prev2, prev, cur := &rows[(i+2)%3], &rows[i%3], &rows[(i+1)%3]
		// rows rotate: row i-1 is prev, row i-2 is prev2.
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], prev2[j-2]+1)
			}
		}
	}
	return rows[(len(a)+1)%3][len(b)]
}
