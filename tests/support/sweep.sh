# shellcheck shell=bash
# What the scripts that test `weir sweep` share: sourced after cli.sh, in $scratch.

# A base config of a millisecond or so a run.
cat >base.json <<'END'
{
	"include": "parity.json",
	"workload": {
		"count": 20,
		"arrivals": {"kind": "poisson", "rate": 12},
		"sizes": {
			"kind": "drawn",
			"prompt": {"kind": "lognormal", "median": 900, "sigma": 0.9, "maximum": 8000},
			"output": {"kind": "lognormal", "median": 20, "sigma": 1.5, "maximum": 900}
		}
	}
}
END

# write_sweep NAME REPLICATIONS [MEMBERS]: five points.
write_sweep() {
	cat >"$1" <<END
{
	"base": "base.json",
	"replications": $2,
	"axes": [{"path": "workload.arrivals.rate", "range": {"from": 5, "to": 20, "count": 5}}]
	${3:+, $3}
}
END
}

# The collected table without what two equal sweeps need not have in common (the files' sha256) and
# without the attempts.
table() {
	"$WEIR" sweep collect "$1" --csv "$1.csv" 2>/dev/null
	awk -F, -v OFS=, 'NR == 1 {
		for (i = 1; i <= NF; i++) { drop[i] = $i == "sha256" || $i == "attempts" }
	}
	{
		line = ""
		for (i = 1; i <= NF; i++) { if (!drop[i]) { line = line OFS $i } }
		print line
	}' "$1.csv"
}

# Complains unless every run of a sweep has its file, with the SHA-256 that the table says.
expect_files() {
	local wrong
	"$WEIR" sweep collect "$1" --csv "$1.csv" 2>/dev/null
	awk -F, -v directory="$1" 'NR == 1 {
		for (i = 1; i <= NF; i++) { column[$i] = i }
		next
	}
	{ print $column["sha256"] "  " directory "/" $column["path"] }' "$1.csv" >sums
	if [[ $(wc -l <sums) != "$2" ]]; then
		echo "$1 has $(wc -l <sums) runs with files, not $2"
		failures=$((failures + 1))
	fi
	if ! wrong=$(sha256sum --quiet -c sums 2>&1); then
		echo "$1: $wrong"
		failures=$((failures + 1))
	fi
	if [[ $(find "$1/results" -name '*.h5' | wc -l) != "$2" ]]; then
		echo "$1: $(find "$1/results" -name '*.h5' | wc -l) files, not $2"
		failures=$((failures + 1))
	fi
}

# Kills sweeps of FILE into DIR, and their workers, at random moments, KILLS times, then lets one
# end: kill_at_random FILE DIR KILLS LONGEST_MS.
kill_at_random() {
	local kills=0 pid workers victim status
	RANDOM=4711
	while ((kills < $3)); do
		"$WEIR" sweep "$1" -o "$2" -q &
		pid=$!
		sleep "0.$(printf '%03d' $((20 + RANDOM % $4)))"
		victim=$pid
		if ((RANDOM % 2 == 0)) && [[ -r /proc/$pid/task/$pid/children ]]; then
			read -ra workers <"/proc/$pid/task/$pid/children" || true
			if ((${#workers[@]} > 0)); then
				victim=${workers[RANDOM % ${#workers[@]}]}
			fi
		fi
		kill -9 "$victim" 2>/dev/null || true
		kills=$((kills + 1))
		# A worker's death does not end the sweep, which goes on for a moment before its own.
		[[ $victim == "$pid" ]] || sleep 0.1
		kill -9 "$pid" 2>/dev/null || true
		status=0
		wait "$pid" 2>/dev/null || status=$?
		if ((status != 0 && status != 137)); then
			echo "a killed sweep ended with status $status"
			failures=$((failures + 1))
		fi
	done
	expect_status 0 "$WEIR" sweep "$1" -o "$2" -q
}
