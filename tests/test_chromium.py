"""The pages in a real browser: nothing is asked of a network, nothing is complained of, no name is run."""

import re
import shutil
import subprocess

import numpy as np
import pytest

import threestep as ts

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--enable-logging=stderr",
    "--virtual-time-budget=2000",
    "--dump-dom",
)
_ITS_OWN = (
    r"https?://[\w.-]*\b(google|googleapis|gstatic|gvt1)\.com/"  # whatever the browser asks for by itself
)
EVIL = "<script>document.title='run'</script>"

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """A run, an explanation and a comparison of samples with names that are trouble."""
    folder, rng = tmp_path_factory.mktemp("pages"), np.random.default_rng(0)
    a, b = rng.normal(size=(2, 120))
    classes = np.where(a * b > 0, EVIL, "no & <b>no</b>").astype(object)
    columns = {EVIL: a, "b": b, "y": classes}
    run = ts.fit(columns, target="y", network="8", epochs=5, out=folder / "run")
    ts.explain(run.model, columns, row=3, out=folder / "layers")
    ts.compare("width", columns, target="y", widths=(8, 16), seeds=2, epochs=2, out=folder / "width")
    return folder


def opened(path, tmp_path) -> tuple[str, str, set[str]]:
    """The page as the browser has it, what its console says, and what it asked for."""
    log = tmp_path / "net.json"
    words = [
        str(CHROMIUM),
        *FLAGS,
        f"--user-data-dir={tmp_path}/profile",
        f"--log-net-log={log}",
        path.as_uri(),
    ]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=True)
    console = "\n".join(line for line in done.stderr.splitlines() if "CONSOLE" in line)
    asked = set(re.findall(r'"url":"(https?://[^"]+)"', log.read_text("utf-8")))
    return done.stdout, console, {url for url in asked if not re.match(_ITS_OWN, url)}


def test_the_console_of_a_page_that_fails_says_so(tmp_path):
    """Else the tests below could not fail."""
    page = tmp_path / "bad.html"
    page.write_text("<img src='https://example.org/a.png'><script>nothing()</script>")
    _, console, asked = opened(page, tmp_path)
    assert "nothing is not defined" in console
    assert asked == {"https://example.org/a.png"}


@pytest.mark.parametrize("name", ["run", "layers", "width"])
def test_every_page_opens_without_a_complaint_or_a_request(pages, name, tmp_path):
    page, console, asked = opened(pages / name / "report.html", tmp_path)
    assert console == ""
    assert asked == set()
    assert "<title>run</title>" not in page
    assert "</html>" in page
