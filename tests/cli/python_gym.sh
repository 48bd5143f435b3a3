#!/bin/bash
# python/weir/gym steps real environments, as gymnasium and Stable-Baselines3 expect it.
# shellcheck source-path=SCRIPTDIR/.. source=support/cli.sh
source "$WEIR_SOURCE_DIR/tests/support/cli.sh"
need_python numpy

if grep -Eq '^WEIR_(SANITIZE|FUZZ):BOOL=ON' "$WEIR_BINARY_DIR/CMakeCache.txt"; then
	echo "skipped: Python cannot load a library with sanitizers"
	exit 77
fi

cd "$scratch"
export WEIR_LIBRARY=$WEIR_SHARED_LIBRARY
"$python" "$WEIR_SOURCE_DIR/tests/support/test_weir_gym.py" --verbose 2>&1 || failures=$((failures + 1))

finish
