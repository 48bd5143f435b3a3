#!/bin/bash
# Files with bytes overwritten: what reads them says so or reads on, and never crashes.
# shellcheck source-path=SCRIPTDIR/.. source=support/cli.sh
source "$WEIR_SOURCE_DIR/tests/support/cli.sh"
cd "$scratch"

# What HDF5 itself leaks where it meets damage is not looked for.
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"

"$WEIR" run "$WEIR_SOURCE_DIR/configs/scenarios/flash_crowd.json" --until 60 --policy hpa -q -o run.h5
size=$(stat -c %s run.h5)
RANDOM=7
refused=0
for ((i = 0; i < 60; i++)); do
	cp run.h5 damaged.h5
	# Most of what makes a file hang together stands near its start.
	at=$(((RANDOM * 32768 + RANDOM) % (size < 60000 ? size : 60000)))
	head -c $((1 << (i % 5))) /dev/zero | tr '\0' '\252' |
		dd of=damaged.h5 bs=1 seek="$at" conv=notrunc status=none
	for command in info verify report; do
		arguments=("$command" damaged.h5)
		[[ $command == report ]] && arguments+=(-o page.html)
		status=0
		"$WEIR" "${arguments[@]}" >out 2>err || status=$?
		if ((status != 0 && status != 2)); then
			echo "weir $command ends with $status, bytes from $at on overwritten"
			failures=$((failures + 1))
		fi
		refused=$((refused + (status == 2)))
	done
done
if ((refused < 30)); then
	echo "only $refused of 180 were refused: the damage hits nothing"
	failures=$((failures + 1))
fi

finish
