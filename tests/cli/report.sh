#!/bin/bash
# `weir report`: what it makes of whole runs, of parts, of odd ones, and of files that are no runs.
# shellcheck source-path=SCRIPTDIR/.. source=support/cli.sh
source "$WEIR_SOURCE_DIR/tests/support/cli.sh"

parity=$WEIR_SOURCE_DIR/configs/parity.json
traces=$WEIR_SOURCE_DIR/tests/parity
header=request_id,arrival_timestamp,prompt_size,token_size
cd "${scratch:?}"

complain() {
	echo "$*"
	failures=$((failures + 1))
}

# Complains unless the payload that was printed fulfils a Python expression of `run`, the first run,
# `runs` and `panels`, by id.
expect_payload() {
	python3 - "$1" <<'END' || complain "the payload does not fulfil: $1"
import json, sys
payload = json.load(open("out"), parse_constant=lambda name: sys.exit("no JSON: " + name))
runs = payload["runs"]
run = runs[0]
panels = {panel["id"]: panel for panel in run["panels"]}
sys.exit(not eval(sys.argv[1]))
END
}

"$WEIR" run "$parity" --set "trace.path=$traces/syn_burst.csv" -o whole.h5 -q

# ---- how it is asked ----

expect_status 2 "$WEIR" report
expect_err 'at least one RUN.h5 is needed'
expect_status 2 "$WEIR" report whole.h5
expect_err 'one of -o REPORT.html and --json is needed'
expect_status 2 "$WEIR" report whole.h5 --json -o page.html
expect_err 'one of -o REPORT.html and --json is needed'
expect_status 2 "$WEIR" report whole.h5 -o
expect_err 'no value for -o'
if [[ -e page.html ]]; then
	complain 'a page in spite of a usage error'
fi

# ---- files that are no runs: a sentence, and no page (a newer schema: test_analysis_report_data) ----

refuse() {
	rm -f page.html
	expect_status 2 "$WEIR" report "$1" -o page.html
	expect_err "^$1: $2"
	expect_status 2 "$WEIR" report "$1" --json
	expect_err "^$1: $2"
	if [[ -s out || -n $(find . -name 'page.html*') ]]; then
		complain "output for $1"
	fi
}

mkdir directory
: >nothing.h5
echo 'not a run' >text.h5
h5mkgrp other.h5 /group
head -c 3000 whole.h5 >short.h5
refuse none.h5 'cannot read the file: No such file'
refuse directory 'is a directory, not a recorded run'
refuse nothing.h5 'is empty, not a recorded run'
refuse text.h5 'is not an HDF5 file'
refuse other.h5 'is an HDF5 file, but not a run that weir recorded'
refuse short.h5 '.*(damaged|not finished)'
# One bad file among good ones leaves no page either.
expect_status 2 "$WEIR" report whole.h5 text.h5 -o page.html
expect_err '^text.h5: is not an HDF5 file'

# ---- places that cannot be written ----

expect_status 2 "$WEIR" report whole.h5 -o nowhere/page.html
expect_err '^nowhere/page.html'
expect_status 2 "$WEIR" report whole.h5 -o directory
expect_err '^directory: '
echo old >page.html
expect_status 2 "$WEIR" report text.h5 -o page.html
if [[ $(cat page.html) != old ]]; then
	complain 'an old page was lost to a bad file'
fi

# ---- whole runs ----

expect_status 0 "$WEIR" report whole.h5 -o page.html
if [[ -s out || -s err || -n $(find . -name 'page.html.*') ]]; then
	complain 'a page was not made in silence, or left something behind'
