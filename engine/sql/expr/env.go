package expr

import (
	"velostream/catalog/types"
)

// Env is what evaluation depends on besides its input. It must not change
// during a statement.
type Env struct {
	Format   *types.Format // session settings; nil: defaults
	Now      int64         // now(): start of the transaction, timestamptz
	StmtTime int64         // statement_timestamp()
	User     string        // current_user
	Version  string        // version()
	PID      int64         // pg_backend_pid()
	Random   *Random       // random(), setseed(); nil: unrelated numbers
	// Setting returns the value of a run-time parameter, for current_setting;
	// nil: there are none.
	Setting  func(name string) (value string, ok bool)
	Database string  // current_database()
	Schema   string  // current_schema()
	Catalog  Catalog // functions about objects; nil: refused
	// Sequences are what nextval and its like work on; nil: refused.
	Sequences Sequences
}

// Sequences gives out numbers; sequences are named by OID.
type Sequences interface {
	Next(id uint32) (int64, error)
	Current(id uint32) (int64, error) // of this session
	Last() (int64, error)             // of this session, of any sequence
	Set(id uint32, v int64, called bool) error
}

// format returns the session settings, never failing on a nil Env.
func (e *Env) format() *types.Format {
	if e == nil {
		return nil
	}
	return e.Format
}
