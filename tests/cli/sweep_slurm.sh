#!/bin/bash
# label: long. The slurm engine gives what the local one does, on a cluster of one node that this test begins on
# loopback and ends; also when jobs are cancelled meanwhile.
# shellcheck source-path=SCRIPTDIR/.. source=support/cli.sh
source "$WEIR_SOURCE_DIR/tests/support/cli.sh"
PATH=$PATH:/usr/sbin:/sbin
for program in munged slurmctld slurmd sbatch squeue scancel; do
	if ! command -v "$program" >/dev/null; then
		echo "skipped: there is no $program (slurmctld, slurmd, slurm-client, munge)"
		exit 77
	fi
done
if ((EUID != 0)); then
	echo 'skipped: a node of Slurm wants to be begun by root'
	exit 77
fi
cd "${scratch:?}"
# shellcheck source-path=SCRIPTDIR/.. source=support/sweep.sh
source "$WEIR_SOURCE_DIR/tests/support/sweep.sh"

# ---- a cluster ----

daemons=()
end_cluster() {
	if ((${#daemons[@]} > 0)); then
		kill "${daemons[@]}" 2>/dev/null || true
		wait "${daemons[@]}" 2>/dev/null || true
	fi
	rm -rf "$scratch"
}
trap end_cluster EXIT

# Ends the test, as nothing can be tested here.
skip() {
	echo "skipped: $1"
	tail -n 5 "$scratch"/cluster/*.log 2>/dev/null || true
	exit 77
}

# until_true TENTHS COMMAND: whether it came true in time.
until_true() {
	local i
	for ((i = 0; i < $1; i++)); do
		if "${@:2}" >/dev/null 2>&1; then
			return 0
		fi
		sleep 0.1
	done
	return 1
}

host=$(hostname -s)
port=$((20000 + $$ % 20000))
mkdir -p cluster/state cluster/spool
chmod 755 "$scratch" cluster
head -c 1024 /dev/urandom >cluster/munge.key
chmod 400 cluster/munge.key
cat >cluster/slurm.conf <<END
ClusterName=weir
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
SlurmctldPort=$port
SlurmdPort=$((port + 1))
AuthType=auth/munge
AuthInfo=socket=$scratch/cluster/munge.socket
CredType=cred/munge
StateSaveLocation=$scratch/cluster/state
SlurmdSpoolDir=$scratch/cluster/spool
SlurmctldPidFile=$scratch/cluster/slurmctld.pid
SlurmdPidFile=$scratch/cluster/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SlurmdParameters=config_overrides
JobAcctGatherType=jobacct_gather/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_interval=1,batch_sched_delay=0
ReturnToService=2
KillWait=2
NodeName=$host NodeAddr=127.0.0.1 CPUs=4 State=UNKNOWN
PartitionName=all Nodes=$host Default=YES OverSubscribe=FORCE:8 State=UP
END
export SLURM_CONF=$scratch/cluster/slurm.conf
munged --foreground --force --key-file="$scratch/cluster/munge.key" \
	--socket="$scratch/cluster/munge.socket" --pid-file="$scratch/cluster/munge.pid" \
	--seed-file="$scratch/cluster/munge.seed" --log-file="$scratch/cluster/munge.log" \
	>/dev/null 2>&1 &
daemons+=($!)
until_true 100 test -S cluster/munge.socket || skip 'munged does not begin'
slurmctld -D >cluster/slurmctld.log 2>&1 &
daemons+=($!)
slurmd -D >cluster/slurmd.log 2>&1 &
daemons+=($!)
node_is_idle() {
	[[ $(timeout 5 sinfo -h -o %T) == idle ]]
}
until_true 300 node_is_idle || skip 'the cluster does not begin'

# ---- sweeps ----

# Equal points, so that the workers must agree on those that are left.
cat >equal.json <<'END'
{
	"base": "base.json",
	"replications": 10,
	"design": {"kind": "latin_hypercube", "points": 8},
	"axes": [
		{"path": "workload.count", "range": {"from": 10, "to": 12}, "integer": true},
		{"path": "workload.arrivals.rate", "values": [10, 20]}
	]
}
END
expect_status 0 "$WEIR" sweep equal.json -o local -q
table local >local.table
runs=$(($(wc -l <local.table) - 1))
expect_status 0 timeout 100 "$WEIR" sweep equal.json -o jobs --engine slurm --jobs 2 -q
expect_files jobs "$runs"
table jobs >jobs.table
cmp local.table jobs.table || failures=$((failures + 1))
if [[ -e jobs/spool ]]; then
	echo 'the spool is still there'
	failures=$((failures + 1))
fi

# Agents of a point: the workers find them as the manager does.
cat >agents.json <<END
{
	"base": "$WEIR_SOURCE_DIR/configs/scenarios/steady.json", "until": 60, "keep": "summary",
	"axes": [{"path": "policy", "values": ["hpa", "rl:steady", "rl:generalist"]}]
}
END
expect_status 0 "$WEIR" sweep agents.json -o agents-local -q
table agents-local >agents-local.table
expect_status 0 timeout 100 "$WEIR" sweep agents.json -o agents --engine slurm --jobs 2 -q
table agents >agents.table
cmp agents-local.table agents.table || failures=$((failures + 1))
if [[ $(wc -l <agents.table) != 4 ]]; then
	echo 'not every policy has run'
	failures=$((failures + 1))
fi

# A job is cancelled while its worker has a run, which goes to another one and is no attempt.
cat >long.json <<'END'
{
	"base": "base.json",
	"set": {"workload.count": 40000},
	"keep": "summary",
	"replications": 4,
	"retry": {"crash": []},
	"axes": [{"path": "workload.arrivals.rate", "values": [10, 12]}]
}
END
expect_status 0 "$WEIR" sweep long.json -o long-local -q
table long-local >long-local.table
timeout 100 "$WEIR" sweep long.json -o long --engine slurm --jobs 2 -q &
sweep=$!
has_run() {
	"$WEIR" sweep status long | grep -Eq '^running +2'
}
if until_true 300 has_run; then
	scancel "$(squeue -h --array -t RUNNING -o %i | head -n 1)"
else
	echo 'no two runs at once were seen'
	failures=$((failures + 1))
fi
status=0
wait "$sweep" || status=$?
if ((status != 0)); then
	echo "a sweep of which a job was cancelled ended with status $status"
	failures=$((failures + 1))
fi
table long >long.table
cmp long-local.table long.table || failures=$((failures + 1))
if awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; next }
	$column["attempts"] != 0 { lost = 1 } END { exit !lost }' long.csv; then
	echo 'a lost run counts as an attempt'
	failures=$((failures + 1))
fi

# ---- errors ----

expect_status 2 env SBATCH_PARTITION=none "$WEIR" sweep equal.json -o none --engine slurm
expect_err '^sbatch: no workers can be begun: .*partition'
# A file that this process alone can read.
expect_status 2 timeout 100 "$WEIR" sweep <(sed "s|base.json|$scratch/base.json|" equal.json) \
	-o unread --engine slurm -q
expect_err '^--engine slurm: the workers ended before any had begun: .*/dev/fd/.* cannot be opened'
if [[ $(squeue -h --array -t PENDING,RUNNING | wc -l) != 0 ]]; then
	echo 'jobs are left'
	failures=$((failures + 1))
fi

finish
