#!/bin/bash
# `weir config`: what it prints is a config, what it refuses says where and why.
# shellcheck source-path=SCRIPTDIR/.. source=support/cli.sh
source "$WEIR_SOURCE_DIR/tests/support/cli.sh"

parity=$WEIR_SOURCE_DIR/configs/parity.json

expect_status 0 "$WEIR" config "$parity"
cp "$scratch/out" "$scratch/first.json"
expect_status 0 "$WEIR" config "$scratch/first.json"
if ! cmp "$scratch/out" "$scratch/first.json"; then
	failures=$((failures + 1))
fi

# Without CONFIG it is the shipped default.
expect_status 0 "$WEIR" config --set workload.like=
cp "$scratch/out" "$scratch/default"
expect_status 0 "$WEIR" config "$WEIR_SOURCE_DIR/configs/default.json" --set workload.like=
if ! cmp "$scratch/out" "$scratch/default"; then
	failures=$((failures + 1))
fi

printf 'request_id,arrival_timestamp,prompt_size,token_size\n0,0,10,5\n' >"$scratch/trace.csv"
trace=trace.path=$scratch/trace.csv
expect_status 0 "$WEIR" config "$parity" --check --set servers=dgx-a100:6,dgx-h100:6 \
	--set model=llama2-70b --set instance.kind=orca --set scheduler.kind=mixed_pool \
	--set pools=prompt:dgx-h100,token:dgx-a100 --set "$trace"
expect_out 'servers 12'
expect_status 0 "$WEIR" config "$parity" --check --json --set servers=dgx-h100:16 \
	--set pools=prompt:12,token:4 --set scheduler.kind=kv_jsq --set "$trace"
expect_out '"servers": 16'
expect_status 0 "$WEIR" config "$parity" --set trace.path=somewhere.csv
expect_out "\"$PWD/somewhere.csv\""

expect_status 2 "$WEIR" config "$parity" --set scheduler.kind=token_jqs
expect_err "^--set: scheduler.kind: unknown kind 'token_jqs'; did you mean 'token_jsq'\?"
expect_status 2 "$WEIR" config "$parity" --set pools=prompt:3
expect_err '^--set: pools: the pools take 3 servers, but there are 4$'
expect_status 2 "$WEIR" config "$parity" --check --set "$trace" \
	--set execution_time.profile=none.json
expect_err '^none.json: cannot be opened'
expect_status 2 "$WEIR" config "$parity" --check --set trace.path=none.csv
expect_err '^none.csv: cannot be opened'
expect_status 2 "$WEIR" config "$parity" --check
expect_err "^$parity: workload: there are no requests"
expect_status 2 "$WEIR" config "$scratch/none.json"
expect_err "^$scratch/none.json: cannot be opened"
expect_status 2 "$WEIR" config "$scratch"
expect_err 'is a directory'
printf '{\n  "model": "bloom-176b"\n  "servers": "dgx-h100:1"\n}\n' >"$scratch/bad.json"
expect_status 2 "$WEIR" config "$scratch/bad.json"
expect_err "^$scratch/bad.json:3:3: expected a comma"
expect_status 2 "$WEIR" config "$parity" other.json
expect_status 2 "$WEIR" config --explain --check

family='family={"shapes": [{}, {"servers": "dgx-h10:3"}]}'
expect_status 0 "$WEIR" config "$parity" --set "$trace" --set "$family"
expect_status 2 "$WEIR" config "$parity" --check --set "$trace" --set "$family"
expect_err "^--set: family.shapes\[1\]: servers: unknown SKU 'dgx-h10'; did you mean 'dgx-h100'\?"

expect_status 0 "$WEIR" config --explain scheduler.kind
expect_out '^scheduler.kind: one of "random"'
expect_status 0 "$WEIR" config --explain --json
expect_out '"path":.*"servers\[\].sku"'
expect_status 2 "$WEIR" config --explain sheduler
expect_err "did you mean 'scheduler'"

finish
