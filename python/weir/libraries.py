"""The libraries that weir stands on, imported when they are first needed."""

import importlib


def library(name):
    """The module `name`; ImportError with the Debian package to install where it is missing."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise ImportError(
            f"weir reads runs with {name}, which this Python does not have; on Debian and Ubuntu "
            f"'apt-get install python3-{name}' installs it for /usr/bin/python3",
            name=name,
        ) from None
