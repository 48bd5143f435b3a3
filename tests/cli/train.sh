#!/bin/bash
# `weir train`: messages, reports, interrupts, kills at any moment, several seeds.
# shellcheck source-path=SCRIPTDIR/.. source=support/cli.sh
source "$WEIR_SOURCE_DIR/tests/support/cli.sh"

cd "${scratch:?}"
cartpole=$WEIR_SOURCE_DIR/configs/training/cartpole.json
cat >brief.json <<EOF
{
	// A comment.
	"environment": {"kind": "tutorial"},
	"environments": 2,
	"total_steps": 2000,
	"ppo": {"n_steps": 100},
	"evaluation": {"interval": 1000, "episodes": 3}
}
EOF
train=("$WEIR" train brief.json)

complain() {
	echo "$1"
	failures=$((failures + 1))
}

# Every file of a training but timing.csv.
same_files() {
	local file
	for file in final.h5 best.h5 checkpoint.h5 config.json report.json progress.csv \
		progress.jsonl events.out.tfevents.0.weir; do
		cmp "$1/$file" "$2/$file" || complain "$file differs"
	done
}

expect_status 0 "$WEIR" train --help
expect_out '^usage: weir train CONFIG -o DIR'
expect_out '^examples:'
expect_status 0 "$WEIR" --help
expect_out '^  train '

# ---- wrong input: nothing is left of it ----

expect_status 2 "$WEIR" train
expect_err 'a CONFIG is needed'
expect_status 2 "$WEIR" train brief.json
expect_err '-o DIR is needed'
expect_status 2 "$WEIR" train brief.json brief.json -o made
expect_err 'a CONFIG is needed, and one only'
expect_status 2 "${train[@]}" -o made --resume --overwrite
expect_err '--resume and --overwrite exclude each other'
expect_status 2 "${train[@]}" -o made --frobnicate
expect_err 'unknown option'
expect_status 2 "${train[@]}" -o made --seeds 0
expect_err '^--seeds: expected a whole number from 1'
expect_status 2 "$WEIR" train none.json -o made
expect_err '^none.json: cannot be opened'
expect_status 2 "${train[@]}" -o made --set ppo.gama=1
expect_err "^--set: ppo.gama: unknown key 'gama'; did you mean 'gamma'"
expect_status 2 "${train[@]}" -o made --set environment.kind=cartpol
expect_err '^--set: environment.kind: .*cartpole'
expect_status 2 "${train[@]}" -o made --seed -1
expect_err '^--set: seed: expected'
expect_status 2 "${train[@]}" -o made --seeds 2 --set total_steps=0
expect_err '^--set: total_steps: '
touch file
expect_status 2 "${train[@]}" -o file/below
expect_err '^file: is not a directory'
[[ ! -e made ]] || complain 'wrong input left a directory'

# ---- a training ----

expect_status 0 "${train[@]}" -o a/b/c
expect_out '^trained +2000 steps, 10 rollouts, [0-9]+ episodes; all steps were done'
expect_out 'workload +does not apply'
expect_out 'reward +2000 of 2000 held'
expect_out 'action +2000 of 2000 held'
expect_out '^parameters +[0-9]+ of [0-9]+ changed'
expect_out '^evaluation +reward '
[[ ! -s $scratch/err ]] || complain 'a training in a pipe is not quiet'
expect_status 0 "${train[@]}" -o quiet --quiet
[[ ! -s $scratch/out ]] || complain 'a quiet training prints'
same_files a/b/c quiet
expect_status 0 "${train[@]}" -o json --json
cmp "$scratch/out" json/report.json || complain 'report.json is not what is printed'
expect_status 0 "$WEIR" train quiet/config.json -o again -q
same_files quiet again

# ---- what is there ----

