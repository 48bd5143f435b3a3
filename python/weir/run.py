"""One recorded run, and the totals of several."""

import contextlib
import json
import os
from collections.abc import Mapping

from .libraries import library

# The newest form of file that is understood, as WEIR_RECORD_SCHEMA_VERSION of sim/record/record.h.
SCHEMA_VERSION = 1

SIGNATURE = b"\x89HDF\r\n\x1a\n"


class RunError(Exception):
    """A file that is not a readable run, or something that a run does not hold."""


def _text(value):
    """Fixed-size text comes from h5py as bytes, other text as str."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _plain(value):
    """An attribute as a number or text of Python's own."""
    return _text(value) if isinstance(value, (bytes, str)) else value.item()


def _was_closed(path):
    """Whether the writer of an HDF5 file closed it. The flag is in byte 11 of superblocks of version 2 and 3 (HDF5
    File Format Specification, III.A); older ones have none."""
    with open(path, "rb") as file:
        head = file.read(12)
    return len(head) < 12 or not head.startswith(SIGNATURE) or head[8] < 2 or head[11] == 0


def _check_file(path, h5py):
    if os.path.isdir(path):
        raise RunError(f"{path}: is a directory, not a recorded run")
    with open(path, "rb") as file:
        if file.read(1) == b"":
            raise RunError(f"{path}: is empty, not a recorded run")
    if not h5py.is_hdf5(path):
        raise RunError(f"{path}: is not an HDF5 file, so not a recorded run")


def _unfinished(path):
    return RunError(
        f"{path}: is the file of a run that has not finished; if it no longer goes, 'weir recover {path}' makes a "
        "finished file of what was recorded"
    )


@contextlib.contextmanager
def _reading(path, what):
    """h5py and numpy say in many ways that a file is damaged."""
    try:
        yield
    except (KeyError, OSError, RuntimeError, ValueError) as error:
        raise RunError(f"{path}: cannot read {what}, which may be damaged: {error}") from None


def _open(path):
    """Opens the file of a finished run. OSError, as from open(), where it cannot be read at all."""
    h5py = library("h5py")
    _check_file(path, h5py)
    try:
        with _reading(path, "the file"):
            file = h5py.File(path, "r")
    except RunError:
        if not _was_closed(path):
            raise _unfinished(path) from None
        raise
    try:
        with _reading(path, "the file"):
            _check_format(path, file.attrs)
    except BaseException:
        file.close()
        raise
    return file


def _check_format(path, attributes):
    version = attributes.get("weir_schema_version")
    counts = getattr(version, "shape", None) == () and version.dtype.kind in "iu"
    if not counts or _text(attributes.get("format", "")) != "weir run":
        raise RunError(f"{path}: is an HDF5 file, but not a run that weir recorded")
    if not 1 <= version <= SCHEMA_VERSION:
        raise RunError(
            f"{path}: has schema version {version}; this package reads up to {SCHEMA_VERSION}: use the one of the "
            "weir that wrote it"
        )
    if _text(attributes.get("status", "")) not in ("complete", "partial"):
        raise _unfinished(path)


def _columns(group, h5py):
    """The columns of a group that is a table, in the file's order; none of one that is not."""
    if not isinstance(group, h5py.Group):
        return []
    return [name for name, item in group.items() if isinstance(item, h5py.Dataset) and item.ndim == 1]


def _tables_below(group, path, h5py):
    if _columns(group, h5py):
        yield path
    for name, item in group.items():
        if isinstance(item, h5py.Group):
            yield from _tables_below(item, f"{path}/{name}" if path else name, h5py)


