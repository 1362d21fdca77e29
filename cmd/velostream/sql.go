package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"velostream/cmd/internal/config"
	"velostream/cmd/internal/shell"
)

// defaultDSN is a server as `velostream serve` starts one.
const defaultDSN = "host=127.0.0.1 port=5433 user=velo dbname=velostream"

func newSQL() *cobra.Command {
	var dsn string
	var commands, files []string
	cmd := &cobra.Command{
		Use:   "sql [-c SQL] [-f FILE] [--dsn DSN]",
		Short: "Run SQL on a server",
		Long: `Run SQL on a server and print the results, rows of a continuous query as they
arrive. Without -c and -f statements are read from standard input, from a
terminal with prompts. Ctrl-C cancels the running statement.

The exit status is 1 when a statement failed or was cancelled; the ones after
it are not run.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := shell.Connect(cmd.Context(), dsn, cmd.OutOrStdout(), cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			defer func() { _ = c.Close() }() // nothing is left to lose
			return runSQL(cmd.Context(), c, commands, files, cmd.InOrStdin())
		},
	}
	from := os.Getenv(config.EnvPrefix + "DSN")
	if from == "" {
		from = defaultDSN
	}
	cmd.Flags().StringVar(&dsn, "dsn", from, "server, as a postgres:// URL or key=value list; also VELOSTREAM_DSN")
	cmd.Flags().StringArrayVarP(&commands, "command", "c", nil, "statements to run; may be repeated")
	cmd.Flags().StringArrayVarP(&files, "file", "f", nil, "file with statements to run, after those of -c; - is standard input")
	return cmd
}

func runSQL(ctx context.Context, c *shell.Client, commands, files []string, in io.Reader) error {
	if len(commands) == 0 && len(files) == 0 {
		if isTerminal(in) {
			return c.Interactive(ctx, in)
		}
		files = []string{"-"}
	}
	for _, sql := range commands {
		if err := c.RunAll(ctx, sql); err != nil {
			return err
		}
	}
	for _, name := range files {
		if err := runFile(ctx, c, name, in); err != nil {
			return err
		}
	}
	return nil
}

func runFile(ctx context.Context, c *shell.Client, name string, in io.Reader) error {
	if name == "-" {
		return c.RunStream(ctx, in)
	}
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // only read
	c.File = name
	defer func() { c.File = "" }()
	if err := c.RunStream(ctx, f); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// isTerminal reports that someone types.
func isTerminal(in io.Reader) bool {
	f, ok := in.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && f.Name() != os.DevNull
}
