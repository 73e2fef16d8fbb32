"""The entry point: words to a command, a command to its work, a mistake to a message."""

import atexit
import os
import re
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import fields
from difflib import get_close_matches
from errno import ENOSPC
from functools import partial
from io import StringIO, TextIOWrapper
from typing import Any, NoReturn, TextIO, cast, get_args

import tyro

from threestep.app.commands import Command, Doctor, Evaluate, Example, Explain, Export, Fit, Predict, Study
from threestep.app.lines import say
from threestep.app.options import option_names
from threestep.devices import is_compiling
from threestep.errors import ReportError, UserError, did_you_mean
from threestep.settings import Settings
from threestep.settings import Study as StudySettings
from threestep.version import __version__

_INTERRUPTED = 130
_WHOLE_HELP = re.compile(r"For full helptext, (see|run) threestep( \w+)? --help")
_MISSING = re.compile(r"Missing from (threestep \w+): (\S+)")
_WRONG_VALUE = re.compile(r"Error parsing (\S+): no type matching (.+?) could be instantiated from \[(.+?)\]")


def main(words: Sequence[str] | None = None, began: float | None = None) -> int:
    """Run one command; returns the exit code: 0 done, 1 a model without its report, 2 a mistake of the
    user's, 130 interrupted.

    Parameters
    ----------
    words : sequence of str or None
        The command line without the program's name; None takes the process's own.
    began : float or None
        When a budget began, on the clock of `time.perf_counter`; None: now.
    """
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without → or × shows ?
    words = list(sys.argv[1:] if words is None else words)
    if words == ["--version"]:
        print(__version__)
        return 0
    try:
        command = _parsed(words or ["--help"])
        out = sys.stdout if isinstance(command, Predict) else cast(TextIO, _Patient(sys.stdout))
        with redirect_stdout(out):
            _work_of(command, began)(command)
        sys.stdout.flush()  # a reader that has gone must be noticed here
    except UserError as error:
        _complain(error.message, error.hint)
        return 2
    except ReportError as error:
        if not isinstance(error.__cause__, (OSError, UserError)):  # a bug of ours
            traceback.print_exception(error.__cause__)
        _complain(error.message, error.hint)
        return 1
    except KeyboardInterrupt as interrupt:
        _complain("interrupted", str(interrupt))
        return _INTERRUPTED
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        _hear_no_more()
    except (OSError, RuntimeError) as error:
        _complain_of_machine(error)
        return 2
    return 0


def _complain_of_machine(error: OSError | RuntimeError) -> None:
    """Say what is wrong with the machine; any other error is a bug of ours."""
    if isinstance(error, OSError) and error.errno == ENOSPC:
        _complain(f"the output cannot be written ({error.strerror})", "make room on the disk")
    elif "initialize backend" in str(error):
        _complain(f"JAX has no such device: {error}", "JAX_PLATFORMS says which it takes; `cpu` works always")
    else:
        raise error


