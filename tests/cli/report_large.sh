#!/bin/bash
# The report of a run of a million requests: CPU seconds, memory, size. label: long
# shellcheck source-path=SCRIPTDIR/.. source=support/cli.sh
source "$WEIR_SOURCE_DIR/tests/support/cli.sh"

# Checked builds are slower; what is promised is promised of the optimised one.
if ! grep -q '^CMAKE_BUILD_TYPE:.*=Release$' "$WEIR_BINARY_DIR/CMakeCache.txt"; then
	exit 77
fi
cd "${scratch:?}"
"$WEIR" run "$WEIR_SOURCE_DIR/configs/scenarios/diurnal.json" --policy reactive \
	--set workload.duration=21600 -o large.h5 -q

python3 - "$WEIR" <<'END' || failures=$((failures + 1))
import json, os, resource, subprocess, sys

weir = sys.argv[1]
subprocess.run([weir, "report", "large.h5", "-o", "large.html"], check=True)
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
seconds = usage.ru_utime + usage.ru_stime
megabytes = usage.ru_maxrss / 1024
page = os.path.getsize("large.html") / 1e6
print(f"{seconds:.2f} CPU seconds, {megabytes:.0f} MB of memory, a page of {page:.2f} MB")
payload = json.loads(subprocess.run([weir, "report", "large.h5", "--json"], check=True,
                                    capture_output=True).stdout)
totals = {row[0]: row[1] for table in payload["runs"][0]["tables"] if table["id"] == "totals"
          for row in table["rows"]}
assert totals["arrived"] > 1e6, totals["arrived"]
for panel in payload["runs"][0]["panels"]:
    assert len(panel["x"]["values"]) <= 240, panel["id"]
    assert len(panel["marks"]) <= 200, panel["id"]
assert seconds < 5
assert megabytes < 300
assert page < 3
END

finish
