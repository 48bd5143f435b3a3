#!/bin/bash
# weir run with policies: names, files, log lines, and what is refused.
# shellcheck source-path=SCRIPTDIR/.. source=support/cli.sh
source "$WEIR_SOURCE_DIR/tests/support/cli.sh"
cd "$scratch"

config=$WEIR_SOURCE_DIR/configs/default.json
run=("$WEIR" run "$config" -o run.h5 --quiet --until 200)

# A policy by name, with its log.
expect_status 0 "${run[@]}" --policy reactive --log
cat out err >log
expect_match '^ +[0-9.]+ \[Action\] Removed token instance [0-9]+$' log
expect_match '^ +[0-9.]+ \[ScalingManager\] Instance [0-9]+ draining started at [0-9]+\.[0-9]{2}$' log
expect_match '^ +[0-9.]+ \[ScalingManager\] Auto scale-down server [0-9]+ after instance removal$' log
expect_status 0 "$WEIR" verify run.h5
expect_out '^scaling_events holds +[0-9]{2,} rows'
expect_out '13 checks hold, 0 fail, 0 skipped'
expect_status 0 "$WEIR" verify run.h5 --digest
cp out digest
expect_status 0 "${run[@]}" --policy reactive
if grep -q 'ScalingManager' out err; then
	echo 'a log that nobody asked for'
	failures=$((failures + 1))
fi
expect_status 0 "$WEIR" verify run.h5 --digest
cmp out digest || failures=$((failures + 1))

# Memory that waits for memory, on an instance that a draining one waits for: nothing can go on, and
# the looks at the drain do not keep the run going (an hour of events, each followed by all
# checks of a debug build, takes too long there).
if grep -q '^CMAKE_BUILD_TYPE:.*=Release$' "$WEIR_BINARY_DIR/CMakeCache.txt"; then
	expect_status 0 timeout 60 "$WEIR" run "$WEIR_SOURCE_DIR/configs/scenarios/training/bursty.json" \
		-o stalled.h5 --json --seed 205001 --set 'workload.arrivals.rates=[30,85]' \
		--set 'workload.arrivals.sojourns=[240,100]' --set 'policies=[
		{"kind": "holt_winters", "pool": "prompt", "interval": 15,
		 "holt_winters": {"demand": "tokens", "target_tokens": 1800}},
		{"kind": "holt_winters", "pool": "token", "interval": 15,
		 "holt_winters": {"demand": "concurrency", "target_concurrency": 45}}]'
	expect_out '"stalled":.true'
	rm -f stalled.h5
fi

# A policy from a file, and what is neither.
printf '{"policies": [{"kind": "static", "pool": "token", "static": {"token": 2}}]}\n' >two.json
expect_status 0 "${run[@]}" --policy two.json --json
expect_out '"instances_removed":.4,?$'
expect_status 2 "${run[@]}" --policy nonsense
expect_err "unknown policy 'nonsense'; there are .*never"

# What the cluster cannot do: where it was said, and what is wrong.
refuse() {
	rm -f refused.h5
	expect_status 2 "$WEIR" run "$config" -o refused.h5 --policy never --set "$1"
	expect_err "$2"
	if [[ -e refused.h5 || -e refused.h5.part ]]; then
		echo "a file of a refused run: $1"
		failures=$((failures + 1))
	fi
}
refuse 'scaling.max_total_instances=11' 'scaling\.max_total_instances: .*starts with 12'
refuse 'scaling.min_instances_per_pool=90' 'scaling\.min_instances_per_pool: '
refuse 'scaling.skus=["dgx-z9"]' 'scaling\.skus.*dgx-z9'
refuse 'policies=[{"kind": "never", "pool": "mixed"}]' 'policies\[0\]\.pool: .*no mixed pool'
refuse 'policies=[{"kind": "nonsense"}]' 'policies\[0\]\.kind: '

finish
