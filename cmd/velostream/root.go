package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"

	"velostream/cmd/internal/shell"
)

// version is set by the linker: -ldflags "-X main.version=…", as the Makefile does.
var version = ""

// Run runs the command line args until it is done, ctx ends, or the process is
// told to stop. It reports errors on stderr before it returns them.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err != nil && !errors.Is(err, shell.ErrFailed) {
		say(stderr, "velostream: %v\n", err)
	}
	return err
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "velostream",
		Short:         "A streaming SQL database: PostgreSQL's protocol, Kafka, incremental materialised views",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(newServe(), newSQL(), newDemo(), newAuth(), newValidate(), newVersion())
	return root
}

// untilStopped ends with ctx, or when the process is told to stop (SIGINT,
// SIGTERM). From then on signals do again what they do by default, so that a
// second one ends the process at once.
func untilStopped(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// onHangup calls f at each SIGHUP, until the returned function is called, which waits
// for a call that goes on. f reports its errors itself.
func onHangup(f func() error) (stop func()) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for range hangups {
			_ = f()
		}
	}()
	return func() {
		signal.Stop(hangups)
		close(hangups)
		<-ended
	}
}

// versionText is what was built: the linker's word, else the module's.
func versionText() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

// say prints; an output that is gone ends the program by itself.
func say(w io.Writer, format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) }
