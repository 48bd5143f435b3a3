#!/bin/bash
# `weir study`: names, messages, formats, equal bytes, and an interrupt.
# shellcheck source-path=SCRIPTDIR/.. source=support/cli.sh
source "$WEIR_SOURCE_DIR/tests/support/cli.sh"

cd "${scratch:?}"
cat >small.json <<EOF
{
	"include": "parity.json",
	"workload": {
		"count": 200,
		"arrivals": {"kind": "poisson", "rate": 12},
		"sizes": {
			"kind": "drawn",
			"prompt": {"kind": "lognormal", "median": 900, "sigma": 0.9, "maximum": 8000},
			"output": {"kind": "lognormal", "median": 20, "sigma": 1.5, "maximum": 900}
		}
	},
	"family": {"seed": 3, "shapes": [{"workload.arrivals.rate": 12}, {"workload.arrivals.rate": 9}]}
}
EOF
sed 's/"seed": 3/"seed": 4/' small.json >other.json
echo '{"policies": "never"}' >mine.json
study=("$WEIR" study small.json)

expect_status 0 "$WEIR" study --help
expect_out '^usage: weir study CONFIG'
expect_out 'common'
expect_status 0 "$WEIR" --help
expect_out '^  study '

# ---- wrong input: said before the first run ----

expect_status 2 "$WEIR" study
expect_err 'a CONFIG is needed'
expect_status 2 "$WEIR" study none.json --policies never
expect_err '^none.json: cannot be opened'
expect_status 2 "${study[@]}" --policies never,reactve
expect_err "^--policies: unknown policy 'reactve'; did you mean 'reactive'\?"
expect_status 2 "${study[@]}" --policies xyzzyxyzzy
expect_err "^--policies: unknown policy 'xyzzyxyzzy'.*never"
expect_status 2 "${study[@]}" --policies never,never
expect_err "^--policies: 'never' is there twice"
expect_status 2 "${study[@]}" --policies ,
expect_err '^--policies: expected names'
expect_status 2 "${study[@]}" --policies best_known
expect_err '^--policies: best_known is a bound'
expect_status 2 "${study[@]}" --policies never,best_known --until 5
expect_err '^--until: best_known is of whole runs'
expect_status 2 "${study[@]}" --policies never,best_known --long
expect_err '^--long: '
expect_status 2 "${study[@]}" --policies nowhere/mine.json
expect_err '^nowhere/mine.json: cannot be opened'
expect_status 2 "$WEIR" study small.json small.json --policies never
expect_err "^CONFIG: 'small' is there twice"
expect_status 2 "${study[@]}" --policies never --baseline random
expect_err "^--baseline: unknown policy 'random'"
expect_status 2 "${study[@]}" --policies never --format txt
expect_err "^--format: unknown format 'txt'; did you mean 'text'\?"
expect_status 2 "${study[@]}" --replications 0
expect_err '^--replications: expected a whole number from 1'
expect_status 2 "${study[@]}" --width -1
expect_err '^--width: expected a number of percent above 0'
expect_status 2 "${study[@]}" --target 2
expect_err '^--target: expected an attainment from 0 to 1'
expect_status 2 "${study[@]}" --policies never --set schedular.kind=jsq
expect_err "did you mean 'scheduler'"
# Outputs that cannot be are found before the runs, which are more than a test has time for.
mkdir directory
endless=("${study[@]}" --policies never --set workload.count=100000000)
expect_status 2 timeout 60 "${endless[@]}" -o directory
expect_err '^directory: is a directory'
expect_status 2 timeout 60 "${endless[@]}" -o nowhere/out.json
expect_err '^nowhere/out.json.part: cannot be written: No such file'
expect_status 2 "${study[@]}" --policies
expect_err 'without its value'

# ---- results ----

expect_status 0 "${study[@]}" other.json --policies never,random,mine.json --replications 3 --width 1
expect_out '^small: means over 3 replications'
expect_out '^other: paired differences from never'
expect_out '^mean over the scenarios: replications for a half-width of 1 %'
expect_out '^mine  '
expect_status 0 "${study[@]}" --replications 2 --format markdown
expect_out '^\| own \|'
expect_status 0 "${study[@]}" other.json --policies never,random --replications 2 --format csv
expect_out '^scenario,policy,instance_hours,instance_hours_half_width,cost_usd,'
expect_out '^all,random,[0-9]'
if [[ $(wc -l <out) != 7 ]]; then
	echo "the CSV has $(wc -l <out) lines"
	failures=$((failures + 1))
fi
expect_status 0 "${study[@]}" --long --policies never
expect_out '^small +never +[0-9.]+ \+- '

policies=never,random,best_known
json=("${study[@]}" other.json --policies "$policies" --replications 2 --budget 1 --json)
expect_status 0 "${json[@]}" -q --jobs 1 -o one.json
if [[ -s out || -s err || -e one.json.part ]]; then
	echo 'not silent, or more than one file'
	failures=$((failures + 1))
fi
expect_status 0 "${json[@]}" --jobs 3 -o two.json
if ! cmp -s one.json two.json; then
	echo 'another result from three processes'
	failures=$((failures + 1))
fi
if command -v python3 >/dev/null; then
	expect_status 0 python3 -c '
import json, sys
study = json.load(open(sys.argv[1]))
assert study["baseline"] == "never" and study["budget"] == 1 and study["target"] == 0.99
names = [s["scenario"] for s in study["scenarios"]]
assert names == ["small", "other", "all"], names
for scenario in study["scenarios"]:
    rows = {p["policy"]: p for p in scenario["policies"]}
    assert list(rows) == ["never", "random", "best_known", "fluid_bound"], list(rows)
    for name, row in rows.items():
        assert [r["replication"] for r in row["replications"]] == [0, 1]
        costs = [r["cost_usd"] for r in row["replications"]]
        assert abs(row["mean"]["cost_usd"]["value"] - sum(costs) / 2) < 1e-9
        if name in ("never", "random"):
            assert all(r["regret_usd"] >= 0 for r in row["replications"])
            assert scenario["scenario"] == "all" or [
                (r["shape"], r["totals"]["arrived"], r["stalled"]) for r in row["replications"]
            ] == [(0, 200, False), (1, 200, False)]
    assert scenario["scenario"] == "all" or all(
        a["seed"] == b["seed"]
        for a, b in zip(rows["never"]["replications"], rows["random"]["replications"])
    )
' one.json
fi

# ---- an interrupt: soon, no file, and what was done ----

"${endless[@]}" -o late.json >out 2>err </dev/null &
pid=$!
sleep 1
kill -INT "$pid"
status=0
wait "$pid" || status=$?
if ((status != 130)); then
	echo "exit status $status after an interrupt"
	failures=$((failures + 1))
fi
expect_err '^weir: interrupted; [0-9]+ of 10 runs were done, and nothing was written'
if [[ -e late.json || -e late.json.part ]]; then
	echo 'an interrupted study left a file'
	failures=$((failures + 1))
fi

finish