class _Patient:
    """Standard output for what makes more than its lines: when their reader has gone, such as `head`, the
    work goes on unheard. The answers of `predict` are all that it makes."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return self._heard(partial(self._stream.write, text)) or len(text)

    def flush(self) -> None:
        self._heard(self._stream.flush)

    def _heard(self, say: Callable[[], int | None]) -> int | None:
        try:
            return say()
        except BrokenPipeError:
            _hear_no_more()
            return None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _Colourless(_Patient):
    """Standard output to which nobody writes colours, for it says that it is no terminal."""

    def isatty(self) -> bool:
        return False


def _uncoloured(stream: TextIO) -> TextIO:
    """The stream; without colours, if the user wants none (https://no-color.org)."""
    return cast(TextIO, _Colourless(stream)) if os.environ.get("NO_COLOR") else stream


def _hear_no_more() -> None:
    """What is still to be said goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno() if sys.__stdout__ else 1)


def run() -> NoReturn:
    """Be the process: run one command and end at once.

    A compile that nobody needs any more may still go on in another thread. It cannot be broken off, and
    the interpreter's usual end would wait for it, beyond the budget; and where nothing goes on, that end
    takes half a second to undo what the system undoes at once. So it is left out, but for what waits to be
    called at an exit. An interrupt may come while a device computes: then not even that.
    """
    try:
        # until now the process has done little but compute, so that its time is that since its start
        code = main(began=time.perf_counter() - time.process_time())
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else 0 if left.code is None else 1
    except BaseException:
        traceback.print_exc()
        code = 1
    with suppress(OSError, ValueError):  # a reader that has gone
        sys.stdout.flush()
    with suppress(OSError, ValueError):
        sys.stderr.flush()
    if code != _INTERRUPTED and not is_compiling():
        atexit._run_exitfuncs()
    os._exit(code)


def _check_once(words: list[str]) -> None:
    """Refuse an option of several values that is given twice: the later ones would hide the earlier.

    Raises
    ------
    UserError
    """
    settings = (*fields(Settings), *fields(StudySettings))
    of_several = {"--" + field.name.replace("_", "-") for field in settings if "tuple" in str(field.type)}
    options = [_option_of(word) for word in words if word.startswith("--")]
    for option in options:
        if option in of_several and options.count(option) > 1:
            hint = f"give all of it at once, such as `{option} ONE TWO`, or leave one out"
            raise UserError(f"{option} is given twice", hint)


def _option_of(word: str) -> str:
    """Which option a word such as `--batch_size=8` gives."""
    return word.split("=")[0].replace("_", "-")


def _check_known(words: list[str]) -> None:
    """Refuse a command, or an option of it, that there is not, with the nearest one as a hint.

    Raises
    ------
    UserError
    """
    commands = {each.__name__.lower(): each for each in get_args(Command)}
    name, *others = words
    if name not in commands:
        if not name.startswith("-"):
            raise UserError(f"there is no command {name!r}", did_you_mean(name, commands))
        return
    known = ["--help", *option_names(commands[name])]
    for word in others:
        option = _option_of(word)
        if word.startswith("--") and word != "--" and option not in known:
            near = get_close_matches(option, known, n=1, cutoff=0.7)
            raise UserError(
                f"`threestep {name}` has no option {option}",
                f"did you mean {near[0]}?" if near else f"threestep {name} --help",
            )
    if name == "fit" and len(others) > 1 and not any(word.startswith("-") for word in others[:2]):
        hint = f"the column to predict is named by an option: --target {others[1]}"
        if os.path.exists(others[1]):
            hint = "put all samples into one file, or give one of them"
        raise UserError(f"got two words, {others[0]!r} and {others[1]!r}, expected one: the data", hint)


def _with_python_words(words: list[str]) -> list[str]:
    """Behind a switch that may be left to the data, true and false as Python writes them.

    Examples
    --------
    >>> _with_python_words(["fit", "true", "--flip", "true", "--convolutions=FALSE"])
    ['fit', 'true', '--flip', 'True', '--convolutions=False']
    """
    switches = {f"--{each.name}" for each in fields(Settings) if bool in get_args(each.type)}
    said = list[str]()
    for word in words:
        name, mark, value = word.rpartition("=")
        option = name if mark else "".join(said[-1:])
        is_switched = option in switches and value.lower() in ("true", "false")
        said.append(name + mark + (value.capitalize() if is_switched else value))
    return said


def _parsed(words: list[str]) -> Command:
    """The command that the words describe; leaves with code 2 if they describe none."""
    _check_known(words)
    _check_once(words)
    words = _with_python_words(words)
    config = (tyro.conf.FlagCreatePairsOff, tyro.conf.OmitSubcommandPrefixes, tyro.conf.OmitArgPrefixes)
    said = StringIO()
    try:
        with redirect_stderr(said), redirect_stdout(_uncoloured(sys.stdout)):
            return tyro.cli(  # pyright: ignore[reportReturnType]
                Command,  # pyright: ignore[reportArgumentType, reportCallIssue]
                prog="threestep",
                description="The best neural network for labelled data, by the three steps of deep learning.",
                args=words,
                config=config,
            )
    except SystemExit as left:
        if left.code:
            message, hint = _unboxed(said.getvalue())
            name = "" if words[0].startswith("-") else f" {words[0]}"
            _complain(message, _WHOLE_HELP.sub(f"threestep{name} --help", hint))
        raise


def _unboxed(text: str) -> tuple[str, str]:
    """Message and hint of what tyro says of a mistake in the words: in a box, or, where none can be drawn,
    below a title and a line.

    Examples
    --------
    >>> _unboxed("╭─ Oops ─╮\\n│ no such thing: --sed │\\n│ ─── │\\n│ Perhaps: --seed │\\n╰──╯")
    ('no such thing: --sed', 'Perhaps: --seed')
    >>> _unboxed(" Oops \\n ---- \\n  no such thing: --sed \\n ---- \\n  Perhaps: --seed \\n")
    ('no such thing: --sed', 'Perhaps: --seed')
    """
    paragraphs = [""]
    for line in text.splitlines():
        inside = line.strip("│ ")
        if inside and not inside.strip("─-"):
            paragraphs.append("")
        elif not line.startswith(("╭", "╰")):
            paragraphs[-1] += f" {inside}"
    message, *hints = [" ".join(each.split()) for each in paragraphs[0 if "│" in text else 1 :]]
    if wrong := _WRONG_VALUE.match(message):
        option, kinds, got = wrong.groups()
        kinds = re.sub(r"\{(\w+( \w+)+)\}", r"\1, with a space between", kinds.removeprefix("{None}|"))
        return f"{option} is {got}; must be {kinds}", hints[-1]
    if missing := _MISSING.match(message):
        command, what = missing.groups()
        return f"`{command}` needs {what}", f"{command} --help"
    return message, "; ".join(hint for hint in hints if hint) or "threestep --help"


def _work_of(command: Command, began: float | None) -> Callable[[Any], None]:
    """The function that does a command's work; imported only now, for it may start JAX."""
    from threestep.app import work

    workers: dict[type, Callable[[Any], None]] = {
        Fit: partial(work.fit, began=began),
        Study: work.study,
        Predict: work.predict,
        Evaluate: work.evaluate,
        Explain: work.explain,
        Export: work.export,
        Example: work.example,
        Doctor: work.doctor,
    }
    return workers[type(command)]


def _complain(message: str, hint: str) -> None:
    """Say on stderr what is wrong and what to do."""
    for name, text in (("error", message), ("hint", hint)):
        if text:
            say(f"{name}: {text}", later=" " * len(f"{name}: "), file=sys.stderr)
