#!/bin/bash
# libweir.so exports weir_* alone, and the library keeps no mutable state of its own.
set -euo pipefail

# The runtime of a sanitizer or of coverage adds symbols and counters.
if grep -Eq '^WEIR_(SANITIZE|COVERAGE|FUZZ):BOOL=ON' "$WEIR_BINARY_DIR/CMakeCache.txt"; then
	echo "skipped: an instrumented library carries symbols of its instruments"
	exit 77
fi

status=0
exported=$(nm -D --defined-only "$WEIR_SHARED_LIBRARY" | awk '{ print $3 }')
foreign=$(grep -v '^weir_' <<<"$exported" || true)
if ! grep -q '^weir_' <<<"$exported"; then
	echo "$WEIR_SHARED_LIBRARY exports nothing"
	status=1
fi
if [[ -n $foreign ]]; then
	printf 'exported, but not named weir_*:\n%s\n' "$foreign"
	status=1
fi

# Any number of simulations share a process: no globals, no thread-locals. Constant tables of
# pointers are in .data.rel.ro, which is not writable once loaded.
mutable=$(objdump -t "$WEIR_STATIC_LIBRARY" |
	awk '/file format/ { object = $1 }
		$NF ~ /^\./ || /[[:space:]]\.data\.rel\.ro/ { next }
		/[[:space:]](\.t?data|\.t?bss|\*COM\*)([.[:space:]])/ { print "  " object " " $NF }')
if [[ -n $mutable ]]; then
	printf 'mutable variables of static storage:\n%s\n' "$mutable"
	status=1
fi
exit $status
