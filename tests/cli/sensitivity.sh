#!/bin/bash
# `weir sensitivity`: what matters, and what is wrong.
# shellcheck source-path=SCRIPTDIR/.. source=support/cli.sh
source "$WEIR_SOURCE_DIR/tests/support/cli.sh"
cd "${scratch:?}"

expect_status 0 "$WEIR" sensitivity --help
expect_out '^usage: weir sensitivity FILE.json'
expect_status 2 "$WEIR" sensitivity
expect_err 'one FILE is needed'
expect_status 2 "$WEIR" sensitivity none.json
expect_err '^none.json: cannot be opened'
shipped=$WEIR_SOURCE_DIR/configs/plans/screening.json
expect_status 2 "$WEIR" sensitivity "$shipped" --format tabel
expect_err "^--format: unknown format 'tabel'; there are text, markdown"
expect_status 0 "$WEIR" sensitivity "$shipped" --jobs 2
expect_out '^96 simulations'
expect_out '^workload.arrivals.rate +attainment +0\.[0-9]+ +-0\.[0-9]+'
expect_status 0 "$WEIR" sensitivity "$shipped" --jobs 1 --format csv -o one.csv
expect_status 0 "$WEIR" sensitivity "$shipped" --jobs 2 --format csv
cmp one.csv out || failures=$((failures + 1))

finish
