#!/bin/bash
# Every notebook runs from its first cell to its last, with matplotlib if it is there and without.
# shellcheck source-path=SCRIPTDIR/.. source=support/cli.sh
source "$WEIR_SOURCE_DIR/tests/support/cli.sh"
need_python h5py pandas

# A notebook finds the package by itself.
unset PYTHONPATH
export TMPDIR=$scratch
modes=(--without=matplotlib)
if "$python" -c 'import matplotlib' 2>/dev/null; then
	modes+=('')
fi
notebooks=0
for notebook in "$WEIR_SOURCE_DIR"/analysis/notebooks/*.ipynb; do
	notebooks=$((notebooks + 1))
	for mode in "${modes[@]}"; do
		expect_status 0 "$python" "$WEIR_SOURCE_DIR/tests/support/run_notebook.py" "$notebook" ${mode:+"$mode"}
		cat "$scratch/out"
		expect_out '^[1-9][0-9]* cells ran$'
	done
done
if ((notebooks == 0)); then
	echo 'there is no notebook'
	failures=$((failures + 1))
fi
left=$(find "$scratch" -mindepth 1 ! -name out ! -name err)
if [[ -n $left ]]; then
	echo "notebooks leave files behind: $left"
	failures=$((failures + 1))
fi

finish
