#!/bin/bash
# `weir trace`: what it makes is right to the last line, what it refuses leaves nothing behind.
# shellcheck source-path=SCRIPTDIR/.. source=support/cli.sh
source "$WEIR_SOURCE_DIR/tests/support/cli.sh"

cd "$scratch"
like=$WEIR_SOURCE_DIR/traces/azure-conv-like.json

# Complains unless the file has just these lines of arrival, prompt, output, id and application.
expect_trace() { # FILE LINE...
	local file=$1
	shift
	if ! diff <(printf '%s\n' "$@") <(awk -F, 'NR > 1 {print $4, $6, $7, $1, $3}' "$file"); then
		echo "$file is not as it should be"
		failures=$((failures + 1))
	fi
}

for name in info head convert generate fit; do
	expect_status 0 "$WEIR" trace "$name" --help
	expect_out "^usage: weir trace $name"
	expect_out '^examples:'
	expect_status 2 "$WEIR" trace "$name"
	expect_err "Try 'weir trace $name --help'"
	expect_status 2 "$WEIR" trace "$name" --no-such-option x
	expect_err "there is no option '--no-such-option'"
done
expect_status 2 "$WEIR" trace inof
expect_err "did you mean 'info'\?"
expect_status 2 "$WEIR" trace
expect_err "Try 'weir trace --help'"

cat >a.csv <<'END'
TIMESTAMP,ContextTokens,GeneratedTokens
2023-11-16 18:00:00.0000000,100,10
2023-11-16 18:00:01.0000000,101,11
2023-11-16 18:00:03.0000000,102,0
2023-11-16 18:00:04.0000000,103,13
END
printf 'TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 09:00:00.0000000,200,20\n%s' \
	'2023-11-16 09:00:04.0000000,201,21' >b.csv

expect_status 0 "$WEIR" trace info a.csv --minutes
expect_out '^requests +3$'
expect_out 'skipped +1 rows without output'
expect_out '^span +4.000 s'
expect_out '^prompt +304 +101.3'
expect_status 0 "$WEIR" trace info a.csv --json
expect_out '"requests":	3'
expect_out '"rate_by_minute_per_s":'
expect_status 2 "$WEIR" trace info a.csv --strict
expect_err '^a.csv:4: '
expect_status 0 "$WEIR" trace head a.csv -n 2
expect_out '^ +1 +1.000000 +101 +11'
expect_status 2 "$WEIR" trace head a.csv -n two
expect_err "expected a whole number"
expect_status 2 "$WEIR" trace info none.csv
expect_err '^none.csv: '

expect_status 0 "$WEIR" trace convert a.csv -o out.csv --to splitwise
expect_out '^out.csv: 3 requests in 4 s, as splitwise'
expect_trace out.csv '0 100 10 0 0' '1 101 11 1 0' '4 103 13 2 0'
expect_status 0 "$WEIR" trace convert a.csv -o out.csv --to splitwise --time-scale 3 --rate-scale 2 \
	--application 7
expect_trace out.csv '0 100 10 0 7' '1.5 101 11 1 7' '6 103 13 2 7'
expect_status 0 "$WEIR" trace convert a.csv -o out.csv --to splitwise --start 1 --duration 10 --max 1
expect_trace out.csv '0 101 11 1 0'
expect_status 0 "$WEIR" trace convert a.csv -o out.csv --to splitwise --repeat 2 --shift 0.5
expect_trace out.csv '0.5 100 10 0 0' '1.5 101 11 1 0' '4.5 103 13 2 0' '6.5 100 10 3 0' \
	'7.5 101 11 4 0' '10.5 103 13 5 0'
expect_status 0 "$WEIR" trace convert a.csv -o out.csv --to splitwise --copies 2 --max 2 --shift 1
expect_trace out.csv '1 100 10 0 0' '1 100 10 1 0' '2 101 11 2 0' '2 101 11 3 0'
for seed in 1 1 2; do
	expect_status 0 "$WEIR" trace convert a.csv -o "jitter.$seed.csv" --jitter 5 --seed "$seed"
	[[ $seed == 1 && -e first.csv ]] && expect_status 0 cmp first.csv jitter.1.csv
	[[ -e first.csv ]] || cp jitter.1.csv first.csv
done
expect_status 1 cmp first.csv jitter.2.csv
expect_status 2 "$WEIR" trace convert a.csv -o out.csv --copies 0
expect_status 0 "$WEIR" trace convert a.csv b.csv -o out.csv --to splitwise --application 3,4
expect_trace out.csv '0 100 10 0 3' '0 200 20 1 4' '1 101 11 2 3' '4 103 13 3 3' '4 201 21 4 4'
expect_status 0 "$WEIR" trace convert a.csv b.csv -o out.csv.gz --repeat 3
expect_status 0 "$WEIR" trace info out.csv.gz
expect_out 'in the format azure'
expect_out '^requests +15$'
expect_status 0 "$WEIR" trace convert out.csv.gz -o - --to mooncake
expect_out '^\{"timestamp": *0'

