"""libweir through ctypes: where it is, its structs, its functions, its errors."""

import ctypes
import functools
import glob
import os
from ctypes import POINTER, Structure, c_bool, c_char, c_char_p, c_double, c_float, c_int, c_int64, c_size_t, c_uint
from ctypes import c_uint8, c_uint32, c_uint64, c_void_p


class Error(Exception):
    """Something that libweir did not do; `status` is its weir_status."""

    status = None


class InputError(Error, ValueError):
    """What it was given is wrong: an unknown name, a parameter, an action outside its space, a step out of turn."""


class CheckError(Error, RuntimeError):
    """A check of a step does not hold: the environment, or its agent's view of it, is broken."""


_ERRORS = {1: InputError, 2: Error, 3: MemoryError, 4: KeyboardInterrupt, 5: CheckError}


class WeirError(Structure):
    _fields_ = [("status", c_int), ("where", c_char * 512), ("message", c_char * 1024)]


class Dimension(Structure):
    _fields_ = [("name", c_char_p), ("unit", c_char_p), ("low", c_float), ("high", c_float), ("choices", c_uint32)]


class Space(Structure):
    _fields_ = [("kind", c_int), ("size", c_size_t), ("dimensions", POINTER(Dimension))]


class InfoTerm(Structure):
    _fields_ = [("name", c_char_p), ("unit", c_char_p), ("description", c_char_p), ("reward", c_bool)]


class EnvStart(Structure):
    _fields_ = [("seed", c_uint64), ("evaluation", c_bool), ("episode", c_int64)]


class EnvOutcome(Structure):
    _fields_ = [
        ("reward", c_double),
        ("terminated", c_bool),
        ("truncated", c_bool),
        ("failed", c_uint32),
        ("step", c_uint64),
        ("applied", c_uint64),
    ]


class Env(Structure):
    _fields_ = [
        ("type", c_void_p),
        ("observation", Space),
        ("action", Space),
        ("terms", POINTER(InfoTerm)),
        ("term_count", c_size_t),
        ("coefficient_names", POINTER(c_char_p)),
        ("coefficients", POINTER(c_double)),
        ("coefficient_count", c_size_t),
        ("checks", c_uint),
        ("state_size", c_size_t),
        ("task", c_char_p),
        ("state", c_void_p),
        ("parameters", c_char_p),
        ("strict", c_bool),
        ("running", c_bool),
        ("steps", c_uint64),
        ("failure", c_char * 1024),
    ]


class VectorOptions(Structure):
    _fields_ = [
        ("count", c_size_t),
        ("threads", c_size_t),
        ("seed", c_uint64),
        ("strict", c_bool),
        ("evaluation", c_bool),
        ("auto_reset", c_bool),
    ]


class VectorBuffers(Structure):
    _fields_ = [
        ("observations", POINTER(c_float)),
        ("rewards", POINTER(c_double)),
        ("terminated", POINTER(c_uint8)),
        ("truncated", POINTER(c_uint8)),
        ("final_observations", POINTER(c_float)),
        ("masks", POINTER(c_uint8)),
        ("info", POINTER(c_double)),
        ("failed", POINTER(c_uint32)),
    ]


# In the order of rl/abi.h.
_STRUCTS = {
    "weir_error": WeirError,
    "weir_dimension": Dimension,
    "weir_space": Space,
    "weir_info_term": InfoTerm,
    "weir_env_start": EnvStart,
    "weir_env_outcome": EnvOutcome,
    "weir_env": Env,
    "weir_vector_options": VectorOptions,
    "weir_vector_buffers": VectorBuffers,
}

