#!/bin/bash
# `weir plan`: finds the cheapest fleet and the highest rate, and says what is wrong.
# shellcheck source-path=SCRIPTDIR/.. source=support/cli.sh
source "$WEIR_SOURCE_DIR/tests/support/cli.sh"
cd "${scratch:?}"
# shellcheck source-path=SCRIPTDIR/.. source=support/sweep.sh
source "$WEIR_SOURCE_DIR/tests/support/sweep.sh"

expect_status 0 "$WEIR" plan --help
expect_out '^usage: weir plan FILE.json'

# ---- wrong input ----

expect_status 2 "$WEIR" plan
expect_err 'one FILE is needed'
expect_status 2 "$WEIR" plan none.json
expect_err '^none.json: cannot be opened'
echo '{"space": {"base": "base.json"}}' >nothing.json
expect_status 2 "$WEIR" plan nothing.json
expect_err '^nothing.json: nothing to search'
echo '{"space": {"base": "base.json"}, "search": {"path": "workload.arivals.rate", "from": 1, "to": 9}}' >typo.json
expect_status 2 "$WEIR" plan typo.json
expect_err "^--set: workload.arivals: point 0, workload.arivals.rate=1: .*did you mean 'arrivals'"
echo '{"space": {"base": "gone.json"}, "search": {"path": "workload.count", "from": 1, "to": 9}}' >gone.json.plan
expect_status 2 "$WEIR" plan gone.json.plan
expect_err 'gone.json: cannot be opened'

# ---- one key ----

cat >rate.json <<'END'
{
	"space": {
		"base": "base.json",
		"set": {"workload.count": 300},
		"axes": [{"path": "servers", "values": ["dgx-a100:4", "dgx-h100:4"]}],
		"replications": 3
	},
	"slo": {"targets": [0.9]},
	"search": {"path": "workload.arrivals.rate", "from": 1, "to": 100, "tolerance": 0.1}
}
END
expect_status 2 "$WEIR" plan rate.json --format tabel
expect_err "^--format: unknown format 'tabel'; there are text, markdown"
expect_status 2 "$WEIR" plan rate.json --jobs 0
expect_err '^--jobs: expected a whole number from 1'
expect_status 2 "$WEIR" plan rate.json -o nowhere/out.csv
expect_err '^nowhere/out.csv'
expect_status 0 "$WEIR" plan rate.json --format csv --jobs 2
cp out two.csv
expect_status 0 "$WEIR" plan rate.json --format csv --jobs 1 -o one.csv
cmp one.csv two.csv || failures=$((failures + 1))
if ! awk -F, 'NR == 2 { best = $4; good = /dgx-h100:4/ && $4 > 1 && $5 > $4 && $5 <= 1.1 * $4 }
	NR == 3 { good = good && /dgx-a100:4/ && $4 < best }
	END { exit !(good && NR == 3) }' one.csv; then
	echo 'the rates are not as they should be:'
	cat one.csv
	failures=$((failures + 1))
fi
expect_status 0 "$WEIR" plan rate.json
expect_out '^2 points, [0-9]+ trials, [0-9]+ simulations, [0-9]+ of them ended early'
expect_out '3 of 3'
expect_status 0 "$WEIR" plan rate.json --json
expect_out '"rank":'

# ---- no answer ----

sed 's/"from": 1, /"from": 99, /' rate.json >high.json
expect_status 1 "$WEIR" plan high.json
expect_err 'No point keeps an attainment of 0.9'
expect_status 1 "$WEIR" plan high.json -q
if [[ -s $scratch/err ]]; then
	echo 'a quiet plan says something'
	failures=$((failures + 1))
fi

# ---- what is shipped ----

expect_status 0 "$WEIR" plan "$WEIR_SOURCE_DIR/configs/plans/three_skus.json" --format csv
expect_out '^0.99,1,'
expect_out '^0.99,3,'

finish
