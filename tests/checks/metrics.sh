#!/bin/bash
# docs/metrics.md names every metric and every single figure of a run.
# shellcheck source-path=SCRIPTDIR/.. source=support/cli.sh
source "$WEIR_SOURCE_DIR/tests/support/cli.sh"

expect_status 0 "$WEIR" run "$WEIR_SOURCE_DIR/configs/default.json" --until 30 --json -o "$scratch/run.h5"
# Keys at the second level: those of "totals" and "metrics".
mapfile -t names < <(sed -n '/"totals"/,/"performance"/s/^\t\t"\([a-z0-9_]*\)":.*/\1/p' "$scratch/out")
for name in "${names[@]}"; do
	if ! grep -q "\`$name\`" "$WEIR_SOURCE_DIR/docs/metrics.md"; then
		echo "docs/metrics.md does not name $name"
		failures=$((failures + 1))
	fi
done
echo "${#names[@]} names"
if ((${#names[@]} < 20)); then
	failures=$((failures + 1))
fi

finish
