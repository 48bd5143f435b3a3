#!/bin/bash
# What is installed can be used: a program in C and one in C++ find the headers and both libraries by
# pkg-config, and the installed command runs.
set -euo pipefail

if grep -Eq '^WEIR_(SANITIZE|COVERAGE|FUZZ):BOOL=ON' "$WEIR_BINARY_DIR/CMakeCache.txt"; then
	echo "skipped: an instrumented library asks for its instruments"
	exit 77
fi

prefix=$(mktemp -d "${TMPDIR:-/tmp}/weir-test-XXXXXX")
trap 'rm -rf "$prefix"' EXIT
cmake --install "$WEIR_BINARY_DIR" --prefix "$prefix" >/dev/null
file=$(find "$prefix" -name weir.pc)
export PKG_CONFIG_PATH=${file%/*}
libraries=$(pkg-config --variable=libdir weir)
read -ra flags <<<"$(pkg-config --cflags weir)"
read -ra shared <<<"$(pkg-config --libs weir)"
# The archive goes by name: -lweir would prefer the shared library.
read -ra static <<<"$(pkg-config --libs --static weir | sed "s|-lweir|$libraries/libweir.a|")"

cat >"$prefix/user.c" <<'END'
#include <base/error.h>
#include <base/memory.h>
#include <string.h>

int main(void)
{
	weir_arena *arena = weir_arena_create();
	int works = arena != NULL && weir_arena_allocate(arena, 3, 8) != NULL;
	weir_arena_destroy(arena);
	return works && strcmp(weir_status_text(WEIR_OK), "success") == 0 ? 0 : 1;
}
END
for language in c c++; do
	compiler=$CC
	[[ $language == c++ ]] && compiler=$CXX
	compile=("$compiler" "${flags[@]}" -x "$language" "$prefix/user.c" -x none -o "$prefix/user")
	"${compile[@]}" "${shared[@]}"
	LD_LIBRARY_PATH=$libraries "$prefix/user"
	"${compile[@]}" "${static[@]}"
	"$prefix/user"
done

# No installed header asks for one that is not installed.
find "$prefix/include/weir" -name '*.h' -printf '#include "%P"\n' | sort |
	"$CC" "${flags[@]}" -x c -fsyntax-only -

"$prefix/bin/weir" --version
if command -v python3 >/dev/null; then
	PYTHONPATH=$prefix/share/weir/python python3 -c 'import weir; print(weir.Run)'
fi
for python in /usr/bin/python3 python3; do
	if "$python" -c 'import numpy' 2>/dev/null; then
		PYTHONPATH=$prefix/share/weir/python "$python" -c 'import weir.gym; print(weir.gym.kinds())'
		break
	fi
done
cmp "$WEIR_SOURCE_DIR/LICENSE" "$(find "$prefix" -name LICENSE)"
