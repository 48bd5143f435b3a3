#!/bin/bash
# The axis "policy": autoscalers and agents as points of a sweep and of a plan, told apart by what
# is in the agents' files.
# shellcheck source-path=SCRIPTDIR/.. source=support/cli.sh
source "$WEIR_SOURCE_DIR/tests/support/cli.sh"
cd "${scratch:?}"
# shellcheck source-path=SCRIPTDIR/.. source=support/sweep.sh
source "$WEIR_SOURCE_DIR/tests/support/sweep.sh"

scenario=$WEIR_SOURCE_DIR/configs/scenarios/steady.json
agents=$WEIR_SOURCE_DIR/configs/agents
mkdir study
# write_policies NAME VALUES [MEMBERS]
write_policies() {
	cat >"study/$1.json" <<END
{
	"base": "$scenario", "until": 120, "replications": 2,
	"axes": [{"path": "policy", "values": [$2]}]
	${3:+, $3}
}
END
}

# ---- wrong input ----

write_policies gone '"rl:gone.h5"'
expect_status 2 "$WEIR" sweep study/gone.json --dry-run
expect_err '^study/gone.h5: cannot be opened'
write_policies nobody '"hpaa"'
expect_status 2 "$WEIR" sweep study/nobody.json --dry-run
expect_err "^policy: unknown policy 'hpaa'; did you mean 'hpa'"
write_policies number '3'
expect_status 2 "$WEIR" sweep study/number.json --dry-run
expect_err '^study/number.json: policy: expected the names of policies .*got 3$'
write_policies set '"hpa"' '"set": {"policy": "hpa"}'
expect_status 2 "$WEIR" sweep study/set.json --dry-run
expect_err 'set.policy: is no key of a config; a policy is named by an axis'
echo 'no agent' >study/plain.h5
write_policies plain '"rl:plain.h5"'
expect_status 2 "$WEIR" sweep study/plain.json --dry-run
expect_err 'study/plain.h5'

# ---- runs are those of weir run ----

write_policies all '"hpa", "static", "rl:steady", "hpa+rl:agent.h5"'
cp "$agents/generalist.h5" study/agent.h5
expect_status 0 "$WEIR" sweep study/all.json -o all -q
expect_files all 8
digest() {
	expect_status 0 "$WEIR" verify --digest "$1"
	cat "$scratch/out"
}
# same POLICY POINT: the first replication of a point is this run.
same() {
	local seed path
	"$WEIR" sweep collect all --csv all.csv 2>/dev/null
	read -r seed path < <(awk -F, -v run=$(($2 * 2)) 'NR == 1 {
		for (i = 1; i <= NF; i++) { column[$i] = i }
		next
	}
	$column["run"] == run { print $column["seed"], $column["path"] }' all.csv)
	expect_status 0 "$WEIR" run "$scenario" --until 120 --seed "$seed" --policy "$1" -o one.h5 -q
	if [[ $(digest one.h5) != "$(digest "all/$path")" ]]; then
		echo "the sweep's run of $1 is not that of weir run"
		failures=$((failures + 1))
	fi
}
same hpa 0
same static 1
same rl:steady 2
same hpa,rl:study/agent.h5 3
if [[ $(cut -d, -f5- all.csv | sort -u | wc -l) != 9 ]]; then
	echo 'policies do not differ'
	failures=$((failures + 1))
fi

# ---- another agent under the same name is another point ----

write_policies one '"rl:agent.h5"'
expect_status 0 "$WEIR" sweep study/one.json --dry-run
cp "$scratch/out" before
expect_status 0 "$WEIR" sweep study/one.json -o one -q
expect_status 0 "$WEIR" sweep study/one.json -o one -q
cp "$agents/steady.h5" study/agent.h5
expect_status 0 "$WEIR" sweep study/one.json --dry-run
if cmp -s "$scratch/out" before; then
	echo 'another agent has the same id'
	failures=$((failures + 1))
fi
expect_status 2 "$WEIR" sweep study/one.json -o one -q
expect_err '^one'
cp "$agents/generalist.h5" study/agent.h5
cp "$agents/generalist.h5" study/copy.h5
write_policies copies '"rl:agent.h5", "rl:copy.h5"'
expect_status 0 "$WEIR" sweep study/copies.json --dry-run
expect_err '^1 points \(1 more would be there twice\)'

# ---- plans and screenings ----

cat >study/plan.json <<END
{
	"space": {
		"base": "$scenario", "until": 120,
		"axes": [{"path": "policy", "values": ["hpa", "rl:steady"]}, {"path": "servers", "values": ["dgx-a100:35"]}]
	},
	"slo": {"targets": [0.01]}
}
END
expect_status 0 "$WEIR" plan study/plan.json --format csv
expect_out 'policy=.*rl:steady'
expect_out 'policy=.*hpa'
# The costs are those of the sweep's first replications, whose seed is the same; written with as many digits at
# least, not rounded here.
for policy in hpa rl:steady; do
	cost=$(awk -F, -v policy="$policy" 'NR == 1 {
		for (i = 1; i <= NF; i++) { column[$i] = i }
		next
	}
	index($column["policy"], "\"" policy "\"") && $column["replication"] == 0 {
		print substr($column["cost_usd"], 1, 9)
	}' all.csv)
	expect_out "${policy}.*,${cost:-no cost}"
done
cat >study/screening.json <<END
{
	"space": {
		"base": "$scenario", "until": 60,
		"axes": [{"path": "policy", "values": ["static", "rl:steady"]}]
	},
	"method": "one_at_a_time"
}
END
expect_status 0 "$WEIR" sensitivity study/screening.json --format csv
expect_out '^policy,'

finish