class Run:
    """A run that weir recorded.

    Its tables are attributes, pandas frames with the columns of docs/hdf5-schema.md. Each is read when it is first
    asked for and kept, so copy one before you change it. Columns of names (status, pool, state, ...) are categoricals
    with every name that there is; a time that was not reached is NaN. A table that the file does not hold is a
    RunError, and not in `tables`.

    The file stays open until `close`, the end of a `with`, or the end of the object; what was read stays usable.
    """

    def __init__(self, path):
        """RunError for a file that is no finished run of a known form; OSError for one that cannot be read."""
        library("pandas")
        self.path = os.fsdecode(path)
        self._frames = {}
        self._summary = self._totals = None
        self._file = _open(self.path)
        self._status = _text(self._file.attrs["status"])

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def __repr__(self):
        return f"<weir.Run {self.path!r}{', partial' if self.partial else ''}>"

    def close(self):
        self._file.close()

    def _open_file(self):
        if not self._file:
            raise RunError(f"{self.path}: was closed before this was read")
        return self._file

    # What the run was

    @property
    def partial(self):
        """Whether the run was cut short and recovered: no summary, no totals, and rows only up to the cut."""
        return self._status == "partial"

    @property
    def seed(self):
        file = self._open_file()
        with _reading(self.path, "the seed"):
            return _plain(file.attrs["seed"])

    @property
    def provenance(self):
        """What two equal runs need not share: command_line, version, workload, started, host, cpu_seconds; a dict."""
        file = self._open_file()
        with _reading(self.path, "/provenance"):
            return {name: _plain(value) for name, value in file["provenance"].attrs.items()}

    @property
    def version(self):
        """The weir that wrote it."""
        return self.provenance["version"]

    @property
    def command_line(self):
        return self.provenance["command_line"]

    @property
    def config(self):
        """The whole config, a dict; json.dump writes it for 'weir run' to repeat the run with. A new one each time."""
        file = self._open_file()
        with _reading(self.path, "/provenance/config"):
            return json.loads(_text(file["provenance/config"][()]))

    # Tables

    @property
    def tables(self):
        """Names of the tables that the file holds."""
        file = self._open_file()
        with _reading(self.path, "the file"):
            return list(_tables_below(file, "", library("h5py")))

    def _datasets(self, name):
        """The columns of the table `name` in the file, a dict."""
        file = self._open_file()
        with _reading(self.path, f"table {name}"):
            group = file[name] if name in file else None
            datasets = {column: group[column] for column in _columns(group, library("h5py"))}
        if not datasets:
            cut = ", and the run was cut short" if self.partial else ""
            raise RunError(f"{self.path}: has no table {name}{cut}; its tables are {', '.join(self.tables)}")
        return datasets

    def _read(self, name, column, dataset):
        pandas = library("pandas")
        with _reading(self.path, f"column {name}/{column}"):
            values = dataset[:]
            names = [_text(value) for value in dataset.attrs.get("values", [])]
        if values.dtype.kind == "S":
            return pandas.Series([_text(value) for value in values], dtype=object)
        if not names:
            return values
        if len(values) > 0 and values.max() >= len(names):
            raise RunError(f"{self.path}: column {name}/{column} holds {values.max()}, which has no name")
        return pandas.Categorical.from_codes(values, names)

    def table(self, name, columns=None):
        """The table `name` as a frame. With `columns`, a list of names, only these, read anew at each call: for few
        columns of many rows."""
        pandas = library("pandas")
        if isinstance(columns, str):
            raise TypeError("columns is a list of names, not one name")
        if columns is None and name in self._frames:
            return self._frames[name]
        datasets = self._datasets(name)
        for column in columns or []:
            if column not in datasets:
                known = ", ".join(datasets)
                raise RunError(f"{self.path}: table {name} has no column {column}; its columns are {known}")
        wanted = list(datasets) if columns is None else columns
        values = {column: self._read(name, column, datasets[column]) for column in wanted}
        with _reading(self.path, f"table {name}"):
            frame = pandas.DataFrame(values)
        if columns is None:
            self._frames[name] = frame
        return frame

    def _attributes(self, name, attribute):
        datasets = self._datasets(name)
        with _reading(self.path, f"table {name}"):
            return {column: _text(data.attrs.get(attribute, "")) for column, data in datasets.items()}

    def units(self, table):
        """The unit of each column of a table, a dict; "1" for a ratio or a count, empty for names and numbers that
        only identify. Those of `totals` are by figure."""
        if table == "totals":
            return dict(self.totals.attrs["units"])
        return self._attributes(table, "units")

    def descriptions(self, table):
        """What each column of a table is, a dict."""
        return self._attributes(table, "description")

    @property
    def requests(self):
        """One row per request: times, sizes, instances, status."""
        return self.table("requests")

    @property
    def samples(self):
        """One row per sampling interval and pool: instances by state, queues, loads, power, cost."""
        return self.table("samples")

    @property
    def instances(self):
        """One row per instance that ever was: its life, bill and work."""
        return self.table("instances")

    @property
    def servers(self):
        """One row per server that ever was: what the bill is made of."""
        return self.table("servers")

    @property
    def scaling_events(self):
        """One row for everything asked of the ScalingManager and every change of an instance."""
        return self.table("scaling_events")

    @property
    def pools(self):
        """One row per pool: the whole run."""
        return self.table("pools")

    @property
    def iterations(self):
        """One row per iteration of an instance, where they were recorded."""
        return self.table("iterations")

    @property
    def transfers(self):
        """One row per KV-cache transfer, where they were recorded."""
        return self.table("transfers")

    @property
    def decisions(self):
        """One row per decision of a policy or agent, where they were recorded."""
        return self.table("decisions")

    @property
    def summary(self):
        """Exact statistics of the completed requests: a row per metric, by its name."""
        if self._summary is None:
            frame = self.table("summary")
            with _reading(self.path, "table summary"):
                self._summary = frame.set_index("metric")
        return self._summary

    @property
    def totals(self):
        """Single figures of the run: a Series by name, their units in its attrs["units"]."""
        if self._totals is None:
            frame = self.table("totals")
            with _reading(self.path, "table totals"):
                frame = frame.set_index("name")
                totals = frame["value"].rename_axis(None).rename("totals")
                totals.attrs["units"] = frame["unit"].to_dict()
            self._totals = totals
        return self._totals


def runs(paths):
    """The totals of several runs, a frame with a row for each: by its path, or by its name when `paths` is a dict of
    name: path. A figure that a run does not have is NaN. attrs["units"] has the unit of each."""
    pandas = library("pandas")
    if isinstance(paths, (str, bytes, os.PathLike)):
        raise TypeError("runs takes a list of paths, or a dict of name: path; weir.Run reads one run")
    named = paths.items() if isinstance(paths, Mapping) else ((os.fsdecode(path), path) for path in paths)
    names, rows, units = [], [], {}
    for name, path in named:
        with Run(path) as run:
            totals = run.totals
        for figure, unit in totals.attrs["units"].items():
            if units.setdefault(figure, unit) != unit:
                raise RunError(f"{path}: has {figure} in {unit or 'no unit'}, a run before it in {units[figure]}")
        names.append(name)
        rows.append(totals.to_dict())
    frame = pandas.DataFrame(rows, index=pandas.Index(names, name="run", dtype=object), columns=list(units))
    frame.attrs["units"] = units
    return frame
