// Package demo holds the statements of `velostream demo`, so that they are in
// the binary and are files to read and change as well.
package demo

import _ "embed"

// SQL deploys the demo; Watch is the continuous query that it shows. ${BROKERS}
// stands for the broker's address.
var (
	//go:embed demo.sql
	SQL string
	//go:embed watch.sql
	Watch string
)
