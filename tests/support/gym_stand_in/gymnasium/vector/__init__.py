import enum

from ..utils import seeding
from . import utils

__all__ = ["AutoresetMode", "VectorEnv", "utils"]


class AutoresetMode(enum.Enum):
    NEXT_STEP = "NextStep"
    SAME_STEP = "SameStep"
    DISABLED = "Disabled"


class VectorEnv:
    closed = False
    spec = None
    _np_random = None

    def reset(self, *, seed=None, options=None):
        if seed is not None:
            self._np_random, _ = seeding.np_random(seed)

    @property
    def np_random(self):
        if self._np_random is None:
            self._np_random, _ = seeding.np_random()
        return self._np_random

    def close(self, **arguments):
        if not self.closed:
            self.close_extras(**arguments)
            self.closed = True

    def __del__(self):
        self.close()
