"""python/weir against real runs: tests/cli/python_package.sh runs it with WEIR, WEIR_SOURCE_DIR and a fresh directory
as the working directory."""

import inspect
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import unittest

import h5py
import numpy
import pandas

import weir

WEIR = os.environ["WEIR"]
SOURCE = os.environ["WEIR_SOURCE_DIR"]
CONFIG = f"{SOURCE}/configs/scenarios/flash_crowd.json"
COMMAND = ["run", CONFIG, "--until", "400", "-q"]


def command(*arguments):
    """Standard output of weir, which must succeed."""
    done = subprocess.run([WEIR, *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(f"weir {' '.join(arguments)}: {done.stderr}")
    return done.stdout


def setUpModule():
    command(*COMMAND, "--policy", "reactive", "-o", "elastic.h5")
    command(*COMMAND, "--seed", "7", "-o", "still.h5")


def columns_of(path):
    """Tables and columns as h5dump's peer 'weir info' lists them: {table: [(column, type), ...]}."""
    tables, name = {}, None
    for line in command("info", path).splitlines():
        if head := re.match(r"(\w+): (\d+) rows\. ", line):
            name = head[1]
            tables[name] = []
        elif (column := re.match(r"  (\w+) +(double|int64|int32|uint32|uint8|name) ", line)) and name:
            tables[name].append((column[1], column[2]))
    return tables


def rows_of(path, table):
    return int(re.search(rf"^{table}: (\d+) rows", command("info", path), re.MULTILINE)[1])


class Elastic(unittest.TestCase):
    """What a run with a policy holds."""

    @classmethod
    def setUpClass(cls):
        cls.run_ = weir.Run("elastic.h5")
        cls.end = cls.run_.totals["end_time"]

    @classmethod
    def tearDownClass(cls):
        cls.run_.close()

    def equal(self, found, wanted):
        """Sums of at most some ten thousand doubles in another order."""
        self.assertAlmostEqual(found, wanted, delta=1e-11 * max(abs(wanted), 1))

    def test_tables(self):
        known = columns_of("elastic.h5")
        self.assertEqual(set(self.run_.tables), set(known))
        self.assertGreaterEqual(
            set(known),
            {"requests", "samples", "instances", "servers", "scaling_events", "pools", "summary", "totals"},
        )

    def test_columns_and_types(self):
        types = {"double": "float64", "uint8": "category", "name": "object"}
        for table, columns in columns_of("elastic.h5").items():
            frame = self.run_.table(table)
            self.assertEqual([name for name, _ in columns], list(frame.columns), table)
            for name, kind in columns:
                self.assertEqual(str(frame[name].dtype), types.get(kind, kind), f"{table}/{name}")

    def test_every_table_is_an_attribute(self):
        for table in columns_of("elastic.h5"):
            self.assertEqual(len(getattr(self.run_, table)), rows_of("elastic.h5", table), table)
            self.assertGreater(len(getattr(self.run_, table)), 0, table)

    def test_values_are_those_of_the_file(self):
        with h5py.File("elastic.h5") as file:
            for table in self.run_.tables:
                frame = self.run_.table(table)
                for name, column in file[table].items():
                    found = frame[name]
                    if found.dtype == "category":
                        names = [text.decode() for text in column.attrs["values"]]
                        self.assertEqual(list(found), [names[code] for code in column[:]], name)
                        self.assertEqual(list(found.cat.categories), names, name)
                    elif found.dtype == object:
                        self.assertEqual(list(found), [text.decode() for text in column[:]], name)
                    else:
                        numpy.testing.assert_array_equal(found.to_numpy(), column[:], name)

    def test_rows(self):
        totals = self.run_.totals
        self.assertEqual(len(self.run_.requests), totals["arrived"])
        self.assertEqual(self.run_.requests["request_id"].nunique(), totals["arrived"])
        self.assertEqual(len(self.run_.instances), totals["instances"] + totals["instances_started"])
        self.assertEqual(self.run_.instances["removed"].notna().sum(), totals["instances_removed"])
        # 400 s in intervals of 10 s, a prompt and a token pool.
        self.assertEqual(len(self.run_.samples), 80)
        self.assertEqual(len(self.run_.pools), 2)

    def test_statuses(self):
        counts = self.run_.requests["status"].value_counts()
        self.assertEqual(set(counts.index), {"completed", "rejected", "failed", "unfinished"})
        for status, count in counts.items():
            self.assertEqual(count, self.run_.totals[status], status)
        self.assertGreater(counts["completed"], 0)
        self.assertGreater(counts["unfinished"], 0)

    def test_missing_times_are_nan(self):
        requests = self.run_.requests
        unfinished = requests["status"] == "unfinished"
        self.assertTrue(requests["e2e"].isna()[unfinished].all())
        self.assertTrue(requests["e2e"].notna()[requests["status"] == "completed"].all())

    def test_bill(self):
        totals, instances, samples = self.run_.totals, self.run_.instances, self.run_.samples
        lives = instances["removed"].fillna(self.end) - instances["created"]
        by_state = ["paid_scaling_up", "paid_active", "paid_draining"]
        paid = instances[by_state].sum()
        self.assertTrue(numpy.allclose(instances[by_state].sum(axis=1), lives, rtol=0, atol=1e-9))
        self.equal(lives.sum(), totals["instance_hours"] * 3600)
        for state in by_state:
            self.equal(samples[state].sum(), paid[state])
            self.equal(self.run_.pools[state].sum(), paid[state])
        self.equal(paid["paid_scaling_up"], totals["booting_hours"] * 3600)
        self.assertGreater(paid["paid_scaling_up"], 0)
        self.equal(paid["paid_draining"], totals["draining_hours"] * 3600)
        for table in (instances, samples, self.run_.servers, self.run_.pools):
            self.equal(table["cost_usd"].sum(), totals["cost_usd"])
        # Every instance is a dgx-a100 of its own, 17.68 USD an hour (docs/metrics.md).
        self.equal(lives.sum() / 3600 * 17.68, totals["cost_usd"])
        self.assertEqual(set(instances["sku"]), {"dgx-a100"})

    def test_work(self):
        totals, samples = self.run_.totals, self.run_.samples
        self.equal(samples["energy"].sum() / 3.6e6, totals["energy_kwh"])
        self.equal((samples["completions_per_s"] * samples["interval"]).sum(), totals["completed"])
        self.assertEqual(samples["preemptions"].sum(), totals["preemptions"])

    def test_scaling_events(self):
        events, totals = self.run_.scaling_events, self.run_.totals
        counts = events["action"].value_counts()
        self.assertEqual(counts["instance_started"], totals["instances_started"])
        self.assertEqual(counts["instance_removed"], totals["instances_removed"])
        self.assertTrue(events["time"].is_monotonic_increasing)
        self.assertIn("reactive:prompt", set(events["actor"]))

    def test_summary(self):
        requests, summary = self.run_.requests, self.run_.summary
        done = requests[requests["status"] == "completed"]
        for metric in ["queue_time", "ttft", "second_token_gap", "tbt", "e2e", "prompt_tokens", "output_tokens"]:
            wanted = summary.loc[metric]
            self.assertEqual(done[metric].count(), wanted["count"])
            self.assertEqual(done[metric].max(), wanted["max"])
            for column, share in {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}.items():
                self.equal(done[metric].quantile(share), wanted[column])
            self.equal(done[metric].mean(), wanted["mean"])
        self.assertEqual(summary.loc["ttft", "unit"], "s")
        self.assertIn("metric", self.run_.table("summary").columns)

    def test_units_and_descriptions(self):
        units = self.run_.units("requests")
        self.assertEqual(list(units), list(self.run_.requests.columns))
        self.assertEqual((units["ttft"], units["prompt_tokens"], units["status"]), ("s", "tokens", ""))
        self.assertEqual(self.run_.units("samples")["power_w"], "W")
        self.assertEqual(self.run_.descriptions("requests")["arrival"], "Arrival, from the start of the trace.")
        totals = self.run_.units("totals")
        self.assertEqual(list(totals), list(self.run_.totals.index))
        self.assertEqual((totals["cost_usd"], totals["end_time"]), ("USD", "s"))
        self.assertEqual(totals, self.run_.totals.attrs["units"])
        # What a caller does to the answer stays with the caller.
        totals["cost_usd"] = "EUR"
        self.assertEqual(self.run_.units("totals")["cost_usd"], "USD")

    def test_provenance(self):
        self.assertEqual(self.run_.seed, self.run_.config["seed"])
        with weir.Run("still.h5") as still:
            self.assertEqual(still.seed, 7)
        self.assertEqual(f"weir {self.run_.version}", command("--version").splitlines()[0])
        self.assertRegex(self.run_.command_line, "run .*flash_crowd.json .*--policy reactive")
        self.assertIsInstance(self.run_.provenance["cpu_seconds"], float)
        self.assertRegex(self.run_.provenance["started"], r"^\d{4}-\d\d-\d\dT[\d:]{8}Z$")
        self.assertFalse(self.run_.partial)
        self.assertIn("elastic.h5", repr(self.run_))

    def test_config_round_trip(self):
        config = self.run_.config
        self.assertIsInstance(config, dict)
        self.assertEqual(config["model"], "bloom-176b")
        with open("again.json", "w", encoding="utf-8") as file:
            json.dump(config, file)
        command("run", "again.json", "--until", "400", "-q", "-o", "again.h5")
        digests = [command("verify", "--digest", path).split()[0] for path in ("elastic.h5", "again.h5")]
        self.assertRegex(digests[0], "^[0-9a-f]{32}$")
        self.assertEqual(*digests)

    def test_lazy_and_kept(self):
        with weir.Run("elastic.h5") as run:
            self.assertEqual(run._frames, {})
            requests = run.requests
            self.assertEqual(list(run._frames), ["requests"])
            self.assertIs(run.requests, requests)
            self.assertIs(run.totals, run.totals)
            self.assertIs(run.summary, run.summary)

    def test_some_columns(self):
        frame = self.run_.table("requests", ["ttft", "status"])
        self.assertEqual(list(frame.columns), ["ttft", "status"])
        pandas.testing.assert_frame_equal(frame, self.run_.requests[["ttft", "status"]])
        with self.assertRaises(TypeError):
            self.run_.table("requests", "ttft")
        with self.assertRaisesRegex(weir.RunError, "table requests has no column speed; its columns are request_id, "):
            self.run_.table("requests", ["ttft", "speed"])

    def test_missing_tables(self):
        for table in {"iterations", "transfers", "decisions"} - set(self.run_.tables):
            with self.assertRaisesRegex(weir.RunError, rf"elastic\.h5: has no table {table}; its tables are .*requests"):
                getattr(self.run_, table)
        for name in ("provenance", "requests/ttft", "nothing"):
            with self.assertRaisesRegex(weir.RunError, f"has no table {name}"):
                self.run_.table(name)

    def test_tables_of_their_own(self):
        """Tables that a run may hold beside the usual ones, nested ones too."""
        shutil.copy("elastic.h5", "more.h5")
        with h5py.File("more.h5", "a") as file:
            for name in ("iterations", "transfers", "decisions", "learning/updates"):
                file.create_group(name)["time"] = [1.0, numpy.nan]
        with weir.Run("more.h5") as run:
            for frame in (run.iterations, run.transfers, run.decisions, run.table("learning/updates")):
                self.assertEqual(frame["time"].isna().tolist(), [False, True])
            self.assertEqual(set(run.tables) - set(self.run_.tables),
                             {"iterations", "transfers", "decisions", "learning/updates"})
            self.assertEqual(run.units("iterations"), {"time": ""})


class Closing(unittest.TestCase):
    def test_context_manager(self):
        with weir.Run("elastic.h5") as run:
            requests = run.requests
        self.assertGreater(requests["ttft"].mean(), 0)
        self.assertIs(run.requests, requests)
        for read in (lambda: run.samples, lambda: run.config, lambda: run.tables, lambda: run.units("requests")):
            with self.assertRaisesRegex(weir.RunError, r"elastic\.h5: was closed"):
                read()
        run.close()

    def test_closes_after_an_error(self):
        with self.assertRaises(KeyError), weir.Run("elastic.h5") as run:
            raise KeyError
        with self.assertRaisesRegex(weir.RunError, "was closed"):
            run.samples


class Several(unittest.TestCase):
    def test_rows(self):
        frame = weir.runs(["elastic.h5", "still.h5"])
        self.assertEqual(list(frame.index), ["elastic.h5", "still.h5"])
        for path in frame.index:
            with weir.Run(path) as run:
                self.assertEqual(frame.loc[path].to_dict(), run.totals.to_dict())
        self.assertEqual(frame.loc["still.h5", "scale_operations"], 0)
        self.assertGreater(frame.loc["elastic.h5", "scale_operations"], 0)
        self.assertEqual(frame.attrs["units"]["cost_usd"], "USD")
        self.assertEqual(str(frame["cost_usd"].dtype), "float64")

    def test_names(self):
        frame = weir.runs({"with": "elastic.h5", "without": "still.h5"})
        self.assertEqual(list(frame.index), ["with", "without"])
        self.assertEqual(frame.index.name, "run")

    def test_other_figures(self):
        """A figure that only another version of weir wrote is missing, not zero."""
        shutil.copy("still.h5", "older.h5")
        with h5py.File("older.h5", "a") as file:
            names = file["totals/name"]
            names[list(names[:]).index(b"moves")] = b"walks"
        frame = weir.runs(["elastic.h5", "older.h5"])
        self.assertTrue(numpy.isnan(frame.loc["older.h5", "moves"]))
        self.assertTrue(numpy.isnan(frame.loc["elastic.h5", "walks"]))

    def test_other_units(self):
        shutil.copy("still.h5", "cents.h5")
        with h5py.File("cents.h5", "a") as file:
            place = list(file["totals/name"][:]).index(b"cost_usd")
            file["totals/unit"][place] = b"ct"
        with self.assertRaisesRegex(weir.RunError, r"cents\.h5: has cost_usd in ct, a run before it in USD"):
            weir.runs(["elastic.h5", "cents.h5"])

    def test_one_path(self):
        with self.assertRaisesRegex(TypeError, "weir.Run reads one run"):
            weir.runs("elastic.h5")

    def test_none(self):
        self.assertEqual(len(weir.runs([])), 0)


class BadFiles(unittest.TestCase):
    def refused(self, path, pattern):
        with self.assertRaisesRegex(weir.RunError, f"^{re.escape(path)}: {pattern}"):
            weir.Run(path)

    def changed(self, path, **attributes):
        shutil.copy("elastic.h5", path)
        with h5py.File(path, "a") as file:
            for name, value in attributes.items():
                file.attrs[name] = value
        return path

    def test_missing(self):
        with self.assertRaisesRegex(FileNotFoundError, "nowhere.h5"):
            weir.Run("nowhere.h5")

    def test_text(self):
        with open("text.h5", "w", encoding="utf-8") as file:
            file.write("not a run\n" * 100)
        self.refused("text.h5", "is not an HDF5 file")

    def test_empty(self):
        open("empty.h5", "w", encoding="utf-8").close()
        self.refused("empty.h5", "is empty")

    def test_directory(self):
        os.makedirs("directory.h5", exist_ok=True)
        self.refused("directory.h5", "is a directory")

    def test_truncated(self):
        with open("elastic.h5", "rb") as file:
            whole = file.read()
        for size in (len(whole) // 2, len(whole) - 1, 100):
            with open("cut.h5", "wb") as file:
                file.write(whole[:size])
            self.refused("cut.h5", "cannot read the file, which may be damaged: .*truncated")

    def test_not_ours(self):
        with h5py.File("other.h5", "w") as file:
            file["x"] = [1, 2, 3]
        self.refused("other.h5", "is an HDF5 file, but not a run that weir recorded")
        for attributes in ({"format": "weir study"}, {"weir_schema_version": "1"}, {"weir_schema_version": [1, 1]}):
            self.refused(self.changed("other.h5", **attributes), "is an HDF5 file, but not a run that weir recorded")

    def test_newer(self):
        newer = weir.SCHEMA_VERSION + 1
        self.refused(self.changed("newer.h5", weir_schema_version=newer),
                     f"has schema version {newer}; this package reads up to {weir.SCHEMA_VERSION}")
        self.refused(self.changed("newer.h5", weir_schema_version=0), "has schema version 0")

    def test_version_is_that_of_the_program(self):
        with open(f"{SOURCE}/sim/record/record.h", encoding="utf-8") as file:
            self.assertEqual(int(re.search(r"WEIR_RECORD_SCHEMA_VERSION = (\d+)", file.read())[1]), weir.SCHEMA_VERSION)

    def test_aborted(self):
        self.refused(self.changed("aborted.h5", status="aborted"), "is the file of a run that has not finished")

    def test_damaged_column(self):
        command(*COMMAND, "--set", "record.deflate=1", "-o", "deflated.h5")
        with h5py.File("deflated.h5") as file:
            chunk = file["requests/ttft"].id.get_chunk_info(0)
        with open("deflated.h5", "r+b") as file:
            file.seek(chunk.byte_offset)
            file.write(b"\xff" * chunk.size)
        with weir.Run("deflated.h5") as run:
            self.assertEqual(len(run.table("requests", ["e2e"])), run.totals["arrived"])
            with self.assertRaisesRegex(weir.RunError, r"deflated\.h5: cannot read column requests/ttft, which may be damaged: "):
                run.requests

    def test_value_without_name(self):
        with h5py.File(self.changed("odd.h5"), "a") as file:
            file["requests/status"][5] = 4
        with weir.Run("odd.h5") as run, self.assertRaisesRegex(weir.RunError, "requests/status holds 4, which has no"):
            run.requests

    def test_without_provenance(self):
        with h5py.File(self.changed("bare.h5"), "a") as file:
            del file["provenance"]
        with weir.Run("bare.h5") as run:
            for read, what in (
                (lambda: run.config, "/provenance/config"),
                (lambda: run.version, "/provenance"),
                (lambda: run.provenance, "/provenance"),
            ):
                with self.assertRaisesRegex(weir.RunError, f"bare.h5: cannot read {what}, which may be damaged"):
                    read()
            self.assertEqual(len(run.samples), 80)

    def test_damaged_config(self):
        with h5py.File(self.changed("config.h5"), "a") as file:
            del file["provenance/config"]
            file["provenance/config"] = "{"
        with weir.Run("config.h5") as run, self.assertRaisesRegex(weir.RunError, "cannot read /provenance/config"):
            run.config

    def test_missing_column(self):
        with h5py.File(self.changed("less.h5"), "a") as file:
            del file["totals/value"], file["summary/metric"]
        with weir.Run("less.h5") as run:
            for table in ("totals", "summary"):
                with self.assertRaisesRegex(weir.RunError, f"less.h5: cannot read table {table}, which may be damaged"):
                    getattr(run, table)

    def test_columns_of_different_length(self):
        with h5py.File(self.changed("uneven.h5"), "a") as file:
            file["samples/time"].resize((79,))
        with weir.Run("uneven.h5") as run, self.assertRaisesRegex(weir.RunError, "cannot read table samples, which"):
            run.samples


class Partial(unittest.TestCase):
    """A run that was killed, and what 'weir recover' made of it."""

    @classmethod
    def setUpClass(cls):
        long = ["run", f"{SOURCE}/configs/examples/diurnal_day.json", "-q", "-o", "killed.h5", "--set",
                "record.flush_interval=0.01"]
        with subprocess.Popen([WEIR, *long]) as process:
            limit = time.monotonic() + 120
            while time.monotonic() < limit and process.poll() is None:
                if os.path.exists("killed.h5.part") and os.path.getsize("killed.h5.part") > 4_000_000:
                    break
                time.sleep(0.01)
            with cls.assertRaisesRegex(cls(), weir.RunError, "a run that has not finished"):
                weir.Run("killed.h5.part")
            process.send_signal(signal.SIGKILL)
        shutil.copy("killed.h5.part", "left.h5.part")
        command("recover", "killed.h5.part")

    def test_before_recovery(self):
        with self.assertRaisesRegex(weir.RunError, "'weir recover left.h5.part' makes a finished file"):
            weir.Run("left.h5.part")

    def test_recovered(self):
        with weir.Run("killed.h5") as run:
            self.assertTrue(run.partial)
            self.assertIn("partial", repr(run))
            self.assertGreater(len(run.requests), 1000)
            self.assertEqual(len(run.requests), rows_of("killed.h5", "requests"))
            self.assertEqual(run.requests["status"].value_counts()["completed"], len(run.requests))
            self.assertEqual(run.seed, 1)
            self.assertIn("diurnal_day.json", run.command_line)
            for table in ("summary", "totals", "pools"):
                with self.assertRaisesRegex(weir.RunError, f"has no table {table}, and the run was cut short; "):
                    getattr(run, table)

    def test_types_without_rows(self):
        with weir.Run("killed.h5") as run, weir.Run("elastic.h5") as whole:
            self.assertEqual(len(run.instances), 0)
            pandas.testing.assert_series_equal(run.instances.dtypes, whole.instances.dtypes)
            self.assertEqual(list(run.instances["state"].cat.categories), ["scaling_up", "active", "draining"])

    def test_several(self):
        with self.assertRaisesRegex(weir.RunError, r"killed\.h5: has no table totals"):
            weir.runs(["elastic.h5", "killed.h5"])


class Libraries(unittest.TestCase):
    def python(self, code):
        return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)

    def test_import_is_lazy(self):
        done = self.python("import sys, weir; print([name for name in ('h5py', 'pandas', 'numpy') if name in sys.modules])")
        self.assertEqual((done.stdout.strip(), done.stderr), ("[]", ""))

    def test_missing(self):
        for name in ("h5py", "pandas"):
            done = self.python(f"import sys; sys.modules[{name!r}] = None; import weir; weir.Run('elastic.h5')")
            self.assertNotEqual(done.returncode, 0)
            self.assertRegex(done.stderr.splitlines()[-1],
                             f"^ImportError: .*{name}, which this Python does not have; .*apt-get install python3-{name}")

    def test_a_broken_library_speaks_for_itself(self):
        os.makedirs("broken", exist_ok=True)
        with open("broken/h5py.py", "w", encoding="utf-8") as file:
            file.write("import needed_by_h5py\n")
        done = self.python("import sys; sys.path.insert(0, 'broken'); import weir; weir.Run('elastic.h5')")
        self.assertEqual(done.stderr.splitlines()[-1], "ModuleNotFoundError: No module named 'needed_by_h5py'")

    def test_everything_public_is_described(self):
        for name in weir.__all__:
            if callable(getattr(weir, name)):
                self.assertTrue(inspect.getdoc(getattr(weir, name)), name)


if __name__ == "__main__":
    unittest.main()
