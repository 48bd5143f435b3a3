#!/bin/bash
# `weir run`, `recover` and `verify` together: exit statuses, messages, and what is left of a run.
# shellcheck source-path=SCRIPTDIR/.. source=support/cli.sh
source "$WEIR_SOURCE_DIR/tests/support/cli.sh"

parity=$WEIR_SOURCE_DIR/configs/parity.json
traces=$WEIR_SOURCE_DIR/tests/parity
run=("$WEIR" run "$parity" -o run.h5)
trace=(--set "trace.path=$traces/syn_conv.csv")
header=request_id,arrival_timestamp,prompt_size,token_size
# A run of minutes, of which little is lost when it is killed.
long=("${trace[@]}" --set trace.repeat=1000000 --set record.flush_interval=0.05)
cd "${scratch:?}"

complain() {
	echo "$*"
	failures=$((failures + 1))
}

# Complains unless the files of a run are these and no others: expect_files NAME...
expect_files() {
	local found
	found=$(find . -name 'run.*' -printf '%f\n' | sort | tr '\n' ' ')
	if [[ $found != "$*${1+ }" ]]; then
		complain "files '$found', not '$*'"
	fi
	rm -f run.*
}

expect_silence() {
	if [[ -s out || -s err ]]; then
		complain "not silent:"
		sed 's/^/  /' out err
	fi
}

# ---- wrong input, found before the first event: no file ----

expect_status 2 "$WEIR" run none.json
expect_err '^none.json: cannot be opened: No such file'
expect_status 2 "${run[@]}" "${trace[@]}" --set schedular.kind=jsq
expect_err "^--set: schedular: unknown key 'schedular'; did you mean 'scheduler'\?"
expect_status 2 "${run[@]}" "${trace[@]}" --set scheduler.kind
expect_err "^--set: expected key.path=value, got 'scheduler.kind'"
expect_status 2 "${run[@]}" --set trace.path=none.csv
expect_err '^none.csv: cannot be opened: No such file'
expect_status 2 "${run[@]}" --set trace.path=.
expect_err 'is a directory'
: >empty.csv
expect_status 2 "${run[@]}" --set trace.path=empty.csv
expect_err '^empty.csv: the trace is empty'
expect_status 2 "${run[@]}"
expect_err "^$parity: workload: there are no requests"
printf '%s\n0,0.5,-3,20\n' $header >bad.csv
expect_status 2 "${run[@]}" --set trace.path=bad.csv --requests-csv run.csv
expect_err '^bad.csv:2: '
expect_status 2 "${run[@]}" "${trace[@]}" --set scheduler.kind=kv_jsq --set pools=prompt:4
expect_err 'the token pool has no instances, and scheduler kv_jsq needs them'
expect_status 2 "${run[@]}" "${trace[@]}" --set execution_time.profile=none.json
expect_err '^none.json: cannot be opened'
expect_status 2 "${run[@]}" "${trace[@]}" --seed -1
expect_err "^--seed: expected a whole number from 0, got '-1'"
expect_status 2 "${run[@]}" "${trace[@]}" --until 0
expect_err '^--until: expected a number of seconds above 0'
expect_status 2 "${run[@]}" "$parity"
expect_err "weir run: one CONFIG, not also"
expect_status 2 "${run[@]}" "${trace[@]}" --requests-csv
expect_err 'without its value'
expect_files

# ---- outputs that cannot be ----

mkdir directory
expect_status 2 "$WEIR" run "$parity" "${trace[@]}" -o directory
expect_err '^directory: is a directory'
expect_status 2 "$WEIR" run "$parity" "${trace[@]}" -o nowhere/run.h5
expect_err '^nowhere/run.h5.part: cannot create the file: No such file'
expect_status 2 "${run[@]}" "${trace[@]}" --requests-csv directory
expect_err '^directory: cannot be written: Is a directory'
expect_status 2 "${run[@]}" "${trace[@]}" --requests-csv nowhere/run.csv
expect_err 'cannot be written: No such file'
# By links: a rename in the place of a device would only replace these.
ln -s /dev/null null
ln -s /dev/full full
expect_status 2 "$WEIR" run "$parity" "${trace[@]}" -o null
expect_err '^null: is not a regular file'
if ((EUID != 0)); then
	chmod a-w directory
	expect_status 2 "$WEIR" run "$parity" "${trace[@]}" -o directory/run.h5
	expect_err 'Permission denied'
fi
rmdir directory
expect_files

# ---- wrong input, found in the middle: NAME.part and no NAME ----

printf '%s\n0,0,100,20\n1,1,200,5\n2,90,nan,5\n' $header >bad.csv
expect_status 2 "${run[@]}" --set trace.path=bad.csv --requests-csv run.csv
expect_err '^bad.csv:4: .*nan'
expect_err "^What was done is in run.h5.part; 'weir recover run.h5.part' makes a file of it"
if [[ -e run.h5 || ! -e run.h5.part || -e run.csv ]]; then
	complain 'a bad line left other files'
