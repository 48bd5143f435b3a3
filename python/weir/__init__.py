"""Runs of weir as pandas frames.

    import weir

    with weir.Run("run.h5") as run:
        print(run.requests["ttft"].describe())

Needs h5py and pandas (Debian: python3-h5py python3-pandas), from the first run that is opened.
docs/python.md shows more; docs/hdf5-schema.md lists every table and column.
"""

from .run import SCHEMA_VERSION, Run, RunError, runs

__all__ = ["SCHEMA_VERSION", "Run", "RunError", "runs"]