sha256sum quiet/* >before
expect_status 2 "${train[@]}" -o quiet
expect_err '^quiet/checkpoint.h5: a training is here already: resume it, overwrite it'
expect_status 2 "${train[@]}" -o quiet --resume --seed 7
expect_err '^quiet/checkpoint.h5: is of another training: seed was 1 there and is 7 in brief.json'
expect_status 0 "${train[@]}" -o quiet --resume --threads 2
expect_out '^trained +2000 steps'
sha256sum --quiet -c before || complain 'files of a training that has ended were changed'
expect_status 0 "${train[@]}" -o quiet --overwrite --seed 7 -q
grep -q '"seed":.*7' quiet/config.json || complain 'it was not overwritten'
cp a/b/c/checkpoint.h5 quiet/checkpoint.h5
truncate -s -100 quiet/checkpoint.h5
expect_status 2 "${train[@]}" -o quiet --resume
expect_err '^quiet/checkpoint.h5: '

# ---- interrupted, and killed at any moment ----

long=("$WEIR" train "$cartpole" --set total_steps=60000 --set checkpoint.interval=2048 -q)
expect_status 0 "${long[@]}" -o whole
# SIGTERM does the same as Ctrl-C, which background jobs of scripts ignore.
"${long[@]}" -o stopped --set total_steps=100000000 2>err &
pid=$!
for ((i = 0; i < 600; i++)); do
	[[ ! -s stopped/progress.csv ]] || break
	sleep 0.05
done
expect_status 2 "${long[@]}" -o stopped --resume --set total_steps=100000000
expect_err '^stopped: another process is training into this directory'
kill -TERM $pid
status=0
wait $pid || status=$?
((status == 130)) || complain "exit status $status of an interrupted training"
expect_match '^stopped: interrupted after [0-9]+ of 100000000 steps' err
expect_match '^To go on: the same command with --resume' err

kills=0
for moment in 0.05 0.2 0.35 0.1 0.3 0.15; do
	"${long[@]}" -o killed --resume &
	pid=$!
	sleep "$moment"
	if kill -KILL $pid 2>/dev/null; then
		kills=$((kills + 1))
	fi
	wait $pid 2>/dev/null || true
done
((kills > 0)) || complain 'nothing was killed'
expect_status 0 "${long[@]}" -o killed --resume
same_files whole killed
expect_status 0 "$WEIR" train "$WEIR_SOURCE_DIR/configs/training/pendulum.json" -o pendulum \
	--set total_steps=4096 --set evaluation.episodes=1
expect_out '^trained +4096 steps'

# ---- files of the environment: found from the config, however that is named ----

mkdir -p worlds/deep
echo '{"include": "scenarios/training/steady.json"}' >worlds/steady.json
cat >worlds/deep/scaling.json <<EOF
{
	"environment": {
		"kind": "scaling",
		"scaling": {
			"configs": [{"path": "../steady.json"}],
			"sets": ["workload.arrivals.rate=2", "servers=dgx-a100:4", "pools=prompt:2,token:2"],
			"window": 200
		}
	},
	"environments": 2,
	"total_steps": 400,
	"ppo": {"n_steps": 25},
	"evaluation": {"interval": 200, "episodes": 2},
	"checkpoint": {"interval": 1}
}
EOF
expect_status 0 "$WEIR" train worlds/deep/scaling.json -o scaled
expect_out 'workload +400 of 400 held'
expect_out 'throughput +400 of 400 held'
"$WEIR" train worlds/deep/scaling.json -o killed-scaled -q &
pid=$!
sleep 0.4
kill -KILL $pid 2>/dev/null || true
wait $pid 2>/dev/null || true
(cd worlds && "$WEIR" train "$scratch/worlds/deep/scaling.json" -o ../killed-scaled --resume -q) ||
	complain 'it is not resumed from another directory'
same_files scaled killed-scaled
if grep -l "$scratch" scaled/{best,final}.h5; then
	complain 'an agent holds the name of a file'
fi
expect_status 2 "$WEIR" train worlds/deep/scaling.json -o made \
	--set 'environment.scaling.configs[0].path=nowhere.json'
expect_err 'nowhere.json: cannot be opened'
[[ ! -e made ]] || complain 'wrong input left a directory'

# ---- several seeds ----

expect_status 0 "${train[@]}" -o seeds --seeds 3 --seed 5 --jobs 2
expect_out '^ +5 +2000 .* seeds/seed-5$'
expect_out '^ +7 +2000 .* seeds/seed-7$'
expect_out '^interquartile mean of the final evaluations .* \(95 %: .* to .*\)$'
cp "$scratch/out" table
expect_status 0 "${train[@]}" -o one --seed 6 -q
same_files one seeds/seed-6
expect_status 2 "${train[@]}" -o seeds --seeds 4 --seed 5
expect_err '^seeds/seed-5/checkpoint.h5: a training is here already'
rm -r seeds/seed-6
expect_status 0 "${train[@]}" -o seeds --seeds 3 --seed 5 --resume
cmp "$scratch/out" table || complain 'resumed, the table differs'
same_files one seeds/seed-6
expect_status 0 "${train[@]}" -o seeds --seeds 3 --seed 5 --resume --json
expect_out '"interquartile_mean"'

finish