# A pipe can be read, but not twice.
if ! "$WEIR" trace convert - -o piped.csv --to splitwise <a.csv >/dev/null ||
	! gzip -c a.csv | "$WEIR" trace convert - -o piped.csv --to splitwise --start 1 \
		>/dev/null; then
	failures=$((failures + 1))
fi
expect_trace piped.csv '0 101 11 1 0' '3 103 13 2 0'
if gzip -c a.csv | "$WEIR" trace convert - -o twice.csv --repeat 2 2>err; then
	failures=$((failures + 1))
fi
expect_match 'pipe cannot be repeated' err

# What is wrong leaves no file, and an old one as it was.
echo old >old.csv
sed 's/103/x/' a.csv >bad.csv
for output in new.csv old.csv; do
	expect_status 2 "$WEIR" trace convert bad.csv -o "$output"
	expect_err '^bad.csv:5: '
	expect_status 2 "$WEIR" trace convert a.csv -o "$output" --start 100
	expect_err "^$output: no request is left"
	expect_status 2 "$WEIR" trace convert a.csv -o "$output" --to nothing
	expect_status 2 "$WEIR" trace convert a.csv -o "$output" --rate-scale 0
	expect_status 2 "$WEIR" trace convert a.csv -o "$output" --application 1,2
	expect_status 2 "$WEIR" trace convert a.csv -o "$output" --shift -5
	expect_status 2 "$WEIR" trace convert a.csv none.csv -o "$output"
	expect_status 2 "$WEIR" trace generate "$like" -o "$output" --set workload.rate_scale=-1
	expect_err '^--set: workload.rate_scale: '
	expect_status 2 "$WEIR" trace generate none.json -o "$output"
	expect_status 2 "$WEIR" trace fit a.csv -o "$output" --interval 0
	expect_status 2 "$WEIR" trace fit bad.csv -o "$output"
done
expect_status 2 "$WEIR" trace convert a.csv -o none/out.csv
expect_status 2 "$WEIR" trace convert a.csv
expect_err '\-o OUT is missing'
if [[ $(cat old.csv) != old ]] || compgen -G '*.part' || [[ -e new.csv ]]; then
	echo "something is left behind"
	failures=$((failures + 1))
fi

# The same seed gives the same trace, another seed another.
expect_status 0 "$WEIR" trace generate "$like" -o one.csv --seed 3 --count 5000
expect_status 0 "$WEIR" trace generate "$like" -o two.csv --seed 3 --count 5000
expect_status 0 "$WEIR" trace generate "$like" -o three.csv --seed 4 --count 5000
if ! cmp one.csv two.csv || cmp -s one.csv three.csv || (($(wc -l <one.csv) != 5001)); then
	echo "seeds do not do what they should"
	failures=$((failures + 1))
fi
cat >config.json <<'END'
{"seed": 3, "workload": {"arrivals": {"kind": "constant", "rate": 4}, "duration": 1, // short
 "sizes": {"kind": "trace", "path": "b.csv"}}, "servers": "of no matter here"}
END
expect_status 0 "$WEIR" trace generate config.json -o four.csv
expect_out '^four.csv: 4 requests in 0.75 s'
expect_status 0 "$WEIR" trace generate config.json -o four.csv --duration 2 \
	--set workload.arrivals.rate=8
expect_out '^four.csv: 16 requests in 1.875 s'
expect_status 2 "$WEIR" trace generate config.json -o four.csv --set workload.duration=0
expect_err '^config.json: workload: |^--set: workload: '

# What is fitted can be generated.
expect_status 0 "$WEIR" trace fit one.csv -o fitted.json --interval 30 --source 'a test'
expect_out '^fitted.json: 5000 requests in '
expect_status 0 "$WEIR" trace generate fitted.json -o five.csv
expect_status 0 "$WEIR" trace info five.csv --json
expect_out '"requests":	(4[5-9]|5[0-4])[0-9][0-9],'

# Ctrl-C ends a long command with nothing half-written. (A background job ignores SIGINT.)
"$WEIR" trace generate "$like" -o long.csv --count 1000000000 >/dev/null 2>err &
job=$!
while [[ ! -e long.csv.part ]] && kill -0 "$job" 2>/dev/null; do
	sleep 0.05
done
sleep 0.3
kill -TERM "$job"
status=0
wait "$job" || status=$?
if ((status != 130)) || compgen -G 'long.csv*'; then
	echo "interrupted: exit status $status"
	failures=$((failures + 1))
fi
expect_match 'interrupted after [0-9]+ requests' err

finish
