#!/bin/bash
# `weir sweep`: lists, runs, resumes, ends, collects, and says what is wrong.
# shellcheck source-path=SCRIPTDIR/.. source=support/cli.sh
source "$WEIR_SOURCE_DIR/tests/support/cli.sh"
cd "${scratch:?}"
# shellcheck source-path=SCRIPTDIR/.. source=support/sweep.sh
source "$WEIR_SOURCE_DIR/tests/support/sweep.sh"

expect_status 0 "$WEIR" sweep --help
expect_out '^usage: weir sweep FILE.json'
expect_status 0 "$WEIR" sweep status --help
expect_out '^usage: weir sweep status DIR'

# ---- wrong input ----

expect_status 2 "$WEIR" sweep
expect_err 'one FILE is needed'
expect_status 2 "$WEIR" sweep none.json
expect_err '^none.json: cannot be opened'
expect_status 2 "$WEIR" sweep status nowhere
expect_err '^nowhere: holds no sweep'
echo '{"base": "base.json", "axes": [{"path": "workload.arivals.rate", "values": [1]}]}' >typo.json
expect_status 2 "$WEIR" sweep typo.json -o typo
expect_err "^typo.json: workload.arivals: point 0 \(workload.arivals.rate=1\): .*did you mean 'arrivals'"
echo '{"base": "base.json", "axes": []}' >empty.json
expect_status 2 "$WEIR" sweep empty.json
expect_err '^empty.json: axes: expected at least one axis'
cat >many.json <<'END'
{"base": "base.json", "design": {"kind": "random", "points": 1000001},
 "axes": [{"path": "workload.arrivals.rate", "range": {"from": 1, "to": 2}}]}
END
expect_status 2 "$WEIR" sweep many.json --dry-run
expect_err 'more than 1000000; if that is meant, say --yes'
write_sweep small.json 20
expect_status 2 "$WEIR" sweep small.json --engine lokal
expect_err "^--engine: unknown engine 'lokal'; did you mean 'local'"
expect_status 2 "$WEIR" sweep small.json --jobs 0
expect_err '^--jobs: expected a whole number from 1'
echo 'not a database, and longer than a header of one would be..................................' >plain
mkdir odd && cp plain odd/sweep.db
expect_status 2 "$WEIR" sweep status odd
expect_err '^odd/sweep.db: cannot be opened: file is not a database'
expect_status 2 "$WEIR" sweep small.json -o plain
expect_err '^plain'

# ---- a whole sweep ----

expect_status 0 "$WEIR" sweep small.json --dry-run
expect_out '^4	[0-9a-f]{32}	workload.arrivals.rate=20$'
expect_err '^5 points .*100 runs'
if [[ -e runs ]]; then
	echo 'a dry run made a directory'
	failures=$((failures + 1))
fi
expect_status 0 "$WEIR" sweep small.json -o whole
expect_err '^whole: 100 of 100 runs done, 0 failed'
expect_files whole 100
expect_status 0 "$WEIR" sweep status whole --json
expect_out '"runs": 100, "waiting": 0, "running": 0, "done": 100'
expect_status 0 "$WEIR" verify "$(find whole/results -name '*-3.h5' | head -n 1)"

# The same with one worker, and by summaries alone: the same figures.
expect_status 0 "$WEIR" sweep small.json -o alone --jobs 1 -q
table whole >whole.table
table alone >alone.table
cmp whole.table alone.table || failures=$((failures + 1))
write_sweep summary.json 20 '"keep": "summary"'
expect_status 0 "$WEIR" sweep summary.json -q # into runs/summary
table runs/summary >summary.table
if [[ -e runs/summary/results ]]; then
	echo 'summaries have files'
	failures=$((failures + 1))
fi
cmp <(sed 's/,[^,]*$//' whole.table) <(sed 's/,[^,]*$//' summary.table) || failures=$((failures + 1))

# A point's run is what 'weir run' gives.
seed=$(awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i } $column["run"] == 41 {
	print $column["seed"], $column["cost_usd"], $column["ttft_p99"] }' whole.csv)
