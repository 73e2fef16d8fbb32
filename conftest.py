"""For every test, also the README's and the docstrings' examples."""

import pytest
from _pytest.doctest import DoctestItem


@pytest.fixture(autouse=True)
def _examples_write_elsewhere(request, tmp_path, monkeypatch):
    """Examples run in an empty folder, so that what they save is not left lying about."""
    if isinstance(request.node, DoctestItem):
        monkeypatch.chdir(tmp_path)
