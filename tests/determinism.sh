#!/bin/bash
# The same config and seed give the same results whatever built the program.
# usage: tests/determinism.sh WEIR WEIR...   (weir of several builds)
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
scratch=$(mktemp -d "${TMPDIR:-/tmp}/weir-test-XXXXXX")
trap 'rm -rf "$scratch"' EXIT

if (($# < 2)); then
	echo "usage: tests/determinism.sh WEIR WEIR..." >&2
	exit 2
fi

# Arguments of weir run after the config: both batching policies, drawn choices, shared links.
cases=(
	"--seed 1"
	"--seed 2"
	"--seed 1 --set instance.kind=orca --set scheduler.kind=random --set pools=single"
	"--seed 1 --set instance.kind=chunked --set scheduler.kind=kv_jsq --set network.kind=shared_nic"
	"--seed 1 --set instance.kind=splitwise --set scheduler.kind=overlap_kv_token_jsq"
)

status=0
digests=()
for arguments in "${cases[@]}"; do
	read -ra words <<<"$arguments"
	first=
	for weir in "$@"; do
		"$weir" run "$root/configs/default.json" -o "$scratch/run.h5" --until 600 --quiet \
			--set "workload.like=$root/traces/azure-conv-like.json" "${words[@]}"
		digest=$("$weir" verify --digest "$scratch/run.h5" | grep -Eo '[0-9a-f]{32}' || true)
		if [[ -z $digest ]]; then
			echo "$weir printed no digest: $arguments"
			status=1
		elif [[ $digest != "${first:=$digest}" ]]; then
			echo "$weir: $digest, $1: $first: $arguments"
			status=1
		fi
		rm -f "$scratch/run.h5"
	done
	echo "$first  $arguments"
	digests+=("$first")
done

# A digest that does not see the seed would agree with everything.
if [[ ${digests[0]} == "${digests[1]}" ]]; then
	echo "seeds 1 and 2 give the same digest"
	status=1
fi
exit $status