read -r seed cost ttft <<<"$seed"
expect_status 0 "$WEIR" run base.json --set workload.arrivals.rate=12.5 --seed "$seed" -o one.h5 --json
expect_out "\"cost_usd\":[[:space:]]*$cost,"
expect_out "$ttft"

# Common random numbers: as many seeds as replications; independent: one for each run.
expect_status 0 "$WEIR" sweep summary.json --independent -o apart -q
for directory in runs/summary apart; do
	"$WEIR" sweep collect "$directory" --csv seeds.csv 2>/dev/null
	cut -d, -f4 seeds.csv | tail -n +2 | sort -u | wc -l
done >counts
if [[ $(paste -sd' ' counts) != '20 100' ]]; then
	echo "seeds: $(paste -sd' ' counts)"
	failures=$((failures + 1))
fi

# ---- a store of another sweep; results that are gone ----

write_sweep other.json 21
expect_status 2 "$WEIR" sweep other.json -o whole
expect_err '^whole: holds another sweep .*replications 20.*replications 21'
rm -r whole/results
expect_status 0 "$WEIR" sweep small.json -o whole
expect_files whole 100
rm -r whole/aside
expect_status 0 "$WEIR" sweep small.json -o whole -q

# ---- collecting ----

expect_status 0 "$WEIR" sweep collect whole --hdf5 all.h5 --requests
if "$WEIR" info whole/results/000000/*-3.h5 >/dev/null 2>&1 && command -v h5ls >/dev/null; then
	expect_status 0 h5ls all.h5/requests/ttft
	expect_out 'Dataset \{2000\}'
	expect_status 0 h5ls all.h5/coverage/rows
	expect_out 'Dataset \{100\}'
fi
mv whole/results/000000 elsewhere
expect_status 2 "$WEIR" sweep collect whole --hdf5 none.h5 --requests
expect_err '/whole/results/000000/[0-9a-f]*-0.h5: '
if [[ -e none.h5 || -e none.h5.part ]]; then
	echo 'a table of missing files was written'
	failures=$((failures + 1))
fi
mv elsewhere whole/results/000000
expect_status 2 "$WEIR" sweep collect runs/summary --hdf5 none.h5 --requests
expect_err 'keeps summaries'

# ---- failures ----

cat >bad.json <<'END'
{"base": "base.json", "axes": [{"path": "trace.path", "values": ["missing.csv"]}]}
END
expect_status 1 "$WEIR" sweep bad.json -o bad
expect_err '0 of 1 runs done, 1 failed'
expect_status 0 "$WEIR" sweep failed bad
expect_out 'bad config \(attempts 1'
expect_out 'trace.path="missing.csv"'
expect_out 'missing.csv'
expect_status 0 "$WEIR" sweep retry bad
expect_out '^1 runs wait again'

# ---- an interrupt; another manager; cancel ----

write_sweep long.json 100000 '"keep": "summary"'
"$WEIR" sweep long.json -o long -q 2>interrupted &
pid=$!
for ((i = 0; i < 200; i++)); do
	if "$WEIR" sweep status long 2>/dev/null | grep -Eq '^done +[1-9]'; then
		break
	fi
	sleep 0.1
done
expect_status 2 "$WEIR" sweep long.json -o long
expect_err "^long: another 'weir sweep' is at work here"
kill -INT "$pid"
status=0
wait "$pid" || status=$?
if ((status != 130)) || ! grep -q 'goes on from here' interrupted; then
	echo "an interrupted sweep ended with status $status: $(cat interrupted)"
	failures=$((failures + 1))
fi
expect_status 0 "$WEIR" sweep status long
expect_out '^running +0$'
expect_out '^done +[1-9]'
"$WEIR" sweep long.json -o long -q &
pid=$!
sleep 0.5
expect_status 0 "$WEIR" sweep cancel long
expect_out '^[0-9]+ runs cancelled'
status=0
wait "$pid" || status=$?
expect_status 0 "$WEIR" sweep status long
expect_out '^waiting +0$'
expect_out '^cancelled +[1-9]'
if ((status != 0)); then
	echo "a cancelled sweep ended with status $status"
	failures=$((failures + 1))
fi

# ---- kills ----

kill_at_random small.json killed 5 300
expect_files killed 100
table killed >killed.table
cmp whole.table killed.table || failures=$((failures + 1))

finish
