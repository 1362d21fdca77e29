package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"

	"github.com/spf13/cobra"

	"velostream/engine"
	"velostream/engine/session"
)

// fileFinding is a finding with the file it is about.
type fileFinding struct {
	File string `json:"file"`
	session.Finding
}

func newValidate() *cobra.Command {
	var strict bool
	var format string
	cmd := &cobra.Command{
		Use:   "validate FILE…",
		Short: "Check the statements of SQL files without running them",
		Long: "Check all statements of each file in order, each against what those before define: names, types, options, constraints, and\n" +
			"queries whose state is unbounded. Nothing is stored and no connector is contacted. \"-\" is standard input.\n" +
			"The exit status is 1 when there is an error, or with --strict a warning.",
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if format != "text" && format != "json" {
				return errors.New("--format is text or json")
			}
			all := []fileFinding{}
			for _, name := range args {
				text, err := readFile(cmd.InOrStdin(), name)
				if err != nil {
					return err
				}
				for _, f := range session.Validate(cmd.Context(), nil, engine.Connectors(), string(text)) {
					all = append(all, fileFinding{name, f})
				}
			}
			return showFindings(cmd.OutOrStdout(), all, format, strict)
		},
	}
	cmd.Flags().BoolVar(&strict, "strict", false, "treat warnings as errors")
	cmd.Flags().StringVar(&format, "format", "text", "text, or json: an array of findings")
	return cmd
}

func readFile(in io.Reader, name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(in)
	}
	return os.ReadFile(name)
}

func showFindings(out io.Writer, all []fileFinding, format string, strict bool) error {
	failed := 0
	for _, f := range all {
		if f.Severity == "error" || strict {
			failed++
		}
	}
	if format == "json" {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		if err := enc.Encode(all); err != nil {
			return err
		}
	} else {
		for _, f := range all {
			say(out, "%s:%d:%d: %s: %s (%s)\n", f.File, f.Line, f.Column, f.Severity, f.Message, f.Code)
			if f.Hint != "" {
				say(out, "    hint: %s\n", f.Hint)
			}
		}
	}
	if failed > 0 {
		return errors.New("the files have errors")
	}
	return nil
}
