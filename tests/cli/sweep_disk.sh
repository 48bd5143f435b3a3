#!/bin/bash
# A sweep on a disk that fills up, and on one that cannot be written: nothing is done by half.
# shellcheck source-path=SCRIPTDIR/.. source=support/cli.sh
source "$WEIR_SOURCE_DIR/tests/support/cli.sh"
cd "${scratch:?}"
# shellcheck source-path=SCRIPTDIR/.. source=support/sweep.sh
source "$WEIR_SOURCE_DIR/tests/support/sweep.sh"

mkdir disk
if ! mount -t tmpfs -o size=6m weir-test disk 2>/dev/null; then
	echo 'skipped: a small disk can be mounted by root alone'
	exit 77
fi
trap 'umount -l "$scratch/disk"; rm -rf "$scratch"' EXIT

write_sweep small.json 10
expect_status 0 "$WEIR" sweep small.json -o whole -q
table whole >whole.table

# Each of 50 files takes some 250 KB.
expect_status 2 "$WEIR" sweep small.json -o disk/sweep -q
expect_err 'No space left on device|database or disk is full'
for moment in full again; do
	"$WEIR" sweep status disk/sweep >state
	done_runs=$(awk '$1 == "done" { print $2 }' state)
	if ((done_runs < 5 || done_runs > 40)); then
		echo "$moment: $done_runs runs are done"
		failures=$((failures + 1))
	fi
	"$WEIR" sweep collect disk/sweep --csv partly.csv 2>/dev/null
	awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) { column[$i] = i } next }
		{ print $column["sha256"] "  disk/sweep/" $column["path"] }' partly.csv >sums
	if [[ $(wc -l <sums) != "$done_runs" ]] || ! sha256sum --quiet -c sums; then
		echo "$moment: not every run that is done has its whole file"
		failures=$((failures + 1))
	fi
	expect_status 2 "$WEIR" sweep small.json -o disk/sweep -q
done

mount -o remount,size=60m disk
expect_status 0 "$WEIR" sweep small.json -o disk/sweep -q
table disk/sweep >disk.table
cmp whole.table disk.table || failures=$((failures + 1))
expect_files disk/sweep 50

mount -o remount,ro disk
expect_status 2 "$WEIR" sweep small.json -o disk/sweep -q
expect_err 'disk/sweep.*Read-only file system'
expect_status 2 "$WEIR" sweep small.json -o disk/new -q
expect_err '^disk/new: cannot be made: Read-only file system'

finish
