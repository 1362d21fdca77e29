package enginetest

import (
	"testing"
	"time"

	"velostream/engine"
)

// TestAsOfRenamed: the content of a moment before a column got another name is refused.
func TestAsOfRenamed(t *testing.T) {
	s := Start(t, engine.Options{CheckpointInterval: 20 * time.Millisecond})
	c := s.Connect()
	rowsOf(t, c, "CREATE TABLE t (id int PRIMARY KEY, w int)")
	rowsOf(t, c, "INSERT INTO t VALUES (1, 1)")
	rowsOf(t, c, "CREATE SUBSCRIPTION sub FROM t")
	time.Sleep(300 * time.Millisecond)
	at := rowsOf(t, c, "SELECT now()")[0][0]
	time.Sleep(100 * time.Millisecond)
	rowsOf(t, c, "ALTER TABLE t RENAME COLUMN w TO x")
	if e := failure(t, c, "SUBSCRIBE (SELECT id FROM t) AS OF TIMESTAMP '"+at+"' UP TO now()"); e.Code != "0A000" || e.Hint == "" {
		t.Error(e)
	}
}
