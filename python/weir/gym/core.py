"""Environments of libweir on NumPy alone: one, and many that are stepped together.

What gymnasium and Stable-Baselines3 want is made from these, in environments.py and sb3.py.
"""

import json
import operator
from ctypes import POINTER, byref, c_double, c_float, c_uint8, c_uint32, c_void_p
from typing import NamedTuple

from . import library as c

try:
    import numpy
except ModuleNotFoundError as error:
    if error.name != "numpy":
        raise
    raise ImportError(
        "weir.gym needs numpy, which this Python does not have; on Debian and Ubuntu 'apt-get install python3-numpy' "
        "installs it for /usr/bin/python3",
        name="numpy",
    ) from None

BOX, DISCRETE, MULTI_DISCRETE = range(3)


class Dimension(NamedTuple):
    name: str
    unit: str
    low: float  # of a box; infinite where there is no bound
    high: float
    choices: int  # of the others


class Term(NamedTuple):
    """A figure of every step; the reward is the sum of those that are a part of it."""

    name: str
    unit: str
    description: str
    reward: bool


class Space(NamedTuple):
    kind: int  # BOX, DISCRETE, MULTI_DISCRETE
    dimensions: tuple

    @property
    def size(self):
        return len(self.dimensions)

    @property
    def choices(self):
        return 0 if self.kind == BOX else sum(dimension.choices for dimension in self.dimensions)

    @property
    def shape(self):
        """Of one value as a user gives it: a single choice is a number."""
        return () if self.kind == DISCRETE else (self.size,)

    @classmethod
    def _of(cls, space):
        dimensions = (space.dimensions[i] for i in range(space.size))
        return cls(
            space.kind,
            tuple(Dimension(d.name.decode(), d.unit.decode(), d.low, d.high, d.choices) for d in dimensions),
        )


class _Description:
    """What is the same of every environment that was made alike."""

    def __init__(self, env):
        env = env.contents
        self.observation_space = Space._of(env.observation)
        self.action_space = Space._of(env.action)
        self.terms = tuple(
            Term(t.name.decode(), t.unit.decode(), t.description.decode(), t.reward)
            for t in (env.terms[i] for i in range(env.term_count))
        )
        self.coefficients = tuple(env.coefficient_names[i].decode() for i in range(env.coefficient_count))
        self.parameters = json.loads(env.parameters)
        self.masked = c.library().weir_env_masks(env)


def _json(parameters):
    if parameters is None or isinstance(parameters, str):
        return None if parameters is None else parameters.encode()
    return json.dumps(parameters).encode()


def _pointer(array, kind):
    return array.ctypes.data_as(POINTER(kind))


def _filled(target, shape, values, what):
    """Copies `values`, of this shape, to the buffer `target`."""
    try:
        given = numpy.asarray(values, dtype=numpy.float32)
    except (TypeError, ValueError) as error:
        raise c.InputError(f"{what}: expected numbers of shape {shape}: {error}") from None
    if given.shape != shape and given.shape != target.shape:
        raise c.InputError(f"{what}: expected shape {shape}, got {given.shape}")
    target[...] = given.reshape(target.shape)


def _seed(seed):
    """As the library takes it."""
    try:
        seed = operator.index(seed)
    except TypeError:
        raise c.InputError(f"seed: expected an integer, got {seed!r}") from None
    if not 0 <= seed < 2**64:
        raise c.InputError(f"seed: expected an integer from 0 to 2^64 - 1, got {seed}")
    return seed


def _start(seed, evaluation, episode):
    """A number of the fixed list stands for evaluation, too."""
    try:
        number = -1 if episode is None else operator.index(episode)
    except TypeError:
        raise c.InputError(f"episode: expected an integer, got {episode!r}") from None
    return c.EnvStart(_seed(seed), bool(evaluation) or number >= 0, number)


def _remake(cls, arguments):
    return cls(**arguments)


