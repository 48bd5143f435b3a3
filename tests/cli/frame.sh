#!/bin/bash
# The frame of the command: help, version, what happens to a wrong subcommand.
# shellcheck source-path=SCRIPTDIR/.. source=support/cli.sh
source "$WEIR_SOURCE_DIR/tests/support/cli.sh"

expect_status 0 "$WEIR" --help
expect_out '^usage: weir COMMAND'
commands=$(sed -n '/^commands:/,/^$/s/^  \([a-z][a-z_-]*\) .*/\1/p' "$scratch/out")

expect_status 0 "$WEIR" --version
expect_out '^weir [0-9]+\.[0-9]+\.[0-9]+$'

expect_status 2 "$WEIR"
expect_err '^usage: weir COMMAND'

expect_status 2 "$WEIR" no-such-command
expect_err "there is no command 'no-such-command'"

expect_status 2 "$WEIR" --no-such-option
expect_err 'weir --help'

# Every subcommand explains itself, shows an example, and refuses an option that it does not have.
for command in $commands; do
	expect_status 0 "$WEIR" "$command" --help
	expect_out "^usage: weir $command"
	expect_match '[Ee]xample' "$scratch/out"
	expect_status 2 "$WEIR" "$command" --no-such-option
	expect_err "weir $command"
done

finish
