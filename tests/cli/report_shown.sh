#!/bin/bash
# label: long. The page that `weir report` makes of real runs, in a browser: every chart is drawn.
# shellcheck source-path=SCRIPTDIR/.. source=support/cli.sh
source "$WEIR_SOURCE_DIR/tests/support/cli.sh"

support=$WEIR_SOURCE_DIR/tests/support
export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$support
if ! python3 -c 'import chromium, sys; sys.exit(chromium.find() is None)' 2>/dev/null; then
	echo 'skipped: needs python3 and chromium'
	exit 77
fi
cd "${scratch:?}"

configs=$WEIR_SOURCE_DIR/configs
printf '%s\n' request_id,arrival_timestamp,prompt_size,token_size 0,0.5,900000,20 >never.csv
expect_status 0 "$WEIR" run "$configs/default.json" -o default.h5 -q
expect_status 0 "$WEIR" run "$configs/scenarios/diurnal.json" --policy reactive \
	--set workload.duration=900 --set faults.instance_mtbf=10000 -o faults.h5 -q
expect_status 0 "$WEIR" run "$configs/default.json" --until 0.00001 -o empty.h5 -q
expect_status 0 "$WEIR" run "$configs/parity.json" --set trace.path=never.csv -o never.h5 -q
expect_status 0 "$WEIR" report default.h5 faults.h5 empty.h5 never.h5 -o page.html
expect_status 0 "$WEIR" report default.h5 faults.h5 empty.h5 never.h5 --json
mv out payload.json
expect_status 0 python3 "$support/report_shown.py" page.html payload.json
cat out

finish
