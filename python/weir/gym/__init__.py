"""weir's environments in Python, by ctypes over libweir.

    import gymnasium
    import weir.gym

    env = gymnasium.make("weir/CartPole-v0")

Environment and Environments need NumPy alone; Env and VectorEnv gymnasium; SB3VecEnv Stable-Baselines3 with it.
docs/gym.md shows more.
"""

import importlib

from .core import Dimension, Environment, Environments, Space, Term
from .library import CheckError, Error, InputError, checks, kinds

__all__ = [
    "CheckError",
    "Dimension",
    "Env",
    "Environment",
    "Environments",
    "Error",
    "InputError",
    "SB3VecEnv",
    "Space",
    "Term",
    "VectorEnv",
    "checks",
    "environment_id",
    "kinds",
]

# What needs more than NumPy is imported when it is first asked for.
_LATER = {"Env": ".environments", "VectorEnv": ".environments", "SB3VecEnv": ".sb3"}


def __getattr__(name):
    if name in _LATER:
        return getattr(importlib.import_module(_LATER[name], __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def environment_id(kind):
    """What gymnasium calls it: "weir/CartPole-v0"."""
    name = {"cartpole": "CartPole"}.get(kind) or "".join(part.capitalize() for part in kind.split("_"))
    return f"weir/{name}-v0"


def _register():
    """Tells gymnasium, where there is one, of all environments."""
    try:
        import gymnasium
    except ModuleNotFoundError as error:
        if error.name != "gymnasium":
            raise
        return
    for kind in kinds():
        gymnasium.register(
            id=environment_id(kind),
            entry_point=f"{__name__}.environments:Env",
            vector_entry_point=f"{__name__}.environments:VectorEnv",
            kwargs={"kind": kind},
            reward_threshold={"cartpole": 475.0}.get(kind),
        )


_register()