class _Closable:
    """Owns something of the library, which is freed once."""

    _handle = None

    def _open(self):
        if self._handle is None:
            raise c.InputError("the environment is closed")
        return self._handle

    def close(self):
        handle, self._handle = self._handle, None
        if handle is not None:
            self._free(handle)

    def __del__(self):
        self.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __reduce__(self):
        """Made anew with the same arguments: where an episode stands is not kept."""
        return _remake, (type(self), dict(self._arguments))


class Environment(_Closable):
    """One environment. `kind` is one of weir.gym.kinds(), `parameters` a dict of its keys.

    With `strict`, a check of a step that does not hold raises CheckError; without, `failed` names it.
    """

    def __init__(self, kind, parameters=None, *, strict=True):
        self._library = c.library()
        self._free = self._library.weir_env_close
        self._error = c.WeirError()
        handle = POINTER(c.Env)()
        status = self._library.weir_env_create(
            str(kind).encode(), _json(parameters), b"parameters", byref(handle), byref(self._error)
        )
        c.check(status, self._error)
        handle.contents.strict = bool(strict)
        self._handle, self.kind = handle, kind
        self.description = _Description(handle)
        self._arguments = {"kind": kind, "parameters": self.description.parameters, "strict": strict}
        self._outcome = c.EnvOutcome()
        self._observation = numpy.zeros(self.observation_space.size, numpy.float32)
        self._action = numpy.zeros(self.action_space.size, numpy.float32)
        self._action_shape = self.action_space.shape
        self._terms = numpy.zeros(len(self.terms), numpy.float64)
        self._mask = numpy.zeros(self.action_space.choices, numpy.uint8)
        self._pointers = _pointer(self._action, c_float), _pointer(self._observation, c_float)

    observation_space = property(lambda self: self.description.observation_space)
    action_space = property(lambda self: self.description.action_space)
    terms = property(lambda self: self.description.terms)

    def reset(self, seed=0, *, evaluation=False, episode=None):
        """Begins an episode and gives its first observation. In `evaluation` it is one of a fixed list: number
        `episode`, or one drawn by the seed."""
        start = _start(seed, evaluation, episode)
        status = self._library.weir_env_reset(self._open(), byref(start), self._pointers[1], byref(self._error))
        c.check(status, self._error)
        return self._observation.copy()

    def step(self, action):
        """(observation, reward, terminated, truncated); the observation is the caller's to keep."""
        handle, outcome = self._open(), self._outcome
        _filled(self._action, self._action_shape, action, "action")
        status = self._library.weir_env_step(handle, *self._pointers, byref(outcome), byref(self._error))
        if status != 0:
            c.check(status, self._error)
        return self._observation.copy(), outcome.reward, outcome.terminated, outcome.truncated

    def info(self):
        """The terms of the last step by name. A figure that there was nothing to make of is left out."""
        handle = self._open()
        if not self.terms:
            return {}
        self._library.weir_env_info(handle, _pointer(self._terms, c_double))
        return {
            term.name: value
            for term, value, finite in zip(self.terms, self._terms.tolist(), numpy.isfinite(self._terms))
            if finite
        }

    def mask(self):
        """1 where a choice may be taken next, of all dimensions in their order."""
        self._library.weir_env_mask(self._open(), _pointer(self._mask, c_uint8))
        return self._mask.copy()

    @property
    def failed(self):
        """The names of the checks of the last step that do not hold."""
        return tuple(name for bit, name in enumerate(c.checks()) if self._outcome.failed >> bit & 1)

    def set_coefficient(self, name, value):
        if not self._library.weir_env_set_coefficient(self._open(), name.encode(), value):
            raise c.InputError(f"no coefficient {name!r}; there are {list(self.description.coefficients)}")


