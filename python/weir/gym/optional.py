"""Packages that only some of weir.gym needs."""

import importlib


def optional(name):
    """The module `name`; ImportError that says what of weir.gym works without it."""
    package = name.split(".")[0]
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        raise ImportError(
            f"this part of weir.gym needs {package}, which this Python does not have ('pip install {package}'); "
            "weir.gym.Environment and weir.gym.Environments work without",
            name=package,
        ) from None
