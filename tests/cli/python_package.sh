#!/bin/bash
# python/weir reads real runs, and says what is wrong with files that it cannot read.
# shellcheck source-path=SCRIPTDIR/.. source=support/cli.sh
source "$WEIR_SOURCE_DIR/tests/support/cli.sh"
need_python h5py pandas

cd "$scratch"
"$python" "$WEIR_SOURCE_DIR/tests/support/test_weir_python.py" --verbose 2>&1 || failures=$((failures + 1))

finish
