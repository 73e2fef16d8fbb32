"""Memory that is kept, not given back and asked for anew, by a process that trains.

XLA asks for each large array of a step afresh. glibc hands arrays of more than a few megabytes back to the
system at once, and a fresh page costs more than the arithmetic on it: a step of a network with convolutions
took a tenth longer. glibc reads its settings only at the start of a process, so it starts again, once, before
it has imported anything. Importing `threestep` changes nothing.
"""

import os
import sys
from collections.abc import Mapping
from contextlib import suppress

_NAME = "GLIBC_TUNABLES"
_KEEP_ALL = 10**12  # bytes
KEPT = (
    f"glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold={_KEEP_ALL}:glibc.malloc.trim_threshold={_KEEP_ALL}"
)
"""The settings, for `GLIBC_TUNABLES`."""
_TRAINING = ("fit", "study")


def keep_memory(words: list[str], environment: Mapping[str, str] = os.environ) -> None:
    """Start the process again with these settings, if its command trains and nobody has chosen others.

    Parameters
    ----------
    words : list of str
        The command line without the program's name.
    environment : mapping of str to str
    """
    is_training = words[:1] in [[word] for word in _TRAINING]
    if not is_training or _NAME in environment or not sys.executable or not _has_glibc():
        return
    with suppress(OSError, ValueError):  # it works without, slower
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], {**environment, _NAME: KEPT})


def _has_glibc() -> bool:
    """Whether this is Linux with glibc: elsewhere the settings say nothing."""
    try:
        return "glibc" in (os.confstr("CS_GNU_LIBC_VERSION") or "")
    except (AttributeError, ValueError, OSError):
        return False
