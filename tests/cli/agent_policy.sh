#!/bin/bash
# Trained agents as policies: `weir run --policy rl:FILE`, `weir study`, `weir eval`.
# shellcheck source-path=SCRIPTDIR/.. source=support/cli.sh
source "$WEIR_SOURCE_DIR/tests/support/cli.sh"

cd "${scratch:?}"
cat >small.json <<EOF
{
	"include": "parity.json",
	"workload": {
		"count": 700,
		"arrivals": {"kind": "poisson", "rate": 6},
		"sizes": {
			"kind": "drawn",
			"prompt": {"kind": "lognormal", "median": 900, "sigma": 0.9, "maximum": 8000},
			"output": {"kind": "lognormal", "median": 60, "sigma": 1.2, "maximum": 900}
		}
	},
	"servers": "dgx-h100:3,dgx-a100:3",
	"pools": "prompt:dgx-h100,token:dgx-a100",
	"scheduler": {"kind": "mixed_pool"},
	"scaling": {"max_total_instances": 12, "scale_up_delay": 7},
	"family": {"seed": 3}
}
EOF
sed 's/"seed": 3/"seed": 4/' small.json >other.json

# An agent after the one rollout of a short training.
train_agent() {
	cat >training.json <<EOF
{
	"environment": {
		"kind": "scaling",
		"scaling": {"configs": [{"path": "small.json"}], "decision_interval": 5, "mode": "$1"}
	},
	"environments": 1,
	"total_steps": 16,
	"ppo": {"n_steps": 16, "batch_size": 16},
	"evaluation": {"episodes": 0}
}
EOF
	expect_status 0 "$WEIR" train training.json -o "$2" --seed "$3" --quiet
}
train_agent joint seed-1 1
train_agent joint seed-2 2
train_agent prompt prompt 3
train_agent token token 4
agent="seed-1/final.h5"
run=("$WEIR" run small.json -q)

# ---- wrong input: one message, no file ----

expect_status 2 "${run[@]}" --policy rl: -o bad.h5
expect_err "^--policy: 'rl:' names no file"
expect_status 2 "${run[@]}" --policy rl:none.h5 -o bad.h5
expect_err '^none.h5: '
expect_status 2 "${run[@]}" --policy hpa,keda,rl:$agent -o bad.h5
expect_err "^--policy: 'hpa' and 'keda'"
expect_status 2 "${run[@]}" --policy "rl:$agent,rl:token/final.h5" -o bad.h5
expect_err '^token/final.h5: acts on the pool of token instances'
expect_status 2 "${run[@]}" --policy rl:token/final.h5 --set servers=dgx-h100:4 \
	--set pools=mixed:4 --set scheduler.kind=token_jsq -o bad.h5
expect_err '^token/final.h5: .*the token pool, which the config does not have'
expect_status 2 "${run[@]}" --sample -o bad.h5
expect_err '^--sample: there is no agent'
expect_status 2 "${run[@]}" --policy rl:$agent --learn=a.h5,b.h5 -o bad.h5
expect_err '^--learn: expected a file for each of 1'
expect_status 2 "${run[@]}" --policy rl:$agent --learn=nowhere/a.h5 -o bad.h5
expect_err '^nowhere/a.h5'
expect_status 2 "${run[@]}" --policy rl:$agent --learn-every 1 -o bad.h5
expect_err '^--learn-every: expected a whole number from 2'
expect_status 2 "$WEIR" study small.json --policies never,rl:none.h5
expect_err '^none.h5: '
expect_status 2 "$WEIR" eval
expect_err 'an AGENT is needed'
expect_status 2 "$WEIR" eval small.json
expect_err '^AGENT: expected the file of an agent'
if [[ -e bad.h5 || -e bad.h5.part ]]; then
	echo 'a run that was refused left a file'
	failures=$((failures + 1))
fi

# ---- runs ----

expect_status 0 "${run[@]}" --policy rl:$agent --sample -o one.h5
expect_status 0 "${run[@]}" --policy rl:$agent --sample -o two.h5
expect_status 0 "${run[@]}" --policy rl:$agent --sample --seed 2 -o three.h5
digest() {
	"$WEIR" verify --digest "$1"
}
if [[ $(digest one.h5) != "$(digest two.h5)" || $(digest one.h5) == "$(digest three.h5)" ]]; then
	echo 'runs of one seed differ, or runs of two do not'
	failures=$((failures + 1))