_FUNCTIONS = {
    "weir_env_create": (c_int, c_char_p, c_char_p, c_char_p, POINTER(POINTER(Env)), POINTER(WeirError)),
    "weir_env_close": (None, POINTER(Env)),
    "weir_env_reset": (c_int, POINTER(Env), POINTER(EnvStart), POINTER(c_float), POINTER(WeirError)),
    "weir_env_step": (
        c_int,
        POINTER(Env),
        POINTER(c_float),
        POINTER(c_float),
        POINTER(EnvOutcome),
        POINTER(WeirError),
    ),
    "weir_env_masks": (c_bool, POINTER(Env)),
    "weir_env_mask": (None, POINTER(Env), POINTER(c_uint8)),
    "weir_env_info": (None, POINTER(Env), POINTER(c_double)),
    "weir_env_set_coefficient": (c_bool, POINTER(Env), c_char_p, c_double),
    "weir_vector_create": (
        c_int,
        c_char_p,
        c_char_p,
        c_char_p,
        POINTER(VectorOptions),
        POINTER(c_void_p),
        POINTER(WeirError),
    ),
    "weir_vector_destroy": (None, c_void_p),
    "weir_vector_env": (POINTER(Env), c_void_p, c_size_t),
    "weir_vector_reset": (c_int, c_void_p, POINTER(VectorBuffers), POINTER(WeirError)),
    "weir_vector_reset_one": (c_int, c_void_p, c_size_t, POINTER(EnvStart), POINTER(c_float), POINTER(WeirError)),
    "weir_vector_step": (c_int, c_void_p, POINTER(c_float), POINTER(VectorBuffers), POINTER(WeirError)),
    "weir_vector_set_coefficient": (c_bool, c_void_p, c_char_p, c_double),
}


def layout():
    """What weir_env_abi gives where the structs above lie as those of the library."""
    value = 0xCBF29CE484222325
    for record, structure in _STRUCTS.items():
        for field, *_ in structure._fields_:
            at = getattr(structure, field)
            for byte in f"{record}.{field} {at.offset} {at.size};".encode():
                value = (value ^ byte) * 0x100000001B3 % 2**64
    return value


def _candidates():
    """Where the library may be: beside an installed package, or in the build of a source tree."""
    root = os.path.abspath(os.path.join(os.path.dirname(__file__), *[os.pardir] * 3))
    yield from (os.path.join(root, "build", preset, "libweir.so") for preset in ("release", "release-clang"))
    prefix = os.path.abspath(os.path.join(root, os.pardir, os.pardir))
    for pattern in ("lib/libweir.so.0", "lib64/libweir.so.0", "lib/*/libweir.so.0"):
        yield from sorted(glob.glob(os.path.join(glob.escape(prefix), pattern)))


def find():
    """The path of the library, or its bare name for the loader to find."""
    named = os.environ.get("WEIR_LIBRARY")
    if named:
        return named
    return next((path for path in _candidates() if os.path.exists(path)), "libweir.so.0")


@functools.lru_cache(maxsize=None)
def library():
    """libweir, loaded once; ImportError where it is missing or another version."""
    path = find()
    try:
        loaded = ctypes.CDLL(path)
    except OSError as error:
        raise ImportError(
            f"weir.gym needs libweir, and cannot load {path}: {error}; build it (cmake --preset release, ninja -C "
            "build/release weir_shared) or name it: WEIR_LIBRARY=/path/to/libweir.so"
        ) from None
    try:
        loaded.weir_env_abi.restype = c_uint64
        same = loaded.weir_env_abi() == layout()
    except AttributeError:
        same = False
    if not same:
        raise ImportError(f"{path} is of another version of weir than this package, {os.path.dirname(__file__)}")
    for name, (result, *arguments) in _FUNCTIONS.items():
        function = getattr(loaded, name)
        function.restype, function.argtypes = result, arguments
    return loaded


def _names(symbol):
    """A NULL-terminated array of strings that the library exports."""
    address = ctypes.addressof(c_char_p.in_dll(library(), symbol))
    array, names = ctypes.cast(address, POINTER(c_char_p)), []
    while array[len(names)] is not None:
        names.append(array[len(names)].decode())
    return tuple(names)


@functools.lru_cache(maxsize=None)
def kinds():
    """The names of all environments."""
    return _names("weir_env_names")


@functools.lru_cache(maxsize=None)
def checks():
    """The names of what is checked of every step, by bit."""
    return _names("weir_env_check_names")


def check(status, error):
    """Raises what `error` says unless `status` is that of success."""
    if status == 0:
        return
    where = error.where.decode("utf-8", "replace")
    message = error.message.decode("utf-8", "replace")
    raised = _ERRORS.get(status, Error)(f"{where}: {message}" if where else message)
    if isinstance(raised, Error):
        raised.status = status
    raise raised
