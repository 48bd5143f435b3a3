#!/bin/bash
# Every shipped config is right and serves requests.
# shellcheck source-path=SCRIPTDIR/.. source=support/cli.sh
source "$WEIR_SOURCE_DIR/tests/support/cli.sh"

# For those that leave the workload to the command line: a request every second, for the first and
# the second application in turn.
{
	echo 'request_id,application_id,arrival_timestamp,prompt_size,token_size'
	for ((i = 0; i < 100; i++)); do
		echo "$i,$((i % 2)),$i,$((100 + 37 * i % 3000)),$((2 + 13 * i % 200))"
	done
} >"$scratch/two.csv"
sed 's/^\([0-9]*\),1,/\1,0,/' "$scratch/two.csv" >"$scratch/one.csv"

configs=0
for config in "$WEIR_SOURCE_DIR"/configs/{,examples/,scenarios/,scenarios/training/}*.json; do
	workload=()
	until=120
	case ${config##*/} in
	parity.json) workload=(--set "trace.path=$scratch/one.csv") ;;
	two_applications.json) workload=(--set "trace.path=$scratch/two.csv") ;;
	esac
	[[ $config == */scenarios/* ]] && until=30 # at some 50 requests/s
	expect_status 0 "$WEIR" config "$config" --check "${workload[@]}"
	expect_out '^The config is right'
	expect_status 0 "$WEIR" run "$config" "${workload[@]}" --until "$until" -o "$scratch/run.h5"
	expect_out ': [1-9][0-9]* completed, 0 rejected'
	configs=$((configs + 1))
done
if ((configs < 20)); then
	echo 'not all configs were found'
	failures=$((failures + 1))
fi
echo "$configs configs"

# Policies are overlays: each on its scenario, those for all of them on any.
policies=0
for policy in "$WEIR_SOURCE_DIR"/configs/policies/{,*/}*.json; do
	folder=${policy%/*}
	folder=${folder##*/}
	scenario=$WEIR_SOURCE_DIR/configs/scenarios/diurnal.json
	case $folder in
	search) continue ;;
	policies) ;;
	*) scenario=$WEIR_SOURCE_DIR/configs/scenarios/$folder.json ;;
	esac
	expect_status 0 "$WEIR" run "$scenario" --policy "$policy" --until 60 -o "$scratch/run.h5"
	expect_out ': [1-9][0-9]* completed, 0 rejected'
	policies=$((policies + 1))
done
if ((policies < 20)); then
	echo 'not all policies were found'
	failures=$((failures + 1))
fi
echo "$policies policies"

finish
