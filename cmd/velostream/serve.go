package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"velostream/cmd/internal/config"
)

func newServe() *cobra.Command {
	path := ""
	cmd := &cobra.Command{
		Use:   "serve --data-dir DIR",
		Short: "Run the server",
		Long: `Run the server until it is told to stop (SIGINT, SIGTERM).

When it is ready it prints one line "ready listen=HOST:PORT http=HOST:PORT" to
standard output; its log goes to standard error. The first signal lets running
statements end (see --drain-timeout), writes a checkpoint and ends; a second one
ends the process at once, which loses nothing either.

Each flag is also a setting of the config file (--data-dir is data_dir) and of
the environment (VELOSTREAM_DATA_DIR). Flags go before the environment, the
environment before the file.`,
		Args: cobra.NoArgs,
	}
	flags := config.Default()
	flags.Flags(cmd.Flags())
	cmd.Flags().StringVar(&path, "config", os.Getenv(config.EnvPrefix+"CONFIG"), "YAML file with settings")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := config.Load(path, os.Environ(), cmd.Flags())
		if err != nil {
			return err
		}
		return serve(cmd.Context(), c, cmd.OutOrStdout(), cmd.ErrOrStderr())
	}
	return cmd
}

// serve runs a server until ctx ends or the process is told to stop.
func serve(ctx context.Context, c config.Config, stdout, stderr io.Writer) error {
	log, err := newLogger(c, stderr)
	if err != nil {
		return err
	}
	ctx, stop := untilStopped(ctx)
	defer stop()
	s, err := startServer(ctx, c, log)
	if err != nil {
		return err
	}
	defer onHangup(s.reload)()
	say(stdout, "ready listen=%s http=%s\n", s.Addr(), s.HTTPAddr())
	return s.Wait(ctx)
}

// newLogger makes the log that c asks for.
func newLogger(c config.Config, w io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		return nil, fmt.Errorf("log_level: %w", err)
	}
	o := &slog.HandlerOptions{Level: level}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, o)), nil
	}
	return slog.New(slog.NewTextHandler(w, o)), nil
}
