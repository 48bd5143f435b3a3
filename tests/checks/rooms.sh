#!/bin/bash
# A room includes only the rooms listed for it, which all stand above it; HDF5 belongs to record.
set -euo pipefail

cd "$WEIR_SOURCE_DIR"
folders=(sim)
for folder in rl analysis; do
	[[ -d $folder ]] && folders+=("$folder")
done

# From the ground up: a room and the rooms it may include besides itself.
rooms='
base:
engine:    base
workload:  base
hardware:  base
model:     base hardware
serving:   base engine workload hardware model
metrics:   base engine workload hardware model serving
scaling:   base engine workload hardware model serving metrics
record:    base
config:    base engine workload hardware model serving metrics scaling record
run:       base engine workload hardware model serving metrics scaling record config
rl:        base engine workload hardware model serving metrics scaling record config run
analysis:  base metrics record config
study:     base engine workload hardware model serving metrics scaling record config run rl analysis
cli:       base engine workload hardware model serving metrics scaling record config run rl analysis study
'

# shellcheck disable=SC2016 # awk's own fields
find "${folders[@]}" -name '*.[ch]' | sort | xargs awk -v rooms="$rooms" '
	function complain(text) {
		printf "%s:%d: %s\n", FILENAME, FNR, text
		failures++
	}
	BEGIN {
		count = split(rooms, lines, "\n")
		for (i = 1; i <= count; i++) {
			if (split(lines[i], part, ":") < 2) {
				continue
			}
			known[part[1]] = 1
			allowed[part[1], part[1]] = 1
			n = split(part[2], above, " ")
			for (j = 1; j <= n; j++) {
				if (!(above[j] in known)) {
					print "the table lets " part[1] " include " above[j] ", which does not stand above it"
					failures++
				}
				allowed[part[1], above[j]] = 1
			}
		}
	}
	FNR == 1 {
		split(FILENAME, path, "/")
		room = path[1] == "sim" ? path[2] : path[1]
		files++
		if (!(room in known)) {
			complain("there is no room " room)
		}
	}
	/^[ \t]*#[ \t]*include[ \t]*</ && /[<\/]hdf5(_hl)?\.h>|<H5[A-Z]/ && room != "record" {
		complain("only record includes HDF5")
	}
	/^[ \t]*#[ \t]*include[ \t]*"/ {
		split($0, quoted, "\"")
		if (quoted[2] == "weir_version.h") {
			next
		}
		slash = index(quoted[2], "/")
		target = substr(quoted[2], 1, slash - 1)
		if (slash == 0) {
			complain("\"" quoted[2] "\" does not name its room")
		} else if (!((room, target) in allowed)) {
			complain(room " must not include " quoted[2])
		}
	}
	END {
		print files " files, " failures + 0 " failures"
		exit failures > 0 || files == 0
	}'
