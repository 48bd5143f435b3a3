#!/bin/bash
# Every header compiles alone, and twice in one file, in C17 and in C++17.
set -euo pipefail

cd "$WEIR_SOURCE_DIR"
rooms=(sim)
for room in rl analysis; do
	[[ -d $room ]] && rooms+=("$room")
done
# Headers of the libraries may be included by ours; they are not ours to judge.
system=()
for package in gsl libcjson cairo libxxhash sqlite3 nettle hdf5 zlib; do
	for flag in $(pkg-config --cflags-only-I "$package" 2>/dev/null || true); do
		system+=(-isystem "${flag#-I}")
	done
done

compile() { # header, then the compiler and its flags
	local header=$1
	shift
	printf '#include "%s"\n#include "%s"\n' "$header" "$header" |
		"$@" -Wall -Wextra -Werror -fsyntax-only -D_GNU_SOURCE -Isim -I. \
			-I"$WEIR_BINARY_DIR/generated" "${system[@]}" -
}

checked=0
failed=0
while IFS= read -r header; do
	name=${header#sim/}
	for compiler in "$CC -std=c17 -x c" "$CXX -std=c++17 -x c++"; do
		read -ra command <<<"$compiler"
		if ! compile "$name" "${command[@]}"; then
			echo "$header does not compile alone with $compiler"
			failed=$((failed + 1))
		fi
	done
	checked=$((checked + 1))
done < <(find "${rooms[@]}" -name '*.h' | sort)

echo "$checked headers, $failed failures"
((checked > 0 && failed == 0))
