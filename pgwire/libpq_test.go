package pgwire

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"

	"github.com/lib/pq"
)

// lib/pq through database/sql: unnamed statements described first, text
// format, binary parameters by option, COPY, context cancel.
func TestLibPQ(t *testing.T) {
	s := startServer(t)
	for _, option := range []string{"", "&binary_parameters=yes"} {
		db, err := sql.Open("postgres", "postgres://alice@"+s.addr+"/db?sslmode=disable"+option)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		db.SetMaxOpenConns(1)
		if err := db.Ping(); err != nil {
			t.Fatal(err)
		}
		checkLibPQRows(t, db)
		var n int64
		var text string
		var b []byte
		var when time.Time
		at := time.Date(2024, 2, 29, 12, 34, 56, 0, time.UTC)
		if err := db.QueryRow("cols int8 text bytea timestamptz", int64(7), "naïve", []byte{0, 255}, at).Scan(&n, &text, &b, &when); err != nil {
			t.Fatal(err)
		}
		if n != 7 || text != "naïve" || string(b) != "\x00\xff" || !when.Equal(at) {
			t.Error(n, text, b, when)
		}
		st, err := db.Prepare("cols int4")
		if err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			var got int
			if err := st.QueryRow(i).Scan(&got); err != nil || got != i {
				t.Error(got, err)
			}
		}
		if err := st.Close(); err != nil {
			t.Error(err)
		}
		var pe *pq.Error
		if _, err := db.Exec("error 23505 twice"); !errors.As(err, &pe) || pe.Code != "23505" || pe.Constraint != "n" {
			t.Errorf("%v", err)
		}
		checkLibPQRows(t, db)
	}
}

func checkLibPQRows(t *testing.T, db *sql.DB) {
	t.Helper()
	rows, err := db.Query("rows 20")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	n := int64(0)
	for rows.Next() {
		n++
		var id int64
		var name sql.NullString
		var f float64
		var ts time.Time
		var ok bool
		if err := rows.Scan(&id, &name, &f, &ts, &ok); err != nil {
			t.Fatal(err)
		}
		if id != n || !ok || name.Valid != (n%10 != 0) {
			t.Errorf("row %d: %d %v %v", n, id, name, ok)
		}
	}
	if rows.Err() != nil || n != 20 {
		t.Errorf("%d rows, %v", n, rows.Err())
	}
}

func TestLibPQCancel(t *testing.T) {
	s := startServer(t)
	db, err := sql.Open("postgres", "postgres://alice@"+s.addr+"/db?sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	rows, err := db.QueryContext(ctx, "tick 5")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for rows.Next() {
		if n++; n == 3 { // by now it runs
			cancel()
		}
	}
	if n == 0 || rows.Err() == nil {
		t.Errorf("%d rows, %v", n, rows.Err())
	}
	if err := <-s.backend.ended; err == nil {
		t.Error("not cancelled")
	}
}
