#!/bin/bash
# A sweep of 1,000 runs whose manager and workers are killed 50 times (label: long).
# shellcheck source-path=SCRIPTDIR/.. source=support/cli.sh
source "$WEIR_SOURCE_DIR/tests/support/cli.sh"
cd "${scratch:?}"
# shellcheck source-path=SCRIPTDIR/.. source=support/sweep.sh
source "$WEIR_SOURCE_DIR/tests/support/sweep.sh"

write_sweep sweep.json 200
expect_status 0 "$WEIR" sweep sweep.json -o whole -q
kill_at_random sweep.json killed 50 150
expect_files whole 1000
expect_files killed 1000
table whole >whole.table
table killed >killed.table
cmp whole.table killed.table || failures=$((failures + 1))

finish
