#!/bin/bash
# The mpi engine gives what the local one does, and goes on after its job was killed.
# shellcheck source-path=SCRIPTDIR/.. source=support/cli.sh
source "$WEIR_SOURCE_DIR/tests/support/cli.sh"
if ! grep -q '^WEIR_MPI:BOOL=ON' "$WEIR_BINARY_DIR/CMakeCache.txt" || ! command -v mpirun >/dev/null; then
	echo 'skipped: built without WEIR_MPI, or there is no mpirun'
	exit 77
fi
cd "${scratch:?}"
# shellcheck source-path=SCRIPTDIR/.. source=support/sweep.sh
source "$WEIR_SOURCE_DIR/tests/support/sweep.sh"
mpi=(timeout 120 mpirun -n 3 --oversubscribe)
((EUID != 0)) || mpi+=(--allow-run-as-root)

# Equal points, so that the ranks must agree on those that are left.
cat >equal.json <<'END'
{
	"base": "base.json",
	"replications": 20,
	"design": {"kind": "latin_hypercube", "points": 8},
	"axes": [
		{"path": "workload.count", "range": {"from": 10, "to": 12}, "integer": true},
		{"path": "workload.arrivals.rate", "values": [10, 20]}
	]
}
END
expect_status 2 "$WEIR" sweep equal.json -o alone --engine mpi
expect_err '^--engine mpi: .*at least two'
expect_status 0 "$WEIR" sweep equal.json -o local -q
table local >local.table
runs=$(($(wc -l <local.table) - 1))
expect_status 0 "${mpi[@]}" "$WEIR" sweep equal.json -o ranks --engine mpi -q
expect_files ranks "$runs"
table ranks >ranks.table
cmp local.table ranks.table || failures=$((failures + 1))

# Agents of a point: the ranks find them as rank 0 does.
cat >agents.json <<END
{
	"base": "$WEIR_SOURCE_DIR/configs/scenarios/steady.json", "until": 60, "keep": "summary",
	"axes": [{"path": "policy", "values": ["hpa", "rl:steady", "rl:generalist"]}]
}
END
expect_status 0 "$WEIR" sweep agents.json -o agents-local -q
table agents-local >agents-local.table
expect_status 0 "${mpi[@]}" "$WEIR" sweep agents.json -o agents --engine mpi -q
table agents >agents.table
cmp agents-local.table agents.table || failures=$((failures + 1))
if [[ $(wc -l <agents.table) != 4 ]]; then
	echo 'not every policy has run'
	failures=$((failures + 1))
fi

# A rank is killed: the job ends, and the same command goes on.
"${mpi[@]}" "$WEIR" sweep equal.json -o killed --engine mpi -q >/dev/null 2>&1 &
job=$!
for ((i = 0; i < 200; i++)); do
	if "$WEIR" sweep status killed 2>/dev/null | grep -Eq '^done +[1-9]'; then
		break
	fi
	sleep 0.05
done
for process in /proc/[0-9]*; do
	if [[ $(readlink "$process/exe" 2>/dev/null) == "$(readlink -f "$WEIR")" &&
		$(readlink "$process/cwd" 2>/dev/null) == "$(pwd -P)" ]]; then
		kill -9 "${process##*/}" 2>/dev/null || true
		break
	fi
done
wait "$job" || true
expect_status 0 "${mpi[@]}" "$WEIR" sweep equal.json -o killed --engine mpi -q
expect_files killed "$runs"
table killed >killed.table
cmp local.table killed.table || failures=$((failures + 1))

expect_status 2 "${mpi[@]}" "$WEIR" sweep none.json --engine mpi
expect_err '^none.json: cannot be opened'

finish
