import numpy


class Box:
    def __init__(self, low, high, shape=None, dtype=numpy.float32):
        self.low, self.high = (
            numpy.broadcast_to(side, numpy.shape(low) if shape is None else shape).astype(dtype) for side in (low, high)
        )
        self.dtype, self.shape = numpy.dtype(dtype), self.low.shape

    def contains(self, x):
        return (
            isinstance(x, numpy.ndarray)
            and x.dtype == self.dtype
            and x.shape == self.shape
            and bool(numpy.all(x >= self.low) and numpy.all(x <= self.high))
        )

    def sample(self):
        return numpy.random.uniform(self.low, self.high).astype(self.dtype)


class Discrete:
    shape, dtype = (), numpy.dtype(numpy.int64)

    def __init__(self, n):
        self.n = n

    def sample(self):
        return numpy.int64(numpy.random.randint(self.n))


class MultiDiscrete:
    dtype = numpy.dtype(numpy.int64)

    def __init__(self, nvec):
        self.nvec = numpy.array(nvec)
        self.shape = self.nvec.shape

    def sample(self):
        return numpy.random.randint(self.nvec)
