"""What the user should know of a folder of pictures or sounds: what was read, and what was not."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from threestep.data.folder_layout import Contents, Sample, readable, unread
from threestep.data.media import Media
from threestep.data.sound_files import n_longer

_MOST_NAMED, _MOST_NAMED_STRICT = 5, 100


def name_of(file: Path, path: Path) -> str:
    """A file as it is called below the folder; one that lies elsewhere, by its whole name."""
    if file == path:
        return readable(file.name)
    return readable((file.relative_to(path) if file.is_relative_to(path) else file).as_posix())


def reason_of(error: Exception) -> str:
    """Why a decoder could not read a file, on one line."""
    why = isinstance(error, OSError) and error.strerror  # without the file's name, which is told beside it
    return " ".join(readable(why or str(error)).split()) or type(error).__name__


def named_broken(files: Sequence[Path], broken: dict[int, str], path: Path, strict: bool = False) -> str:
    """Files that are damaged, and why they could not be read; of many the first."""
    most = _MOST_NAMED_STRICT if strict else _MOST_NAMED
    named = "; ".join(f"{name_of(files[row], path)} ({why})" for row, why in list(broken.items())[:most])
    return named + (f" and {len(broken) - most} more" if len(broken) > most else "")


def notes_on_files(files: Sequence[Path], broken: dict[int, str], media: Media, path: Path) -> Iterator[str]:
    """What was found, what was left out as damaged, and what of it is not looked at."""
    yield f"{_files(len(files) - len(broken))} read as {media}"
    if broken:
        yield f"{len(broken)} damaged file(s) left out: {named_broken(files, broken, path)}"
    if media.bits:
        white = f"{2**media.bits - 1:,}"
        yield f"grey of more than 8 bits is black at 0 and white at {white}, in all pictures alike"
    whole = [file for row, file in enumerate(files) if row not in broken]
    if media.kind == "sound" and (n_long := n_longer(whole, media)):
        yield f"{n_long} of {len(whole)} files are longer than {media.seconds:.2f} s; their middle is used"


def notes_on_contents(
    found: Contents, read: Sequence[Sample], path: Path, is_learned_from: bool
) -> Iterator[str]:
    """What lies in the folder besides the samples, and which classes lack some.

    Parameters
    ----------
    found : Contents
    read : sequence of Sample
        Those that could be read.
    path : Path
    is_learned_from : bool
        Else they are only asked for, whatever folder they are in.
    """
    yield from found.notes
    if found.others:
        yield unread(found.others)
    if not is_learned_from:
        return
    loose = [sample.file for sample in found.samples if sample.label is None]
    if loose:
        yield f"{_files(len(loose))} in no folder of a class left out, such as {name_of(loose[0], path)}"
    if not found.y_name:
        yield from _on_parts(read, path)
        yield from _on_classes(found, read)


def _on_parts(read: Sequence[Sample], path: Path) -> Iterator[str]:
    """What becomes of samples that the folder has for choosing."""
    counts = Counter(sample.file.relative_to(path).parts[0] for sample in read if sample.part == "valid")
    for name, n in counts.items():
        yield f"{name}/: its {n} samples are learned from and choose, as the others"


def _on_classes(found: Contents, read: Sequence[Sample]) -> Iterator[str]:
    """Classes of which there is nothing to learn from, or nothing to test by."""
    n_of = Counter((sample.part == "test", sample.label) for sample in read)
    is_tested = any(sample.part == "test" for sample in read)
    for name in dict.fromkeys(name for _, name in found.classes):
        n_learned, n_tested = n_of[False, name], n_of[True, name]
        if n_learned + n_tested == 0:
            yield f"class {name!r} has no files that can be read"
        elif n_learned == 0:
            yield f"class {name!r} has no samples to learn from, only {n_tested} for the test"
        elif is_tested and n_tested == 0:
            yield f"class {name!r} has no samples for the test"


def _files(n: int) -> str:
    return f"{n} {'file' if n == 1 else 'files'}"
