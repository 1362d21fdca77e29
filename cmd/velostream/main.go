// Command velostream is a streaming SQL database and its client; see
// docs/README.md, or velostream help.
package main

import (
	"context"
	"os"
)

func main() {
	if err := Run(context.Background(), os.Args[1:], os.Stdout, os.Stderr); err != nil {
		os.Exit(1)
	}
}