fi
expect_status 2 "$WEIR" verify run.h5.part
expect_status 0 "$WEIR" recover run.h5.part
expect_status 0 "$WEIR" info run.h5
expect_out 'status +partial'
expect_out 'abort_reason.*nan'
expect_out '^requests: 1 rows'
expect_status 0 "$WEIR" verify run.h5
expect_out '^requests +holds +1 requests'
expect_out '^summary +skipped +a recovered file'
expect_files run.h5 run.h5.part

printf '%s\n0,5,100,20\n1,4,200,5\n' $header >bad.csv
expect_status 2 "${run[@]}" --set trace.path=bad.csv
expect_err '^bad.csv:3: .*before the one above'
expect_files run.h5.part

printf '%s\n' request_id,request_type,application_id,arrival_timestamp,batch_size,prompt_size,token_size \
	0,0,0,0,1,100,20 1,0,3,1,1,100,20 >bad.csv
expect_status 2 "${run[@]}" --set trace.path=bad.csv
expect_err '^bad.csv.*request 1 is for application 3, but the config has 1'
expect_files run.h5.part

# ---- runs that end ----

expect_status 0 "${run[@]}" "${trace[@]}" --requests-csv run.csv
expect_out '^1500 requests in 230.6 s: 1500 completed, 0 rejected, 0 unfinished'
expect_out 'SLO attainment +99.867 %'
expect_out '^run.h5$'
if [[ -s err ]]; then
	complain 'progress where there is no terminal'
fi
expect_match '^request_ids,response_times,queue_times,ttft_times,tbt_times,nth_token_overheads,prompt_sizes,token_sizes$' run.csv
if (($(wc -l <run.csv) != 1501)); then
	complain "$(wc -l <run.csv) lines in run.csv"
fi
expect_status 0 "$WEIR" verify run.h5
expect_out '^run.h5: 13 checks hold, 0 fail, 0 skipped'
expect_status 0 "$WEIR" verify run.h5 --json
python3 -c 'import json, sys; assert json.load(open("out"))["holds"] is True' || complain 'verify --json'
expect_status 0 "$WEIR" verify run.h5 --digest
expect_out '^[0-9a-f]{32}$'
cp out digest
expect_files run.csv run.h5

# The same from standard input, compressed, with nothing printed, recorded compressed.
# shellcheck disable=SC2016 # for the inner shell
expect_status 0 bash -c '"$@" <"$0"' "$traces/syn_conv.csv" "${run[@]}" --set trace.path=- --quiet \
	--set record.deflate=1 --requests-csv run.csv.gz
expect_silence
if (($(gzip -dc run.csv.gz | wc -l) != 1501)); then
	complain 'the compressed CSV is short'
fi
expect_status 0 "$WEIR" verify --digest run.h5
cmp out digest || complain 'compression and standard input change the digest'
expect_files run.csv.gz run.h5

expect_status 0 "${run[@]}" "${trace[@]}" --json --until 60
python3 - <<'END' || complain 'run --json'
import json
run = json.load(open("out"))
assert run["output"] == "run.h5" and run["seed"] == 1 and run["stalled"] is False
totals = run["totals"]
assert totals["unfinished"] > 0 and totals["end_time"] <= 60
assert totals["arrived"] == totals["completed"] + totals["unfinished"]
assert run["metrics"]["ttft"]["count"] == totals["completed"]
assert run["performance"]["requests"] == totals["arrived"]
END
if [[ -s err ]]; then
	complain 'run --json printed to standard error'
fi
expect_status 0 "$WEIR" verify run.h5

# A trace that is missing, and what stands in for it: said in words, in JSON and in the file.
like=$WEIR_SOURCE_DIR/traces/azure-conv-like.json
missing=(--set trace.path=gone.csv --set "trace.otherwise=$like" --set trace.copies=3 --until 60)
expect_status 0 "${run[@]}" "${missing[@]}"
expect_out "^no trace gone.csv: generated like $like\$"
expect_status 0 "$WEIR" verify run.h5
h5dump -w 0 -a /provenance/workload run.h5 >dump
expect_match "no trace gone.csv: generated like $like" dump
expect_status 0 "${run[@]}" "${missing[@]}" --json
python3 -c 'import json; assert json.load(open("out"))["workload"].startswith("no trace gone.csv: ")' ||
	complain 'run --json does not tell of the stand-in'
expect_status 0 "${run[@]}" "${trace[@]}" --set "trace.otherwise=$like" --json --until 60
python3 -c 'import json; assert json.load(open("out"))["workload"].startswith("trace /")' ||
	complain 'run --json does not tell the trace'
expect_status 0 "${run[@]}" "${trace[@]}" --set "trace.otherwise=$like" --until 60
if grep -q 'no trace' out; then
	complain 'a trace that is there is said to be missing'