class Environments(_Closable):
    """`count` environments that are stepped together, over `threads` (0: one for each processor).

    What they give lies in the arrays observations, rewards, terminated, truncated, final_observations, masks, info
    and failed, which every step overwrites. With auto_reset (the default) an episode that ended is begun anew in the
    same step: its last observation is in its row of final_observations, info is that of before.
    """

    def __init__(
        self,
        kind,
        count=1,
        parameters=None,
        *,
        seed=None,
        threads=0,
        strict=True,
        evaluation=False,
        auto_reset=True,
    ):
        self._library = c.library()
        self._free = self._library.weir_vector_destroy
        self._error = c.WeirError()
        count, threads = operator.index(count), operator.index(threads)
        if count < 1 or threads < 0:
            raise c.InputError(f"expected at least 1 environment and 0 threads, got {count} and {threads}")
        if seed is None:
            seed = numpy.random.SeedSequence().generate_state(1, numpy.uint64)[0]
        options = c.VectorOptions(count, threads, _seed(seed), strict, evaluation, auto_reset)
        handle = c_void_p()
        status = self._library.weir_vector_create(
            str(kind).encode(), _json(parameters), b"parameters", byref(options), byref(handle), byref(self._error)
        )
        c.check(status, self._error)
        self._handle, self.kind, self.count = handle, kind, count
        self.description = _Description(self._library.weir_vector_env(handle, 0))
        self._arguments = {
            "kind": kind,
            "count": count,
            "parameters": self.description.parameters,
            "seed": int(seed),
            "threads": threads,
            "strict": strict,
            "evaluation": evaluation,
            "auto_reset": auto_reset,
        }
        self._make_buffers()

    observation_space = property(lambda self: self.description.observation_space)
    action_space = property(lambda self: self.description.action_space)
    terms = property(lambda self: self.description.terms)

    def _make_buffers(self):
        n, observed = self.count, self.observation_space.size
        self.observations = numpy.zeros((n, observed), numpy.float32)
        self.rewards = numpy.zeros(n, numpy.float64)
        self.terminated = numpy.zeros(n, numpy.bool_)
        self.truncated = numpy.zeros(n, numpy.bool_)
        self.final_observations = numpy.zeros((n, observed), numpy.float32)
        self.masks = numpy.ones((n, self.action_space.choices), numpy.uint8)
        self.info = numpy.zeros((n, len(self.terms)), numpy.float64)
        self.failed = numpy.zeros(n, numpy.uint32)
        self._actions = numpy.zeros((n, self.action_space.size), numpy.float32)
        self._pointer = _pointer(self._actions, c_float)
        self._buffers = c.VectorBuffers(
            _pointer(self.observations, c_float),
            _pointer(self.rewards, c_double),
            _pointer(self.terminated, c_uint8),
            _pointer(self.truncated, c_uint8),
            _pointer(self.final_observations, c_float),
            _pointer(self.masks, c_uint8),
            _pointer(self.info, c_double),
            _pointer(self.failed, c_uint32),
        )

    def reset(self):
        """Begins the next episode in each; the first ones come from the seed."""
        status = self._library.weir_vector_reset(self._open(), byref(self._buffers), byref(self._error))
        c.check(status, self._error)

    def reset_one(self, number, seed=0, *, evaluation=False, episode=None):
        """Begins an episode in one, and the drawing of those that follow from this seed."""
        if not 0 <= number < self.count:
            raise c.InputError(f"environment {number}: there are {self.count}")
        start = _start(seed, evaluation, episode)
        row = _pointer(self.observations[number], c_float)
        status = self._library.weir_vector_reset_one(self._open(), number, byref(start), row, byref(self._error))
        c.check(status, self._error)
        if self.description.masked:
            env = self._library.weir_vector_env(self._handle, number)
            self._library.weir_env_mask(env, _pointer(self.masks[number], c_uint8))

    def step(self, actions):
        """One step of all; what it gives is in the arrays. The GIL is not held meanwhile."""
        handle = self._open()
        _filled(self._actions, (self.count, *self.action_space.shape), actions, "actions")
        status = self._library.weir_vector_step(handle, self._pointer, byref(self._buffers), byref(self._error))
        c.check(status, self._error)

    def set_coefficient(self, name, value):
        if not self._library.weir_vector_set_coefficient(self._open(), name.encode(), value):
            raise c.InputError(f"no coefficient {name!r}; there are {list(self.description.coefficients)}")
