package enginetest

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Script is a file of statements with their expected results;
// testdata/README.md describes the notation.
type Script struct {
	Name    string
	Records []Record
}

// Kind is what a Record is: its first word.
type Kind string

// The kinds of records.
const (
	Statement  Kind = "statement"
	Query      Kind = "query"
	CopyIn     Kind = "copyin"
	CopyOut    Kind = "copyout"
	Connection Kind = "connection"
	Restart    Kind = "restart"
	Halt       Kind = "halt"
	Text       Kind = "" // comments and blank lines, kept for rewriting
)

// Record is one piece of a Script.
type Record struct {
	Kind Kind
	Line int
	// Lead are comments, and the conditions OnlyIf, SkipIf and Fails, as
	// written before the record.
	Lead   []string
	OnlyIf []string
	SkipIf []string
	// Fails: the record is known to fail on ours; the run complains when it
	// does not.
	Fails bool
	SQL   string
	// Of statements and COPY FROM: the tag ("" any) or the error.
	Tag      string
	WantErr  bool
	Code     string
	Position int // 0: not checked
	Message  *regexp.Regexp
	// Of queries.
	Types string // "" not checked
	Sort  string
	Label string
	// Want are result lines, Data the lines of a COPY FROM.
	Want []string
	Data []string
	// Name of a connection; User is who it logs in as, "" the superuser.
	Name, User string
}

// ReadScript parses a file.
func ReadScript(path string) (*Script, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	s, err := ParseScript(string(b))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	s.Name = path
	return s, nil
}

// ParseScript parses the text of a file.
func ParseScript(text string) (*Script, error) {
	s := &Script{}
	sc := bufio.NewScanner(strings.NewReader(text))
	sc.Buffer(nil, 4<<20)
	line := 0
	var lead []string
	var cond Record
	for sc.Scan() {
		line++
		l := strings.TrimRight(sc.Text(), " \t\r")
		f := strings.Fields(l)
		switch {
		case l == "" || strings.HasPrefix(l, "#"):
			lead = append(lead, l)
			continue
		case len(f) == 2 && f[0] == "onlyif":
			cond.OnlyIf = append(cond.OnlyIf, f[1])
			lead = append(lead, l)
			continue
		case len(f) == 2 && f[0] == "skipif":
			cond.SkipIf = append(cond.SkipIf, f[1])
			lead = append(lead, l)
			continue
		case f[0] == "fails":
			cond.Fails = true
			lead = append(lead, l)
			continue
		}
		r := cond
		r.Kind, r.Line, r.Lead = Kind(f[0]), line, lead
		cond, lead = Record{}, nil
		if err := r.head(f, l); err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		if r.Kind == Statement || r.Kind == Query || r.Kind == CopyIn || r.Kind == CopyOut {
			line += r.body(sc)
		}
		s.Records = append(s.Records, r)
	}
	if len(lead) > 0 {
		s.Records = append(s.Records, Record{Lead: lead})
	}
	return s, sc.Err()
}

// head reads a record's first line.
func (r *Record) head(f []string, l string) error {
	switch r.Kind {
	case Restart, Halt:
		return nil
	case Connection:
		if len(f) != 2 && len(f) != 3 {
			return errors.New("connection needs a name")
		}
		r.Name = f[1]
		if len(f) == 3 {
			r.User = f[2]
		}
		return nil
	case CopyOut:
		return nil
	case Statement, CopyIn:
		if len(f) < 2 || (f[1] != "ok" && f[1] != "error") {
			return fmt.Errorf("%s needs ok or error", f[0])
		}
		if f[1] == "ok" {
			r.Tag = strings.Join(f[2:], " ")
			return nil
		}
		return r.wantedError(f[2:], l)
	case Query:
		for _, w := range f[1:] {
			switch {
			case w == "nosort" || w == "rowsort" || w == "valuesort":
				r.Sort = w
			case r.Types == "" && r.Sort == "":
				r.Types = w
			default:
				r.Label = w
			}
		}
		return nil
	case Text:
	}
	return fmt.Errorf("unknown directive %q", f[0])
}

var sqlState = regexp.MustCompile(`^[0-9A-Z]{5}$`)

// wantedError reads SQLSTATE, @position and /regular expression/, each
// optional.
func (r *Record) wantedError(f []string, l string) error {
	r.WantErr = true
	for len(f) > 0 {
		switch {
		case r.Code == "" && sqlState.MatchString(f[0]):
			r.Code = f[0]
		case f[0][0] == '@':
			n, err := strconv.Atoi(f[0][1:])
			if err != nil {
				return err
			}
			r.Position = n
		default:
			_, expr, _ := strings.Cut(l, "/")
			re, err := regexp.Compile(strings.TrimSuffix(expr, "/"))
			if err != nil {
				return err
			}
			r.Message = re
			return nil
		}
		f = f[1:]
	}
	return nil
}

// body reads the SQL and, after ----, the result or data, to the next blank
// line. It returns the number of lines read.
func (r *Record) body(sc *bufio.Scanner) int {
	n := 0
	var sql []string
	result := false
	for sc.Scan() {
		n++
		l := strings.TrimRight(sc.Text(), "\r")
		if l == "" {
			break
		}
		switch {
		case !result && l == "----":
			result = true
		case !result:
			sql = append(sql, l)
		case r.Kind == CopyIn:
			r.Data = append(r.Data, l)
		default:
			r.Want = append(r.Want, l)
		}
	}
	r.SQL = strings.Join(sql, "\n")
	return n
}

// applies says whether a record runs where the words (postgres or velostream,
// simple or extended) hold.
func (r *Record) applies(words ...string) bool {
	holds := func(w string) bool {
		return slices.Contains(words, w)
	}
	for _, w := range r.OnlyIf {
		if !holds(w) {
			return false
		}
	}
	return !slices.ContainsFunc(r.SkipIf, holds)
}

// String writes a script as ParseScript reads it.
func (s *Script) String() string {
	var b strings.Builder
	for i := range s.Records {
		r := &s.Records[i]
		for _, l := range r.Lead {
			b.WriteString(l + "\n")
		}
		if r.Kind != Text {
			r.write(&b)
		}
	}
	return b.String()
}

func (r *Record) write(b *strings.Builder) {
	words := []string{string(r.Kind)}
	add := func(w string) {
		if w != "" {
			words = append(words, w)
		}
	}
	switch r.Kind {
	case Connection:
		add(r.Name)
		add(r.User)
	case Statement, CopyIn:
		if !r.WantErr {
			add("ok")
			add(r.Tag)
			break
		}
		add("error")
		add(r.Code)
		if r.Position > 0 {
			add("@" + strconv.Itoa(r.Position))
		}
		if r.Message != nil {
			add("/" + r.Message.String() + "/")
		}
	case Query:
		add(r.Types)
		add(r.Sort)
		add(r.Label)
	case CopyOut, Restart, Halt, Text:
	}
	b.WriteString(strings.Join(words, " ") + "\n")
	if r.SQL == "" {
		return
	}
	b.WriteString(r.SQL + "\n")
	lines := r.Want
	if r.Kind == CopyIn {
		lines = r.Data
	}
	if r.Kind != Statement {
		b.WriteString("----\n")
	}
	for _, l := range lines {
		b.WriteString(l + "\n")
	}
	b.WriteString("\n")
}
