#!/bin/bash
# Every file that the documents point to exists.
set -euo pipefail

cd "$WEIR_SOURCE_DIR"
checked=0
failed=0
while IFS=: read -r document target; do
	target=${target#*](}
	target=${target#*src*=\"}
	target=${target%[)\"]}
	target=${target%%#*}
	if [[ -z $target || $target == *://* ]]; then
		continue
	fi
	checked=$((checked + 1))
	if [[ ! -e ${document%/*}/$target ]]; then
		echo "$document: there is no $target"
		failed=$((failed + 1))
	fi
done < <(grep -Eo '\]\([^) ]+\)|src(set)?="[^"]+"' ./README.md ./docs/*.md ./docs/*/*.md)

echo "$checked links, $failed failures"
((checked > 0 && failed == 0))
