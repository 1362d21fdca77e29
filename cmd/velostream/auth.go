package main

import (
	"bufio"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"velostream/catalog/auth"
)

func newAuth() *cobra.Command {
	cmd := &cobra.Command{Use: "auth", Short: "Work with passwords"}
	cmd.AddCommand(&cobra.Command{
		Use:   "hash USER",
		Short: "Read a password from standard input and print its line for the password file",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if args[0] == "" || strings.ContainsAny(args[0], ":\n") {
				return errors.New("the name of a user must not be empty and have no colon")
			}
			in := bufio.NewScanner(cmd.InOrStdin())
			if !in.Scan() {
				return errors.Join(errors.New("no password on standard input"), in.Err())
			}
			v, err := auth.MakeVerifier(strings.TrimRight(in.Text(), "\r"), 0)
			if err != nil {
				return err
			}
			say(cmd.OutOrStdout(), "%s:%s\n", args[0], v)
			return nil
		},
	})
	return cmd
}
