#!/bin/bash
# traces/fetch: what is wrong never takes the name of what is right. Works without a network.
set -euo pipefail

if ! command -v curl >/dev/null; then
	echo "skipped: curl is not there"
	exit 77
fi
fetch=$WEIR_SOURCE_DIR/traces/fetch
scratch=$(mktemp -d "${TMPDIR:-/tmp}/weir-test-XXXXXX")
trap 'rm -rf "$scratch"' EXIT
failures=0

complain() {
	echo "$*"
	failures=$((failures + 1))
}

expect_fetch() { # STATUS ORIGIN DIRECTORY
	local status=0
	WEIR_TRACE_URL=file://$2 bash "$fetch" "$3" 2>"$scratch/err" || status=$?
	if ((status != $1)); then
		complain "exit status $status, not $1: $(<"$scratch/err")"
	fi
}

names=(AzureLLMInferenceTrace_conv.csv AzureLLMInferenceTrace_code.csv)
mkdir "$scratch/wrong"
for name in "${names[@]}"; do
	echo "not the trace" >"$scratch/wrong/$name"
done

expect_fetch 1 "$scratch/nowhere" "$scratch/none"
grep -q 'is there a network' "$scratch/err" || complain "the network is not named"
expect_fetch 1 "$scratch/wrong" "$scratch/none"
grep -q 'SHA-256 differs' "$scratch/err" || complain "the checksum is not named"
if compgen -G "$scratch/none/*"; then
	complain "something is left behind"
fi
cp "$scratch/wrong/${names[0]}" "$scratch/none"
expect_fetch 1 "$scratch/nowhere" "$scratch/none"
grep -q 'move it away' "$scratch/err" || complain "a wrong file that is there is not named"
status=0
bash "$fetch" a b 2>/dev/null || status=$?
((status == 2)) || complain "two directories are taken"

# With the real files: whole, cut off, and wrong at the start.
if [[ -r ${WEIR_DATA-}/${names[0]} && -r ${WEIR_DATA-}/${names[1]} ]]; then
	mkdir "$scratch/there"
	head -c 10000 "$WEIR_DATA/${names[0]}" >"$scratch/there/${names[0]}.part"
	expect_fetch 0 "$WEIR_DATA" "$scratch/there"
	expect_fetch 0 "$scratch/nowhere" "$scratch/there"
	rm "$scratch/there/${names[1]}"
	echo "something else" >"$scratch/there/${names[1]}.part"
	expect_fetch 0 "$WEIR_DATA" "$scratch/there"
	for name in "${names[@]}"; do
		cmp "$WEIR_DATA/$name" "$scratch/there/$name" || complain "$name is not the real one"
	done
	if compgen -G "$scratch/there/*.part"; then
		complain "something is left behind"
	fi
fi

echo "$failures failures"
((failures == 0))
