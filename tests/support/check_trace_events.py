"""Reads a trace-event file with Python's own json and gzip, and checks it against the documented
format: python3 check_trace_events.py FILE [FROM_S TO_S]. Prints how many events of each phase."""

import collections
import decimal
import gzip
import json
import sys

NAMES = {"process_name", "process_sort_index", "thread_name", "thread_sort_index"}


def nanoseconds(value):
    scaled = decimal.Decimal(value) * 1000
    assert scaled == int(scaled), value
    return int(scaled)


def read(path):
    opened = gzip.open(path, "rb") if path.endswith(".gz") else open(path, "rb")
    with opened as file:
        return json.loads(file.read(), parse_float=decimal.Decimal)


def check_event(event):
    phase = event["ph"]
    assert isinstance(event["pid"], int) and event["pid"] > 0, event
    assert isinstance(event["name"], str) and event["name"], event
    if phase == "M":
        assert event["name"] in NAMES, event
        key = "sort_index" if event["name"].endswith("sort_index") else "name"
        assert list(event["args"]) == [key], event
        return
    nanoseconds(event["ts"])
    if phase == "C":
        assert event["args"] and all(isinstance(v, int) for v in event["args"].values()), event
        return
    assert isinstance(event["tid"], int) and event["tid"] > 0, event
    assert event["cat"], event
    if phase == "X":
        assert nanoseconds(event["dur"]) >= 0, event
    elif phase == "i":
        assert event["s"] in ("g", "p", "t"), event
    elif phase in ("s", "t", "f"):
        assert isinstance(event["id"], int) and 0 <= event["id"] < 2**53, event
        assert event.get("bp") == ("e" if phase == "f" else None), event
    else:
        raise AssertionError(event)


def check_tracks(events):
    """Complete events of a track follow each other; returns them by track."""
    tracks = collections.defaultdict(list)
    for event in events:
        if event["ph"] == "X":
            start = nanoseconds(event["ts"])
            tracks[event["pid"], event["tid"]].append((start, start + nanoseconds(event["dur"]), event))
    for slices in tracks.values():
        slices.sort(key=lambda s: s[:2])
        for (_, end, before), (start, _, after) in zip(slices, slices[1:]):
            assert start >= end, (before, after)
    return tracks


def check_names(events):
    """Every process and track that is used is named once, and no track is in two processes."""
    named = collections.Counter()
    process_of = {}
    for event in events:
        if event["ph"] == "M" and event["name"].endswith("_name"):
            named[event["pid"], event.get("tid")] += 1
        if "tid" in event:
            assert process_of.setdefault(event["tid"], event["pid"]) == event["pid"], event
    assert all(count == 1 for count in named.values()), named
    for event in events:
        assert (event["pid"], None) in named, event
        assert (event["pid"], event.get("tid")) in named, event


def check_flows(events, tracks):
    """A flow begins, has at most one step, and ends, each inside a complete event."""
    flows = collections.defaultdict(list)
    for event in events:
        if event["ph"] in "stf":
            time = nanoseconds(event["ts"])
            inside = [s for s in tracks[event["pid"], event["tid"]] if s[0] <= time < s[1]]
            assert len(inside) == 1, event
            wanted = "transfer" if event["ph"] == "t" else "iterations"
            assert inside[0][2]["cat"] == wanted, (event, inside)
            if event["ph"] == "t":
                assert inside[0][2]["args"]["request"] == event["id"] // 256, (event, inside)
            flows[event["id"]].append((time, event["ph"]))
    for flow, steps in flows.items():
        assert "".join(p for _, p in sorted(steps)) in ("s", "sf", "st", "stf"), (flow, steps)


def main():
    document = read(sys.argv[1])
    assert set(document) == {"displayTimeUnit", "traceEvents"}
    assert document["displayTimeUnit"] in ("ms", "ns")
    events = document["traceEvents"]
    for event in events:
        check_event(event)
    tracks = check_tracks(events)
    check_names(events)
    check_flows(events, tracks)
    if len(sys.argv) > 2:
        begin, end = (nanoseconds(decimal.Decimal(t) * 1000000) for t in sys.argv[2:4])
        for event in events:
            if event["ph"] != "M":
                time = nanoseconds(event["ts"])
                assert time <= end and time + nanoseconds(event.get("dur", 0)) >= begin, event
    counts = collections.Counter(e["ph"] for e in events)
    print(" ".join(f"{phase}:{counts[phase]}" for phase in "MXistfC"))


main()