fi
expect_status 0 "$WEIR" verify one.h5
expect_status 0 "$WEIR" report one.h5 -o one.html
expect_match 'Integrity of the decisions' one.html
expect_status 0 "${run[@]}" --policy rl:prompt/final.h5,rl:token/final.h5 -o both.h5
expect_status 0 "$WEIR" verify both.h5
expect_status 0 "${run[@]}" --policy hpa,rl:token/final.h5 -o beside.h5
expect_status 0 "$WEIR" run small.json --policy rl:$agent --set workload.count=4000 --log -o log.h5
expect_err '^ +495.000 Step: 100 \| Reward: -?[0-9.]+ \| Active Instances: [0-9]+$'
expect_status 0 "${run[@]}" --policy rl:$agent --learn=learned.h5 --learn-every 8 -o learn.h5
expect_status 0 "$WEIR" verify learn.h5
expect_status 0 "$WEIR" report learn.h5 -o learn.html
expect_match 'reward_mean' learn.html
expect_status 0 "${run[@]}" --policy rl:learned.h5 --learn -o learn.h5

# ---- studies ----

policies=never,rl:$agent,rl:prompt/final.h5+rl:token/final.h5,hpa+rl:token/final.h5,best_known
study=("$WEIR" study small.json --policies "$policies" --replications 2 --budget 2 --sample)
expect_status 0 "${study[@]}" --json --jobs 1 -o one.json
expect_status 0 "${study[@]}" --json --jobs 3 -o three.json
if ! cmp -s one.json three.json; then
	echo 'another result from three processes'
	failures=$((failures + 1))
fi
expect_status 0 "${study[@]}"
expect_out '^final  '
expect_out '^final\+final  '
expect_out '^hpa\+final  '
expect_status 0 "$WEIR" study small.json --policies rl:$agent --long

# ---- eval ----

expect_status 0 "$WEIR" eval --help
expect_out '^usage: weir eval AGENT'
eval=("$WEIR" eval "$agent" small.json --replications 2)
expect_status 0 "${eval[@]}" --policies never,reactive --bounds --budget 2
expect_out '^small: paired differences from final '
expect_out '^best_known '
expect_status 0 "${eval[@]}" --set workload.count=40 --format csv
expect_out '^small,never,'
expect_out '^small,keda,'
expect_out '^small,wva2,'
if grep -q '^small,schedule,' out; then
	echo 'a schedule for a scenario that has none'
	failures=$((failures + 1))
fi
expect_status 0 "${eval[@]}" seed-2/final.h5 other.json --policies never
expect_out '^seed-1/final  '
expect_out '^Over the seeds of 2 agents: interquartile means'
expect_out '^all +never +-?[0-9]'
expect_status 0 "${eval[@]}" seed-2/final.h5 --policies never --json -o eval.json
if command -v python3 >/dev/null; then
	expect_status 0 python3 -c '
import json
study = json.load(open("eval.json"))
assert study["baseline"] == "seed-1/final"
rows = {p["policy"]: p for p in study["scenarios"][0]["policies"]}
assert list(rows) == ["seed-1/final", "seed-2/final", "never"], list(rows)
costs = {n: [r["cost_usd"] for r in p["replications"]] for n, p in rows.items()}
over = [
    sum(100 * (a / b - 1) for a, b in zip(costs[n], costs["never"])) / 2
    for n in ("seed-1/final", "seed-2/final")
]
(seeds,) = study["seeds"]
assert seeds["scenario"] == "small" and seeds["agents"] == 2
found = seeds["policies"][0]["relative_cost"]
assert abs(found["value"] - sum(over) / 2) < 1e-9, (found, over)
assert min(over) - 1e-9 <= found["low"] <= found["high"] <= max(over) + 1e-9
one = json.load(open("one.json"))
agent = [p for p in one["scenarios"][0]["policies"] if p["policy"] == "final"][0]
print(int(agent["replications"][0]["seed"]), repr(agent["replications"][0]["cost_usd"]))
'
	# A replication is the run of its seed.
	read -r seed cost <out
	expect_status 0 "$WEIR" run small.json --policy rl:$agent --sample --seed "$seed" --json \
		-o again.h5
	expect_out "\"cost_usd\":[[:space:]]*${cost//./\\.}"
fi

finish
