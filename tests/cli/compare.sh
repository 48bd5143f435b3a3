#!/bin/bash
# `weir compare`: messages, formats, runs that are partial, figures.
# shellcheck source-path=SCRIPTDIR/.. source=support/cli.sh
source "$WEIR_SOURCE_DIR/tests/support/cli.sh"

parity=$WEIR_SOURCE_DIR/configs/parity.json
header=request_id,arrival_timestamp,prompt_size,token_size
cd "${scratch:?}"
printf '%s\n0,0,100,20\n1,1,200,5\n2,30,300,7\n3,60,100,20\n' "$header" >trace.csv
printf '%s\n0,0,100,20\n1,1,200,5\n2,30,300,7\n3,90,nan,5\n' "$header" >bad.csv
printf '%s\n0,0,100,20\n1,2,200,5\n' "$header" >other.csv
mkdir -p deeper
expect_status 0 "$WEIR" run "$parity" --set trace.path=trace.csv -o a.h5 -q
expect_status 0 "$WEIR" run "$parity" --set trace.path=trace.csv -o deeper/a.h5 -q
expect_status 0 "$WEIR" run "$parity" --set trace.path=other.csv -o other.h5 -q
expect_status 2 "$WEIR" run "$parity" --set trace.path=bad.csv -o part.h5 -q
expect_status 0 "$WEIR" recover part.h5.part

expect_status 0 "$WEIR" --help
expect_out '^  compare '
expect_status 0 "$WEIR" compare --help
expect_out '^usage: weir compare A.h5 B.h5'

# ---- wrong input ----

expect_status 2 "$WEIR" compare
expect_err 'at least two recorded runs are needed'
expect_status 2 "$WEIR" compare a.h5
expect_err 'at least two recorded runs are needed'
expect_status 2 "$WEIR" compare a.h5 none.h5
expect_err '^none.h5: '
expect_status 2 "$WEIR" compare a.h5 trace.csv
expect_err '^trace.csv: .*HDF5'
expect_status 2 "$WEIR" compare a.h5 part.h5.part
expect_err '^part.h5.part: .*weir recover'
expect_status 2 "$WEIR" compare a.h5 other.h5 --json --csv
expect_err 'only one of --json, --csv and --markdown'
expect_status 2 "$WEIR" compare a.h5 other.h5 --jsn
expect_err 'unknown option.* --jsn'

# ---- what it says ----

expect_status 0 "$WEIR" compare a.h5 other.h5
expect_out '^run +cost \(USD\)  instance_hours \(h\)  attainment \(%\)'
expect_out '^other: not the same trace: the arrival of request 1 is 2, and 1 in the first run\.$'
expect_out '^Pareto front of cost against attainment: '
if grep -q 'Same requests' out; then
	expect_out 'no table of pairs of another trace'
fi
# Runs of one name are told apart.
expect_status 0 "$WEIR" compare a.h5 deeper/a.h5
expect_out '^Same requests: time in this run - time in a.h5$'
expect_out '^deeper/a.h5: the same trace: 4 requests\.$'
expect_out '^deeper/a.h5 +0.0000 \+- 0.0000 +0.0 +0.0 '
expect_status 0 "$WEIR" compare a.h5 part.h5
expect_out '^part \(partial\) '
expect_out '^part is partial: This run did not end: '
expect_out '^part: the same trace as far as it was recorded: [123] requests are in both\.$'
expect_out '^Pareto front of cost against attainment: a$'
expect_status 0 "$WEIR" compare a.h5 part.h5 other.h5 --csv
expect_out '^run,file,partial,cost,instance_hours,attainment,slo_met,pareto,'
expect_out '^part,part.h5,"?This run did not end'
expect_out '^other,other.h5,,'
expect_status 0 "$WEIR" compare a.h5 other.h5 --markdown
expect_out '^\| other \| '
expect_status 0 "$WEIR" compare a.h5 other.h5 --json
if ! python3 - out <<'EOF'
import json, sys
table = json.load(open(sys.argv[1]))
rows = {row["run"]: row for row in table["rows"]}
assert list(rows) == ["a", "other"], rows
assert rows["a"]["arrived"] == 4 and rows["other"]["arrived"] == 2, rows
assert rows["other"]["same_trace"] == "no" and rows["other"]["ttft_better"] is None, rows
assert {c["name"] for c in table["columns"]} == set(rows["a"]), table["columns"]
EOF
then
	expect_out 'JSON as expected'
fi

# ---- figures ----

expect_status 0 "$WEIR" compare a.h5 other.h5 --figures figures --csv
expect_out '^other,'
expect_status 0 "$WEIR" compare a.h5 other.h5 --figures again
expect_status 0 diff -r figures again
expect_status 0 "$WEIR" report a.h5 --figures report
expect_status 0 "$WEIR" report a.h5 other.h5 --figures two --json
expect_out '^\{"weir":'
expect_status 2 "$WEIR" report a.h5
expect_err 'or --figures DIR'
expect_status 2 "$WEIR" compare a.h5 other.h5 --figures trace.csv
expect_err '^trace.csv: is a file; name a folder'
expect_status 2 "$WEIR" compare a.h5 other.h5 --figures nowhere/figures
expect_err '^nowhere/figures: cannot be made: No such file'
# Every figure is there twice, is XML with something drawn, and says nothing of today.
python3 >out 2>err - <<'EOF' || { failures=$((failures + 1)) && cat err; }
import glob, os, xml.etree.ElementTree as xml
wanted = {"ttft_cdf", "tbt_cdf", "e2e_cdf", "instances", "pareto", "attainment"}
names = {os.path.basename(n)[:-4] for n in glob.glob("figures/*.svg")}
assert wanted <= names, names
for folder in "figures", "report", "two":
    svgs = glob.glob(folder + "/*.svg")
    assert sorted(n[:-4] for n in svgs) == sorted(n[:-4] for n in glob.glob(folder + "/*.png"))
    assert len(os.listdir(folder)) == 2 * len(svgs) > 0
    for name in svgs:
        text = open(name).read()
        root = xml.fromstring(text)
        assert root.tag == "{http://www.w3.org/2000/svg}svg", root.tag
        assert len(root.findall(".//{http://www.w3.org/2000/svg}path")) > 10, name
        assert "date" not in text and 'id="surface"' in text, name
assert glob.glob("report/a-ttft_cdf.svg") and glob.glob("two/2-other-ttft_cdf.svg")
EOF

finish
