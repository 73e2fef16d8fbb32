"""Names of data that cannot be read as they are, and what to do with each."""

import re
from pathlib import PurePath

_ADDRESS = r"[A-Za-z][A-Za-z0-9+.-]+://"
_HINTS = {
    (".zip", ".bz2", ".xz", ".zst", ".7z", ".rar", ".tar", ".tar.gz", ".tgz"): (
        "unpack it first; only .csv.gz and .tsv.gz are read as they are"
    ),
    (".xlsx", ".xls", ".xlsm", ".ods", ".numbers"): (
        "save a table as CSV, or hand over a data frame: threestep.fit(pandas.read_excel(...))"
    ),
    (".json", ".json.gz"): "save it as .jsonl, one record a line, or as CSV",
    (".pkl", ".pickle", ".h5", ".hdf5", ".mat", ".sav", ".dta", ".sas7bdat", ".feather", ".arrow"): (
        "load it in Python and hand over the data frame or the arrays: threestep.fit(frame)"
    ),
}


def is_no_path(name: str) -> bool:
    """Whether a name is standard input's or an address of the web rather than a file's."""
    return name == "-" or name.startswith(("/dev/stdin", "/dev/fd/")) or re.match(_ADDRESS, name) is not None


def is_packed(name: str) -> bool:
    """Whether a name in small letters is that of a packed file of another kind than arrays."""
    return name.endswith((".tar.gz", ".json.gz"))


def hint_for(name: str) -> str | None:
    """What to do with data of such a name; None: nothing is known of it.

    Examples
    --------
    >>> hint_for("-")
    'standard input is not read: write it to a file first, such as `... > table.csv`'
    >>> hint_for("https://example.org/table.csv")
    'nothing is fetched from the web: download it first, such as `curl -O https://example.org/table.csv`'
    >>> hint_for("table.csv.bz2")
    'unpack it first; only .csv.gz and .tsv.gz are read as they are'
    >>> hint_for("table.csv") is None
    True
    """
    if is_no_path(name):
        if re.match(_ADDRESS, name) and not name.lower().startswith(("http", "ftp")):
            return "copy it to this machine first"
        if re.match(_ADDRESS, name):
            return f"nothing is fetched from the web: download it first, such as `curl -O {name}`"
        return "standard input is not read: write it to a file first, such as `... > table.csv`"
    if not PurePath(name).suffix:
        return "if it is a table, give its name the ending .csv"
    return next((hint for endings, hint in _HINTS.items() if name.lower().endswith(endings)), None)
