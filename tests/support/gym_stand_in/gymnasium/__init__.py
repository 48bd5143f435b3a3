"""What weir.gym uses of gymnasium's interface (1.1 and later), in the plainest form, for tests where there is no gymnasium."""

import importlib

from . import spaces, utils, vector
from .core import Env

__all__ = ["Env", "make", "make_vec", "register", "registry", "spaces", "utils", "vector"]

registry = {}


def register(id, entry_point, vector_entry_point=None, reward_threshold=None, kwargs=None):
    registry[id] = entry_point, vector_entry_point, kwargs or {}


def _call(entry_point, arguments):
    module, name = entry_point.split(":")
    return getattr(importlib.import_module(module), name)(**arguments)


def make(id, **arguments):
    entry_point, _, kwargs = registry[id]
    return _call(entry_point, {**kwargs, **arguments})


def make_vec(id, num_envs=1, **arguments):
    _, entry_point, kwargs = registry[id]
    return _call(entry_point, {**kwargs, "num_envs": num_envs, **arguments})
