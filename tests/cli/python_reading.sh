#!/bin/bash
# The Python in README.md and docs/ reads a fresh run, as shown; python_gym.sh runs that of gym.md.
# shellcheck source-path=SCRIPTDIR/.. source=support/cli.sh
source "$WEIR_SOURCE_DIR/tests/support/cli.sh"
need_python h5py pandas

# The runs that the examples read.
mkdir "$scratch/runs"
for kind in jsq token_jsq kv_jsq mixed_pool; do
	expect_status 0 "$WEIR" run "$WEIR_SOURCE_DIR/configs/default.json" --until 300 -q \
		--set "scheduler.kind=$kind" -o "$scratch/runs/$kind.h5"
done
cp "$scratch/runs/mixed_pool.h5" "$scratch/runs/default.h5"
crowd=("$WEIR_SOURCE_DIR/configs/scenarios/flash_crowd.json" --until 400 -q)
expect_status 0 "$WEIR" run "${crowd[@]}" --policy reactive -o "$scratch/runs/reactive.h5"
expect_status 0 "$WEIR" run "${crowd[@]}" -o "$scratch/runs/fixed.h5"

shopt -s extglob
blocks=$(awk -v out="$scratch/block" '
	/^```python$/ { blocks++; file = out blocks ".py"; shown = 1; next }
	/^```$/ { shown = 0 }
	shown { print > file }
	END { print blocks + 0 }' "$WEIR_SOURCE_DIR/README.md" "$WEIR_SOURCE_DIR"/docs/!(gym).md)
if ((blocks < 6)); then
	echo "$blocks blocks of Python, not at least 6"
	failures=$((failures + 1))
fi
cd "$scratch"
for ((i = 1; i <= blocks; i++)); do
	expect_status 0 "$python" "block$i.py"
	cat out >>printed
done
expect_match '^99% +[0-9.]+ +[0-9.]+ +[0-9.]+ +[0-9.]+$' printed
expect_match '^mixed_pool +p99 of TTFT +[0-9.]+ s' printed
expect_match '^failed +0$' printed
expect_match 'has no table decisions; its tables are' printed
# docs/python.md shows a whole table, of the same config.
awk '/^```/ { shown = !inside && $0 == "```"; inside = !inside; next } shown' \
	"$WEIR_SOURCE_DIR/docs/python.md" >table
expect_match '^instance_hours +[0-9.]+ +3\.00$' table
while IFS= read -r line; do
	if ! grep -Fqx -- "$line" printed; then
		echo "docs/python.md shows what is not printed: $line"
		failures=$((failures + 1))
	fi
done <table

# What pandas finds in the requests is what the summary says.
cat >compare.py <<'END'
import h5py
import pandas

with h5py.File("runs/default.h5") as run:
    requests = pandas.DataFrame({name: column[:] for name, column in run["requests"].items()})
    summary = pandas.DataFrame({name: column[:] for name, column in run["summary"].items()})
    statuses = [name.decode() for name in run["requests/status"].attrs["values"]]
    assert run["requests/ttft"].attrs["units"] == b"s"
done = requests[requests["status"] == statuses.index("completed")]
summary = summary.set_index(summary["metric"].str.decode("utf-8"))
assert 0 < len(done) < len(requests)
for metric in ["queue_time", "ttft", "second_token_gap", "tbt", "e2e", "prompt_tokens", "output_tokens"]:
    row = summary.loc[metric]
    found = done[metric].quantile([0.5, 0.9, 0.99]).to_list() + [done[metric].mean(), done[metric].std()]
    wanted = row[["p50", "p90", "p99", "mean", "std"]].to_list()
    for a, b in zip(found, wanted):
        assert abs(a - b) <= 1e-12 * max(abs(a), 1), (metric, found, wanted)
    assert row["count"] == done[metric].count()
END
expect_status 0 "$python" compare.py

finish