fi
expect_match '^<!doctype html>' page.html
expect_match '"name":"whole"' page.html
expect_status 0 "$WEIR" report whole.h5 --json
expect_payload 'run["partial"] is None and run["file"] == "whole.h5" and len(runs) == 1'
expect_payload 'len(panels) == len(run["panels"]) > 20'
expect_payload 'json.loads(run["config"])["seed"] == 1'
cp whole.h5 'the second <one>.h5'
expect_status 0 "$WEIR" report whole.h5 'the second <one>.h5' --json
expect_payload '[r["name"] for r in runs] == ["whole", "the second <one>"]'
expect_payload 'runs[0]["panels"] == runs[1]["panels"] and runs[0]["verdict"] == runs[1]["verdict"]'
expect_status 0 "$WEIR" report whole.h5 'the second <one>.h5' -o two.html
if grep -q 'the second <one>' two.html; then
	complain 'a name is part of the markup'
fi

# Without what its config names the file is shown all the same, without slowdowns.
cp "$WEIR_SOURCE_DIR/configs/profiles/splitwise.json" profile.json
"$WEIR" run "$parity" --set "trace.path=$traces/syn_burst.csv" \
	--set "execution_time.profile=$PWD/profile.json" -o moved.h5 -q
rm profile.json
expect_status 0 "$WEIR" report moved.h5 --json
expect_payload '"ttft" in panels and "load_kv" in panels and "ttft_slowdown" not in panels'
expect_payload 'run["verdict"]["good"] is not None and "bottleneck not known" in run["verdict"]["text"]'
expect_payload 'any("profile.json" in fact["value"] for fact in run["facts"] if fact["label"] == "Slowdowns")'

# ---- odd runs ----

"$WEIR" run "$WEIR_SOURCE_DIR/configs/default.json" --until 0.00001 -o empty.h5 -q
expect_status 0 "$WEIR" report empty.h5 --json
expect_payload 'run["verdict"]["good"] is None and run["verdict"]["text"].startswith("No request came")'
expect_payload '"ttft_cdf" not in panels and panels["ttft"]["series"][0]["values"] == [None] * len(panels["ttft"]["x"]["values"])'
expect_status 0 "$WEIR" report empty.h5 -o page.html

printf '%s\n0,0.5,100,20\n' $header >one.csv
"$WEIR" run "$parity" --set trace.path=one.csv -o one.h5 -q
expect_status 0 "$WEIR" report one.h5 --json
expect_payload 'run["verdict"]["good"] is True and sum(panels["outcomes"]["series"][0]["values"]) == 1'

printf '%s\n0,0.5,900000,20\n1,1,900000,3\n' $header >never.csv
"$WEIR" run "$parity" --set trace.path=never.csv -o never.h5 -q
expect_status 0 "$WEIR" report never.h5 --json
expect_payload 'run["verdict"]["good"] is False'
expect_payload 'run["verdict"]["text"].startswith("0 of 2 requests completed: 0 failed, 2 were rejected")'
expect_status 0 "$WEIR" report never.h5 -o page.html

# ---- a part of a run ----

"$WEIR" run "$parity" --set "trace.path=$traces/syn_conv.csv" --set trace.repeat=1000000 \
	--set record.flush_interval=0.05 -o killed.h5 -q >/dev/null 2>&1 &
pid=$!
for ((i = 0; i < 200; i++)); do
	sleep 0.05
	if (($(stat -c %s killed.h5.part 2>/dev/null || echo 0) > 1000000)); then
		break
	fi
done
sleep 0.3
kill -KILL $pid
wait $pid 2>/dev/null || true
refuse killed.h5.part '.*has not finished.*weir recover'
"$WEIR" recover killed.h5.part >/dev/null
expect_status 0 "$WEIR" report killed.h5 --json
expect_payload 'run["partial"].startswith("This run did not end; it was recovered. Here is what had been written: ")'
expect_payload 'any(f["label"] == "Attainment" for f in run["figures"]) and any(t["id"] == "summary" for t in run["tables"])'
expect_payload 'not any(t["id"] == "totals" for t in run["tables"]) and "ttft_slowdown_cdf" in panels and "load_kv" in panels'
expect_status 0 "$WEIR" report killed.h5 -o page.html
expect_match 'This run did not end' page.html

finish
