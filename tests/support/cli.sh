# shellcheck shell=bash
# What the scripts that test the command share: sourced, not run. $WEIR is the program under test.
set -euo pipefail

failures=0
scratch=$(mktemp -d "${TMPDIR:-/tmp}/weir-test-XXXXXX")
trap 'rm -rf "$scratch"' EXIT

# Runs a command, leaving its output in $scratch/out and $scratch/err, and complains unless it ends
# with the status named first.
expect_status() {
	local wanted=$1 status=0
	shift
	"$@" >"$scratch/out" 2>"$scratch/err" </dev/null || status=$?
	if ((status != wanted)); then
		echo "exit status $status, not $wanted: $*"
		sed 's/^/  /' "$scratch/out" "$scratch/err"
		failures=$((failures + 1))
	fi
}

# Complains unless the last command's standard output, or standard error, matches the expression.
expect_out() {
	expect_match "$1" "$scratch/out"
}

expect_err() {
	expect_match "$1" "$scratch/err"
}

expect_match() {
	if ! grep -Eq -- "$1" "$2"; then
		echo "no match of '$1' in ${2##*/}:"
		sed 's/^/  /' "$2"
		failures=$((failures + 1))
	fi
}

# Sets $python to one that has the modules named, with python/weir on its path, or skips the test.
need_python() {
	local candidate
	export PYTHONPATH=$WEIR_SOURCE_DIR/python PYTHONDONTWRITEBYTECODE=1
	for candidate in /usr/bin/python3 python3; do
		if "$candidate" -c 'import importlib, sys
for name in sys.argv[1:]: importlib.import_module(name)' "$@" 2>/dev/null; then
			# shellcheck disable=SC2034 # used by the scripts
			python=$candidate
			return
		fi
	done
	echo "skipped: needs python3 with $* (${*/#/python3-})"
	exit 77
}

# The last line of every script.
finish() {
	echo "$failures failures"
	((failures == 0))
}
