#!/bin/bash
# `weir run --record iterations` and `weir trace-events`: what Python reads back, and messages.
# shellcheck source-path=SCRIPTDIR/.. source=support/cli.sh
source "$WEIR_SOURCE_DIR/tests/support/cli.sh"

if ! python3 -c 'import gzip, json' 2>/dev/null; then
	echo 'skipped: needs python3'
	exit 77
fi
check=(python3 "$WEIR_SOURCE_DIR/tests/support/check_trace_events.py")
default=$WEIR_SOURCE_DIR/configs/default.json
cd "${scratch:?}"

# record NAME OPTION...: a run of that name
record() {
	local name=$1
	shift
	expect_status 0 "$WEIR" run "$default" --until 200 -q -o "$name.h5" "$@"
}

# ---- runs of every kind, whole and in part ----

record pools --record iterations
record shared --set record.iterations=true --set network.kind=shared_nic
record single --record iterations --set pools=single --set scheduler.kind=jsq \
	--set instance.kind=chunked
record elastic --record iterations --set scheduler.kind=kv_jsq --set faults.instance_mtbf=150 \
	--set 'policies=[{"kind": "reactive", "interval": 5}]'
for name in pools shared single elastic; do
	expect_status 0 "$WEIR" trace-events $name.h5 -o $name.json.gz
	expect_err "^$name.json.gz: [0-9]+ iteration events, "
	expect_status 0 "${check[@]}" $name.json.gz
	expect_out '^M:[1-9][0-9]* X:[1-9][0-9]{3,} i:[0-9]+ s:[1-9][0-9]{2,} t:[0-9]+ f:[1-9][0-9]{2,} C:[1-9]'
	expect_status 0 "$WEIR" trace-events $name.h5 -o part.json --from 100.25 --to 103
	expect_status 0 "${check[@]}" part.json 100.25 103
	expect_out ' X:[1-9]'
done
expect_status 0 "${check[@]}" elastic.json.gz
expect_out ' i:[1-9]'

# The same text, with gzip, without it and on standard output.
expect_status 0 "$WEIR" trace-events pools.h5 -o pools.json
expect_status 0 "$WEIR" trace-events pools.h5 -o -
cmp pools.json out || failures=$((failures + 1))
gzip -dc pools.json.gz | cmp - pools.json || failures=$((failures + 1))

# A window in which nothing is.
expect_status 0 "$WEIR" trace-events pools.h5 -o none.json --from 1e6
expect_err 'none.json: 0 iteration events, 0 transfers'
expect_status 0 "${check[@]}" none.json

# ---- a run that does not record them has no such tables, and both hold ----

record without
expect_status 0 "$WEIR" verify without.h5
expect_status 0 "$WEIR" verify pools.h5
expect_status 0 "$WEIR" info without.h5
if grep -Eq '^(iterations|transfers):' out; then
	echo 'tables of iterations in a run without them'
	failures=$((failures + 1))
fi

# ---- what is refused, and then no file is left ----

expect_status 2 "$WEIR" trace-events without.h5 -o no.json
expect_err "^without.h5: the run did not record its iterations; run it again with 'weir run --record iterations'"
expect_status 2 "$WEIR" trace-events none.h5 -o no.json
expect_err '^none.h5: '
expect_status 2 "$WEIR" trace-events pools.h5
expect_err '-o OUT is needed'
expect_status 2 "$WEIR" trace-events -o no.json
expect_err 'one RUN.h5 is needed, 0 are given'
expect_status 2 "$WEIR" trace-events pools.h5 -o no.json --from 2 --to 1
expect_err '--from must not be after --to'
expect_status 2 "$WEIR" trace-events pools.h5 -o no.json --from soon
expect_err "^--from: expected a number of seconds, got 'soon'"
expect_status 2 "$WEIR" trace-events pools.h5 -o nowhere/no.json
expect_err '^nowhere/no.json: cannot be written'
expect_status 2 "$WEIR" run "$default" -q -o no.h5 --record everything
expect_err "^--record: expected iterations, got 'everything'"
if compgen -G 'no.*' >/dev/null; then
	echo 'a file is left:' no.*
	failures=$((failures + 1))
fi

finish
