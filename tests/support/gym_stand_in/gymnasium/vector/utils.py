import numpy

from .. import spaces


def batch_space(space, n):
    if isinstance(space, spaces.Box):
        return spaces.Box(numpy.stack([space.low] * n), numpy.stack([space.high] * n), dtype=space.dtype)
    if isinstance(space, spaces.Discrete):
        return spaces.MultiDiscrete(numpy.full(n, space.n))
    return spaces.MultiDiscrete(numpy.stack([space.nvec] * n))