fi

# One figure changed in the file, which stores it as it is.
"${run[@]}" "${trace[@]}" --json --until 60 >run.json
python3 - <<'END' || complain 'no bill in the file'
import json, struct
cost = struct.pack("<d", json.load(open("run.json"))["totals"]["cost_usd"])
data = open("run.h5", "rb").read()
last = data.rindex(cost)  # the totals are written last; the pool's bill is the same figure
open("run.h5", "wb").write(data[:last] + struct.pack("<d", 1.0) + data[last + 8:])
END
expect_status 1 "$WEIR" verify run.h5
expect_out '^bill +FAILS +cost_usd is 1, of the servers '
expect_out '^run.h5: 12 checks hold, 1 fail, 0 skipped'
expect_status 1 "$WEIR" verify run.h5 --json
expect_out '"holds":.false'
expect_status 2 "$WEIR" verify "$traces/syn_conv.csv"
expect_status 2 "$WEIR" verify run.h5 run.h5
expect_err 'one FILE.h5 is needed, 2 are given'
expect_files run.h5 run.json

# A request that can never fit is counted, and the run goes on.
printf '%s\n0,0,100,20\n1,1,900000,5\n2,90,300,1\n' $header >never.csv
expect_status 0 "${run[@]}" --set trace.path=never.csv
expect_out '^3 requests in .* 2 completed, 1 rejected, 0 unfinished'
expect_status 0 "$WEIR" verify run.h5
expect_files run.h5

# Two transfers fill the token instance, and neither request can go on.
printf '%s\n0,0,40000,18000\n1,0,40000,18000\n' $header >stall.csv
expect_status 0 "${run[@]}" --set trace.path=stall.csv --set servers=dgx-h100:3 \
	--set pools=prompt:2,token:1 --set scheduler.kind=kv_jsq
expect_out '0 completed, 0 rejected, 2 unfinished'
expect_out '^The run ended there'
if grep -q nan out; then
	complain 'nan in the summary'
fi
expect_status 0 "$WEIR" verify run.h5
expect_files run.h5

# Without -o the file has the config's name, in this directory.
expect_status 0 "$WEIR" run "$parity" --set trace.path=never.csv --quiet
expect_silence
if [[ ! -e parity.h5 ]]; then
	complain 'no parity.h5'
fi
rm -f parity.h5

# ---- runs that are ended ----

# Runs the long run, sends it a signal once it has recorded something: end_with SIGNAL STATUS
end_with() {
	local status=0 pid
	"${run[@]}" "${long[@]}" --quiet >out 2>err &
	pid=$!
	for ((i = 0; i < 200; i++)); do
		sleep 0.05
		if (($(stat -c %s run.h5.part 2>/dev/null || echo 0) > 1000000)); then
			break
		fi
	done
	# What was recorded is kept from the first flush on: give it some flush intervals.
	sleep 0.5
	kill "-$1" $pid
	wait $pid 2>/dev/null || status=$?
	if ((status != $2)); then
		complain "exit status $status after SIG$1, not $2"
	fi
	if [[ -e run.h5 ]]; then
		complain "run.h5 after SIG$1"
	fi
	expect_status 0 "$WEIR" recover run.h5.part
	expect_status 0 "$WEIR" verify run.h5
	expect_out '^requests +holds +[0-9]{4,} requests'
	expect_out '^samples +holds'
}

end_with INT 130
expect_status 0 "$WEIR" info run.h5
expect_out 'abort_reason +interrupted at'
expect_files run.h5 run.h5.part
end_with TERM 130
expect_files run.h5 run.h5.part
end_with KILL 137
expect_files run.h5 run.h5.part run.h5.part.journal

# ---- a full disk ----

# A limit on the size of files (in KiB), reached while recording; before; by the CSV alone.
limited() {
	local limit=$1
	shift
	# shellcheck disable=SC2016 # for the inner shell
	expect_status 2 bash -c 'ulimit -f "$0"; exec "$@"' "$limit" "$@"
}
limited 4000 "${run[@]}" "${long[@]}"
expect_err '^run.h5.part: cannot write table (requests|samples).*: File too large'
expect_err 'weir recover run.h5.part'
expect_status 0 "$WEIR" recover run.h5.part
expect_status 0 "$WEIR" verify run.h5
expect_files run.h5 run.h5.part
limited 2 "${run[@]}" "${long[@]}"
expect_err 'File too large'
expect_files
limited 4000 "${run[@]}" "${long[@]}" --requests-csv run.csv --set sampling.interval=0
expect_err 'File too large'
expect_files run.h5.part
if [[ -c /dev/full ]]; then
	expect_status 2 "${run[@]}" "${trace[@]}" --requests-csv full
	expect_err '^full: cannot be written: No space left on device'
	expect_files run.h5.part
fi
if [[ ! -L null || ! -L full ]]; then
	complain 'a file was put in the place of a device'
fi

finish
