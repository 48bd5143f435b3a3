#!/bin/bash
# label: long. The page of a report in a browser: what is drawn, zoomed, read, printed, light and dark.
# shellcheck source-path=SCRIPTDIR/.. source=support/cli.sh
source "$WEIR_SOURCE_DIR/tests/support/cli.sh"

# The library is the one that the notes beside it tell of.
cd "$WEIR_SOURCE_DIR/analysis/page"
for file in uPlot.js uPlot.css uPlot.LICENSE; do
	expect_status 0 sha256sum "$file"
	read -r sum _ <"$scratch/out"
	expect_match "\`$file\`.*\`$sum\`" README.md
done

support=$WEIR_SOURCE_DIR/tests/support
expect_status 0 "$WEIR_BINARY_DIR/tests/test_analysis_report_page" "$support/report_payload.json" \
	"$scratch/page.html"
if ! PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$support python3 -c \
	'import chromium, sys; sys.exit(chromium.find() is None)' 2>/dev/null; then
	((failures == 0)) || finish
	echo 'skipped: needs python3 and chromium'
	exit 77
fi

PYTHONDONTWRITEBYTECODE=1 python3 "$support/report_page.py" make-large "$support/report_payload.json" \
	"$scratch/large.json"
expect_status 0 "$WEIR_BINARY_DIR/tests/test_analysis_report_page" "$scratch/large.json" \
	"$scratch/large.html"
expect_status 0 env PYTHONDONTWRITEBYTECODE=1 python3 "$support/report_page.py" check \
	"$support/report_payload.json" "$scratch/page.html" "$scratch/large.html"
cat "$scratch/out"

finish
