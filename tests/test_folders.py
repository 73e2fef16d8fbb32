"""Folders of pictures and sounds: what they hold goes in as it is seen and heard; what is broken is told."""

import json
import os
import re
import subprocess
import sys
import wave
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import threestep as ts
from threestep.data import Media, folders, kept, read, read_to_learn
from threestep.data.media import PICTURE_ENDINGS
from threestep.data.sound_files import mel_filters, sound_media, spectrogram
from threestep.limits import check_settings
from threestep.settings import Files, Settings

RNG = np.random.default_rng(0)
GREY = np.arange(48, dtype=np.uint8).reshape(6, 8) * 5
COLOURS = RNG.integers(0, 256, (6, 8, 3), np.uint8)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("cache") / "compiled"
    monkeypatch.setattr(kept, "cache_folder", lambda: folder)


def save(path, pixels, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(path, **options)


def write_sound(path, samples, rate=8000, channels=1, width=2):
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        scaled = np.clip(np.asarray(samples), -1, 1) * (2 ** (8 * width - 1) - 1)
        file.writeframes(scaled.astype(f"<i{width}").tobytes())


def tone(hertz, seconds, rate=8000):
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)


# Pictures


@pytest.mark.parametrize("ending", [".png", ".bmp", ".gif", ".webp"])
@pytest.mark.parametrize("pixels", [GREY, COLOURS], ids=["grey", "colours"])
def test_pictures_without_loss_come_in_as_they_are(ending, pixels, tmp_path):
    if ending == ".gif" and pixels is COLOURS:
        pixels = np.asarray(Image.fromarray(pixels).quantize(48).convert("RGB"))  # all that a GIF can hold
    for name in ("one", "other"):
        save(tmp_path / name / f"p{ending}", pixels, **({"lossless": True} if ending == ".webp" else {}))
    table = read(tmp_path)
    assert table.y.tolist() == ["one", "other"]
    assert table.x.dtype == np.uint8
    np.testing.assert_array_equal(table.x, [pixels, pixels])
    assert table.names == (f"one/p{ending}", f"other/p{ending}")


def test_a_jpeg_is_nearly_what_it_was(tmp_path):
    smooth = np.linspace(0, 255, 48).reshape(6, 8).astype(np.uint8)
    for name in ("one", "other"):
        save(tmp_path / name / "p.jpg", smooth, quality=95)
    assert np.abs(read(tmp_path).x.astype(int) - smooth).max() < 12


ODD = {
    "alpha": (
        Image.fromarray(np.dstack([COLOURS, np.zeros((6, 8), np.uint8)]), "RGBA"),
        np.full((6, 8, 3), 255),
    ),
    "sixteen bits": (Image.fromarray(GREY.astype(np.uint16) * 257), np.repeat(GREY[:, :, None], 3, axis=2)),
    "one bit": (Image.fromarray(GREY > 100), np.repeat(((GREY > 100) * 255)[:, :, None], 3, axis=2)),
    "palette": (Image.fromarray(COLOURS).quantize(16), None),
    "cmyk": (Image.fromarray(COLOURS).convert("CMYK"), None),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_kinds_of_pictures_are_seen_as_people_see_them(name, tmp_path):
    image, wanted = ODD[name]
    save(tmp_path / "one" / ("p.jpg" if name == "cmyk" else "p.png"), image)
    save(tmp_path / "other" / "p.png", COLOURS)
    table = read(tmp_path)
    assert table.x.shape == (2, 6, 8, 3)
    if wanted is None:
        wanted = np.asarray(image.convert("RGB"))
    assert np.abs(table.x[0].astype(int) - wanted).max() <= (40 if name == "cmyk" else 1)


def test_a_picture_is_turned_as_its_camera_says(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    for name in ("one", "other"):
        save(tmp_path / name / "p.png", GREY, exif=exif)
    np.testing.assert_array_equal(read(tmp_path).x[0], np.rot90(GREY, -1))


def test_pictures_of_many_sizes_are_brought_to_the_middle_one(tmp_path):
    for place, (height, width) in enumerate([(20, 30), (40, 20), (24, 26)]):
        save(tmp_path / f"c{place}" / "p.png", np.full((height, width), 50 * place, np.uint8))
    table = read(tmp_path)
    assert table.x.shape == (3, 24, 26)
    assert [np.unique(each).tolist() for each in table.x] == [[0], [50], [100]]


def test_large_pictures_are_made_smaller(tmp_path):
    for name in ("one", "other"):
        save(tmp_path / name / "p.png", np.zeros((300, 150), np.uint8))
    assert read(tmp_path).x.shape == (2, 64, 32)


def test_a_damaged_picture_is_left_out_and_named(tmp_path):
    for name in ("one", "other"):
        for place in range(3):
            save(tmp_path / name / f"p{place}.png", COLOURS)
    whole = (tmp_path / "one" / "p1.png").read_bytes()
    (tmp_path / "one" / "p1.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "other" / "notes.txt").write_text("not looked at")
    (tmp_path / "other" / "empty.jpg").write_bytes(b"")
    table = read(tmp_path)
    assert table.n_samples == 5
    assert table.y.tolist() == ["one"] * 2 + ["other"] * 3
    assert "2 damaged file(s) left out" in table.notes[1]
    assert "p1.png" in table.notes[1]
    assert "empty.jpg" in table.notes[1]
    run = ts.fit(tmp_path, network="2", epochs=1)
    assert any("damaged" in note for note in run.events[0]["notes"])


def test_strict_stops_at_damaged_files_and_names_all_of_them(tmp_path, capsys):
    from threestep.app import main

    for name in ("one", "other"):
        for place in range(6):
            save(tmp_path / "data" / name / f"p{place}.png", COLOURS)
    strict = ["fit", str(tmp_path / "data"), "--network", "2", "--epochs", "1", "--strict"]
    strict += ["--out", str(tmp_path / "run")]
    assert main(strict) == 0
    for place in range(6):
        (tmp_path / "data" / "one" / f"p{place}.png").write_bytes(b"")
    with pytest.raises(ts.DataError, match="6 damaged") as caught:
        ts.fit(tmp_path / "data", network="2", epochs=1, strict=True)
    assert all(f"one/p{place}.png (" in caught.value.message for place in range(6))
    assert "strict" in caught.value.hint
    capsys.readouterr()
    words = ["predict", str(tmp_path / "run"), str(tmp_path / "data")]
    assert main([*words, "--strict"]) == 2
    assert "one/p5.png" in capsys.readouterr().err
    assert main(words) == 0
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == 7
    assert "6 damaged file(s) left out: one/p0.png" in said.err
    assert main(["evaluate", *words[1:], "--strict"]) == 2


def test_files_are_in_the_order_of_their_numbers(tmp_path):
    for place in (10, 9, 1):
        save(tmp_path / "a" / f"p{place}.png", GREY)
        save(tmp_path / "b" / f"p{place}.png", GREY)
    assert read(tmp_path).names[:3] == ("a/p1.png", "a/p9.png", "a/p10.png")


def test_train_and_test_folders_stay_what_they_are(tmp_path):
    for part, n in (("train", 10), ("test", 3)):
        for name in ("a", "b"):
            for place in range(n):
                save(tmp_path / part / name / f"{place}.png", GREY + place)
    table = read(tmp_path)
    assert table.is_test.sum() == 6
    parts = ts.data.split(table, 0.2, 0.3, 0, by_class=True)
    assert (len(parts.train.names), len(parts.valid.names), len(parts.test.names)) == (16, 4, 6)
    assert all(name.startswith("test/") for name in parts.test.names)
    run = ts.fit(tmp_path, network="2", epochs=1)
    assert run.scores["test"]["n_samples"] == 6


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda p: None, "no folder of samples"),
        (lambda p: (p / "a").mkdir(), "no folder of samples"),
        (lambda p: save(p / "x.png", GREY), "no folder of samples"),
        (lambda p: (save(p / "a" / "x.png", GREY), write_sound(p / "b" / "x.wav", tone(400, 0.2))), "1 pictures and 1 sounds"),
        (lambda p: ((p / "a").mkdir(), (p / "a" / "x.png").write_bytes(b"no")), "can be read"),
    ],
)  # fmt: skip
def test_what_is_no_folder_of_samples_is_refused(make, said, tmp_path):
    make(tmp_path)
    with pytest.raises(ts.DataError, match=said):
        read(tmp_path)


def test_one_class_is_refused(tmp_path):
    save(tmp_path / "a" / "x.png", GREY)
    with pytest.raises(ts.DataError):
        ts.fit(tmp_path, network="2", epochs=1)


def test_without_pillow_the_error_says_what_to_install(tmp_path, monkeypatch):
    import sys

    save(tmp_path / "a" / "x.png", GREY)
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ts.DataError, match="need Pillow") as caught:
        read(tmp_path)
    assert "threestep[images]" in caught.value.hint


def test_many_pictures_are_kept_for_the_next_time_until_one_changes(tmp_path, monkeypatch):
    monkeypatch.setattr(folders, "_KEPT_FROM", 1)
    data = tmp_path / "data"
    for name in ("one", "other"):
        save(data / name / "p.png", GREY)
    first = read(data)
    with monkeypatch.context() as patch:
        patch.setattr(folders, "picture_array", lambda *_: pytest.fail("it was decoded again"))
        np.testing.assert_array_equal(read(data).x, first.x)
    save(data / "one" / "p.png", 255 - GREY)
    os.utime(data / "one" / "p.png", ns=(1, 1))
    np.testing.assert_array_equal(read(data).x[0], 255 - GREY)


# What is kept


def entry(letter, n_bytes=1000, age=0, whole=True):
    """Something decoded, used so many seconds ago."""
    path = kept.kept_folder() / f"{letter}.npy"
    array = kept.filled_kept(path, (n_bytes,), lambda array: (array.fill(ord(letter)), whole)[1])
    if whole:
        os.utime(path, (path.stat().st_mtime - age,) * 2)
    return array


def names():
    return sorted(path.stem for path in kept.kept_folder().iterdir())


@pytest.fixture
def small_cache(monkeypatch):
    monkeypatch.setenv("THREESTEP_CACHE_GB", str(3500e-9))


def test_what_was_used_least_recently_makes_room(small_cache):
    for letter, age in (("a", 30), ("b", 50), ("c", 40)):
        entry(letter, age=age)
    assert kept.load_kept(kept.kept_folder() / "b.npy").tolist() == [ord("b")] * 1000  # used now
    entry("d")
    assert names() == ["a", "b", "d"]
    entry("e", 1500)
    assert names() == ["d", "e"]


def test_what_is_in_use_is_never_deleted(small_cache):
    held = entry("a", age=50)
    part = kept.load_kept(kept.kept_folder() / "a.npy")[10:20]
    entry("b", age=40)
    del held
    entry("c", 3000)
    assert names() == ["a", "c"]
    assert part.tolist() == [ord("a")] * 10
    other = f"""
import os; from pathlib import Path; from threestep.data import kept
kept.cache_folder = lambda: Path({str(kept.kept_folder())!r}).parent / "compiled"
kept.filled_kept(kept.kept_folder() / "d.npy", (3000,), lambda array: True)
"""
    subprocess.run([sys.executable, "-c", other], check=True)
    assert names() == ["a", "d"]
    del part
    entry("e", 3000)
    assert names() == ["e"]


def test_what_a_crash_left_behind_is_deleted_and_what_is_being_written_is_not(small_cache):
    entry("a")
    left = kept.kept_folder() / ".123-abcdef.npy"
    np.save(left, np.zeros(3000, np.uint8))
    os.utime(left, (1, 1))

    def fill(array):
        assert len(names()) == 2  # "a", and this
        entry("c", 3000)
        return True

    kept.filled_kept(kept.kept_folder() / "b.npy", (1000,), fill)
    assert names() == ["b", "c"]


def test_what_is_broken_or_broken_off_is_not_kept(small_cache):
    assert entry("a", whole=False).tolist() == [ord("a")] * 1000
    assert names() == []
    with pytest.raises(ZeroDivisionError):
        kept.filled_kept(kept.kept_folder() / "b.npy", (1000,), lambda array: 1 / 0)
    assert names() == []


def test_what_another_process_deleted_is_there_as_long_as_it_is_needed(small_cache):
    def fill(array):
        array.fill(7)
        for path in kept.kept_folder().iterdir():
            path.unlink()
        return True

    found = kept.filled_kept(kept.kept_folder() / "a.npy", (1000,), fill)
    assert found.tolist() == [7] * 1000
    assert names() == []


@pytest.mark.parametrize("fails", ["open_memmap", "posix_fallocate"])
def test_a_disk_that_is_full_only_costs_memory(fails, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np.lib.format if fails == "open_memmap" else os, fails, full)
    assert entry("a", whole=False).tolist() == [ord("a")] * 1000
    assert not kept.kept_folder().exists() or names() == []


def test_nothing_is_kept_where_nobody_wants_it(monkeypatch):
    monkeypatch.setenv("THREESTEP_CACHE_GB", "0")
    assert entry("a", whole=False).tolist() == [ord("a")] * 1000
    assert not kept.kept_folder().exists()
    monkeypatch.setenv("THREESTEP_CACHE_GB", "much")
    with pytest.raises(ts.SettingsError, match="'much'; must be a number of gigabytes"):
        entry("a")


def test_doctor_says_where_it_is_and_how_large(small_cache, capsys):
    from threestep.app import main

    entry("a", 1_000_000)
    assert main(["doctor", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)["decoded_files"]
    assert facts["folder"] == str(kept.kept_folder())
    assert (facts["n_files"], facts["gigabytes"]) == (1, 0.001)
    assert facts["most_gigabytes"] == pytest.approx(3500e-9)
    assert main(["doctor"]) == 0
    assert "THREESTEP_CACHE_GB" in capsys.readouterr().out


# Sounds


def test_the_bands_of_a_tone_are_where_it_is():
    media = Media("sound", 20, 40, 1, 8000, 256, 80)
    for hertz in (300, 1000, 2500):
        found = spectrogram(tone(hertz, 0.5), media)
        assert found.shape == (20, 40)
        assert found.max() == 255
        filters = mel_filters(8000, 256, 40)
        assert found[10].argmax() == filters[round(hertz / 8000 * 256)].argmax()


def test_mel_filters_are_triangles_that_share_each_frequency():
    filters = mel_filters(16000, 512, 40)
    assert filters.shape == (257, 40)
    assert filters.min() == 0
    inner = filters[20:200].sum(axis=1)
    np.testing.assert_allclose(inner, 1, atol=1e-9)


def test_loudness_does_not_matter_and_silence_is_seen():
    media = Media("sound", 30, 40, 1, 8000, 256, 80)
    quiet, loud = (spectrogram(scale * tone(700, 0.1), media) for scale in (0.01, 1.0))
    assert np.abs(quiet.astype(int) - loud).max() <= 1
    assert loud[25].max() == 0


def test_sounds_of_any_rate_width_and_number_of_channels_are_heard_alike(tmp_path):
    both = np.repeat(tone(700, 0.4, 16000)[:, None], 2, axis=1)
    for name, make in {
        "a": lambda path: write_sound(path, tone(700, 0.4)),
        "b": lambda path: write_sound(path, tone(700, 0.4, 16000), rate=16000),
        "c": lambda path: write_sound(path, both, rate=16000, channels=2),
        "d": lambda path: write_sound(path, tone(700, 0.4), width=4),
    }.items():
        make(tmp_path / name / "s.wav")
    write_sound(tmp_path / "a" / "t.wav", tone(700, 0.4))
    table = read(tmp_path)
    assert table.media.rate == 8000
    (
        one,
        *_,
    ) = table.x
    for other in table.x:
        middle = slice(4, -6)
        assert np.abs(other.astype(int) - one)[middle][one[middle] > 150].max() <= 8


@pytest.mark.parametrize("ending", ["flac", "ogg"])
def test_other_files_of_sounds_are_read_by_soundfile(ending, tmp_path):
    soundfile = pytest.importorskip("soundfile")
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        soundfile.write(tmp_path / name / f"s.{ending}", tone(700, 0.5), 8000)
        write_sound(tmp_path / name / "s.wav", tone(700, 0.5))
    table = read(tmp_path)
    loud = table.x[1] > 200
    assert np.abs(table.x[0].astype(int) - table.x[1])[loud].max() <= 12


def test_without_soundfile_the_error_says_what_to_install(tmp_path, monkeypatch):
    from threestep.data import sound_files

    monkeypatch.setattr(sound_files, "_has_soundfile", lambda: False)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "s.flac").write_bytes(b"fLaC")
    with pytest.raises(ts.DataError, match="needs soundfile") as caught:
        read(tmp_path)
    assert "threestep[sound]" in caught.value.hint


def test_a_damaged_sound_is_left_out_and_named(tmp_path):
    for name in ("a", "b"):
        for place in range(2):
            write_sound(tmp_path / name / f"s{place}.wav", tone(500, 0.3))
    (tmp_path / "a" / "s1.wav").write_bytes(b"RIFF....WAVE")
    table = read(tmp_path)
    assert table.n_samples == 3
    assert "s1.wav" in table.notes[1]


# As they are asked for


@pytest.mark.parametrize("size", [(10, 30), (90, 70), 12])
def test_pictures_are_brought_to_the_size_that_is_asked_for_and_new_ones_too(size, tmp_path):
    for name, value in (("dark", 50), ("light", 200)):
        for place in range(6):
            save(tmp_path / "data" / name / f"{place}.png", np.full((20 + place, 40), value, np.uint8))
    run = ts.fit(tmp_path / "data", network="2", epochs=1, picture_size=size, out=tmp_path / "run")
    size = (size, size) if isinstance(size, int) else size
    assert run.model.prep.layout.media == Media("picture", *size)
    assert ts.load(tmp_path / "run").prep.layout.media == Media("picture", *size)
    assert (
        f"picture_size = [\n    {size[0]},\n    {size[1]},\n]"
        in (tmp_path / "run" / "config.toml").read_text()
    )
    with pytest.raises(ts.DataError, match="the model takes grey pictures of"):
        run.model.predict(np.zeros((2, 5)))
    save(tmp_path / "new.png", np.zeros((200, 3), np.uint8))
    assert len(ts.load(tmp_path / "run").predict(tmp_path / "new.png")) == 1


def test_sounds_are_seen_in_the_windows_hops_and_bands_that_are_asked_for(tmp_path):
    for name in ("low", "high"):
        for place in range(6):
            write_sound(tmp_path / "data" / name / f"{place}.wav", tone(400, 0.4))
    asked = {"sound_window": 20.0, "sound_hop": 5.0, "sound_bands": 24}
    run = ts.fit(tmp_path / "data", network="2", epochs=1, **asked, out=tmp_path / "run")
    assert run.model.prep.layout.media == Media("sound", 81, 24, 1, 8000, 160, 40)
    assert ts.load(tmp_path / "run").prep.layout.media == run.model.prep.layout.media
    assert {name: getattr(run.settings, name) for name in asked} == asked
    usual = ts.fit(tmp_path / "data", network="2", epochs=1)
    chosen = {name: getattr(usual.settings, name) for name in asked}
    assert chosen == {"sound_window": 32.0, "sound_hop": 10.0, "sound_bands": 40}
    again = ts.fit(tmp_path / "data", network="2", epochs=1, **chosen)
    assert again.model.prep.layout.media == usual.model.prep.layout.media


def test_what_is_kept_is_kept_for_what_was_asked(tmp_path, monkeypatch):
    monkeypatch.setattr(folders, "_KEPT_FROM", 1)
    for name in ("one", "other"):
        save(tmp_path / "data" / name / "p.png", GREY)
    shapes = [read(tmp_path / "data", how=Files(picture_size=size)).x.shape for size in (None, (3, 4), None)]
    assert shapes == [(2, 6, 8), (2, 3, 4), (2, 6, 8)]


@pytest.mark.parametrize(
    ("name", "how", "said"),
    [
        ("sounds", {"picture_size": (8, 8)}, "`picture_size` is given, but the files are sounds"),
        ("pictures", {"sound_hop": 5.0}, "`sound_hop` is given, but the files are pictures"),
        ("sounds", {"sound_bands": 40, "sound_window": 5.0}, "5 ms at 8000 Hz tell 20 frequencies apart"),
        (None, {"sound_bands": 40}, "the samples are no pictures or sounds in files"),
    ],
)
def test_what_does_not_go_with_the_files_is_refused(name, how, said, tmp_path):
    for place in ("a", "b"):
        save(tmp_path / "pictures" / place / "p.png", GREY)
        write_sound(tmp_path / "sounds" / place / "s.wav", tone(400, 0.2))
    with pytest.raises(ts.DataError, match=said) as caught:
        read("iris" if name is None else tmp_path / name, how=Files(**how))
    assert caught.value.hint


# Learned from and asked


def two_tones(path, n=24):
    rng = np.random.default_rng(0)
    for name, hertz in (("low", 400), ("high", 1500)):
        for place in range(n):
            sound = tone(hertz * rng.uniform(0.9, 1.1), rng.uniform(0.1, 0.3)) + 0.05 * rng.normal(size=1)
            write_sound(path / name / f"{place}.wav", sound)


def test_a_folder_of_sounds_is_learned_and_new_files_are_asked_for(tmp_path):
    two_tones(tmp_path / "data")
    model = ts.fit(tmp_path / "data", network="conv4-dense8", epochs=30).model
    write_sound(tmp_path / "new" / "x.wav", tone(420, 0.2, 16000), rate=16000)
    write_sound(tmp_path / "new" / "deep" / "y.wav", tone(1450, 0.15))
    model.save(tmp_path / "m.safetensors")
    again = ts.load(tmp_path / "m.safetensors")
    assert again.prep.layout.media == model.prep.layout.media
    assert again.predict(tmp_path / "new").tolist() == ["high", "low"]
    assert again.predict(tmp_path / "new" / "x.wav").tolist() == ["low"]
    assert again.predict(str(tmp_path / "data"))[:24].tolist() == ["high"] * 24


def test_pictures_are_asked_for_as_they_were_learned(tmp_path):
    rng = np.random.default_rng(0)
    for name, level in (("dark", 40), ("light", 200)):
        for place in range(12):
            save(
                tmp_path / "data" / name / f"{place}.png",
                (level + rng.integers(0, 50, (20, 10))).astype(np.uint8),
            )
    model = ts.fit(tmp_path / "data", network="4", epochs=20).model
    save(tmp_path / "new.png", np.full((100, 300, 3), 210, np.uint8))
    assert model.predict(tmp_path / "new.png").tolist() == ["light"]
    write_sound(tmp_path / "s.wav", tone(400, 0.1))
    with pytest.raises(ts.DataError, match="holds sounds, expected pictures"):
        model.predict(tmp_path / "s.wav")


def test_the_command_line_learns_from_a_folder_and_names_the_files(tmp_path, capsys):
    from threestep.app import main

    two_tones(tmp_path / "data", n=12)
    assert (
        main(
            ["fit", str(tmp_path / "data"), "--network", "4", "--epochs", "2", "--out", str(tmp_path / "run")]
        )
        == 0
    )
    assert "24 files read as sounds" in capsys.readouterr().out
    assert main(["predict", str(tmp_path / "run"), str(tmp_path / "data" / "low")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("file,class,confidence_high,confidence_low")
    assert lines[1].startswith("0.wav,")
    assert len(lines) == 13
    assert main(["evaluate", str(tmp_path / "run"), str(tmp_path / "data")]) == 0


def test_a_model_file_with_impossible_media_is_refused(tmp_path):
    model = ts.fit(
        (np.zeros((8, 4, 4)) + np.arange(8)[:, None, None], np.arange(8) % 2), network="2", epochs=1
    ).model
    for media in (
        Media("film", 4, 4),
        Media("picture", 4, 4, 2),
        Media("picture", 4, 5),
        Media("sound", 4, 4, 1, 8000, 0, 80),
    ):
        bad = model.prep._replace(layout=model.prep.layout.__class__(shape=(4, 4), media=media))
        with pytest.raises(ts.ModelFileError, match="do not become samples"):
            type(model)(bad, model.network, model.params, model.goodness).save(tmp_path / "m.safetensors")


def test_every_ending_of_pictures_is_one_that_pillow_reads():
    Image.init()
    assert set(PICTURE_ENDINGS) <= set(Image.registered_extensions())


def test_names_are_shown_as_they_are(tmp_path):
    for name in ("<script>", "größer & kleiner"):
        for place in range(3):
            save(tmp_path / name / f"p{place}.png", GREY)
    table = read(tmp_path)
    assert set(table.y) == {"<script>", "größer & kleiner"}
    assert re.match(r"6 files read as grey pictures of 6 × 8 pixels", table.notes[0])


# Odd ones


@pytest.mark.parametrize(("rate", "minutes"), [(20, 25), (2000, 25), (50, 300)])
def test_what_was_chosen_of_slow_or_long_sounds_can_be_asked_for(tmp_path, rate, minutes):
    with wave.open(str(tmp_path / "slow.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.zeros(rate * 60 * minutes, np.int16).tobytes())
    media = sound_media([tmp_path / "slow.wav"])
    assert sound_media([tmp_path / "slow.wav"], Files(**media.settings)) == media
    assert media.settings["sound_hop"] > 10_000
    check_settings(Settings(**media.settings))


@pytest.mark.parametrize("wish", [{"ensemble": 2}, {"folds": 2}, {"refit": True}, {}])
@pytest.mark.parametrize("change", [{"mixup": 0.2}, {"drop_path": 0.5}, {"shift": 0.2}])
def test_neurons_alone_are_not_given_what_only_pictures_have(tmp_path, wish, change):
    with pytest.raises(ts.SettingsError, match=next(iter(change))):
        ts.fit("iris", network="8", out=tmp_path / "run", **wish, **change)
    assert not (tmp_path / "run").exists()


def test_files_that_are_read_already_cannot_be_read_otherwise():
    table = ts.data.Table("pictures", np.zeros((4, 8, 8), np.uint8), np.array([0, 1, 0, 1]), "class")
    table = replace(table, media=ts.data.Media("picture", 8, 8, 1))
    for size in (8, (8, 8), [8, 8]):
        assert ts.data.read(table, how=Files(picture_size=size)) is table
    with pytest.raises(ts.DataError, match="read already"):
        ts.data.read(table, how=Files(picture_size=(96, 96)))


# What lies where


def classes_of(path, n=3, names=("cat", "dog"), value=0):
    for name in names:
        for place in range(n):
            save(path / name / f"{place}.png", GREY + value + place)


@pytest.mark.parametrize("valid", ["val", "Valid", "validation"])
@pytest.mark.parametrize("test", [None, "Testing"])
def test_samples_to_choose_by_are_no_class_and_not_dropped(valid, test, tmp_path):
    for part, n in (("Train", 4), (valid, 2), (test, 3)):
        if part is not None:
            classes_of(tmp_path / part, n)
    table = read(tmp_path)
    assert set(table.y) == {"cat", "dog"}
    assert table.n_samples == (18 if test else 12)
    assert (0 if table.is_test is None else table.is_test.sum()) == (6 if test else 0)
    assert f"{valid}/: its 4 samples are learned from and choose, as the others" in table.notes


@pytest.mark.parametrize(
    ("parts", "said", "hint"),
    [
        (["train"], "its samples lie in one folder, 'train'", "give .*/train;"),
        (["photos"], "its samples lie in one folder, 'photos'", "give .*/photos;"),
        (["test", "val"], "holds 'test' and 'val', but no 'train'", "one folder per class"),
    ],
)
def test_a_folder_around_those_of_the_classes_gives_a_hint(parts, said, hint, tmp_path):
    for part in parts:
        classes_of(tmp_path / part)
    with pytest.raises(ts.DataError, match=said) as caught:
        read(tmp_path)
    assert re.search(hint, caught.value.hint)


def test_every_file_is_answered_and_only_the_test_is_scored(tmp_path, capsys):
    from threestep.app import main

    for part, n in (("train", 4), ("valid", 2), ("test", 3)):
        classes_of(tmp_path / "data" / part, n)
    save(tmp_path / "data" / "test" / "loose.png", GREY)
    run = str(tmp_path / "run")
    words = ["--network", "2", "--epochs", "1", "--out", run]
    assert main(["fit", str(tmp_path / "data"), *words]) == 0
    assert "1 file in no folder of a class left out, such as test/loose.png" in capsys.readouterr().out
    assert main(["predict", run, str(tmp_path / "data")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + 8 + 4 + 6 + 1
    assert {"valid/dog/1.png", "test/loose.png"} <= {line.split(",")[0] for line in lines}
    assert main(["evaluate", run, str(tmp_path / "data")]) == 0
    said = capsys.readouterr().out
    assert "the 6 samples for the test are scored, not the 12 others" in said
    assert re.search(r"^data +6 ", said, re.MULTILINE)


def test_a_flat_folder_of_unlabelled_files_beside_train_is_answered(tmp_path):
    classes_of(tmp_path / "train", 6)
    for place in range(5):
        save(tmp_path / "test" / f"{place}.png", GREY)
    run = ts.fit(tmp_path, network="2", epochs=1)
    assert len(run.model.predict(tmp_path)) == 17
    assert any("5 files in no folder of a class" in note for note in run.events[0]["notes"])


def test_what_is_not_read_is_told(tmp_path):
    classes_of(tmp_path / "data")
    for place in range(3):
        (tmp_path / "data" / "dog" / f"{place}.heic").write_bytes(b"")
    (tmp_path / "data" / "bird").mkdir()
    (tmp_path / "data" / "fish").mkdir()
    (tmp_path / "data" / "fish" / "x.png").write_bytes(b"no")
    save(tmp_path / "data" / "loose.png", GREY)
    notes = read(tmp_path / "data").notes
    assert "3 files are not read (.heic)" in notes
    assert "class 'bird' has no files that can be read" in notes
    assert "class 'fish' has no files that can be read" in notes
    assert "1 file in no folder of a class left out, such as loose.png" in notes
    for place in range(3):
        (tmp_path / "other" / "a").mkdir(parents=True, exist_ok=True)
        (tmp_path / "other" / "a" / f"{place}.heic").write_bytes(b"")
    with pytest.raises(
        ts.DataError, match=r"3 files are not read \(.heic\); pictures are .png, .*, sounds .wav"
    ):
        read(tmp_path / "other")


def test_a_class_without_samples_to_learn_from_or_to_test_by_is_told(tmp_path):
    classes_of(tmp_path / "train")
    classes_of(tmp_path / "test", 2, ("cat", "Dog"))
    notes = read(tmp_path).notes
    assert "class 'Dog' has no samples to learn from, only 2 for the test" in notes
    assert "class 'dog' has no samples for the test" in notes


def test_each_real_folder_is_visited_once(tmp_path):
    classes_of(tmp_path / "data")
    (tmp_path / "data" / "cat" / "up").symlink_to(tmp_path / "data")
    (tmp_path / "data" / "cat" / "beside").symlink_to(tmp_path / "data" / "dog")
    (tmp_path / "data" / "far").symlink_to(tmp_path / "elsewhere")
    classes_of(tmp_path / "elsewhere", 2, ("inside",))
    table = read(tmp_path / "data")
    assert table.y.tolist() == ["cat"] * 3 + ["dog"] * 3 + ["far"] * 2


def test_names_that_are_no_utf_8_are_shown_with_backslashes(tmp_path, capsysbinary):
    from threestep.app import main

    data = tmp_path / os.fsdecode(b"data\xff")
    classes_of(data, names=(os.fsdecode(b"caf\xe9"), "dog"))
    (data / "dog" / os.fsdecode(b"\xe8.png")).write_bytes(b"no")
    run, words = tmp_path / "run", ["--network", "2", "--epochs", "1"]
    assert main(["fit", str(data), *words, "--out", str(run)]) == 0
    assert rb"dog/\xe8.png (no picture that Pillow knows)" in capsysbinary.readouterr().out
    assert rb"caf\\xe9" in (run / "journal.jsonl").read_bytes()
    assert rb"data\xff" in (run / "report.html").read_bytes()
    assert main(["predict", str(run), str(data), "--out", str(tmp_path / "answers.csv")]) == 0
    assert r"caf\xe9/0.png," in (tmp_path / "answers.csv").read_text(encoding="utf-8")


# A file that names them


@pytest.mark.parametrize("place", ["", "images"])
@pytest.mark.parametrize("ending", ["", ".png"])
@pytest.mark.parametrize("is_named", [False, True])
def test_a_csv_file_says_the_labels_of_the_files_beside_it(is_named, ending, place, tmp_path):
    for each in range(6):
        save(tmp_path / place / f"{each:03}.png", GREY + each)
    save(tmp_path / place / "more.png", GREY)
    lines = [f"{each:03}{ending},{'ab'[each % 2]}" for each in range(6)]
    (tmp_path / "labels.csv").write_text("\n".join(["id,breed", *lines, "099,a"]))
    table = read(tmp_path / "labels.csv" if is_named else tmp_path)
    assert (table.y_name, table.y.tolist()) == ("breed", ["a", "b"] * 3)
    assert table.x.shape == (6, 6, 8)
    assert "column 'id' of labels.csv names 6 files, 'breed' is their label" in table.notes
    assert "1 of 7 names in labels.csv are of no file that is there; they are left out" in table.notes
    assert "1 file beside labels.csv not named in it" in table.notes
    asked = read(tmp_path, table.media)
    assert (asked.n_samples, [*asked.y]) == (7, ["a", "b"] * 3 + [""])


@pytest.mark.parametrize("folder", ["here", "elsewhere"])
def test_files_may_be_named_with_their_whole_path(folder, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    files = [tmp_path / folder / f"{each}.png" for each in range(6)]
    for each, file in enumerate(files):
        save(file, GREY + each)
    lines = [f"{file},{'ab'[each % 2]}" for each, file in enumerate(files)]
    (tmp_path / "here" / "labels.csv").write_text("\n".join(["file,label", *lines]))
    monkeypatch.chdir(tmp_path)
    table = read("here/labels.csv")
    assert table.y.tolist() == ["a", "b"] * 3
    assert [name.endswith(f"{each}.png") for each, name in enumerate(table.names)] == [True] * 6


def test_files_may_be_named_as_windows_does(tmp_path):
    for each in range(6):
        save(tmp_path / "up" / "images" / f"{each}.png", GREY + each)
    lines = [f"up\\images\\{each}.png,{'ab'[each % 2]}" for each in range(6)]
    (tmp_path / "labels.csv").write_text("\n".join(["file,label", *lines]))
    assert read(tmp_path / "labels.csv").x.shape == (6, 6, 8)


def test_labels_of_files_that_are_not_there_are_no_table(tmp_path):
    (tmp_path / "labels.csv").write_text("file,label\n" + "\n".join(f"{each}.wav,a" for each in range(6)))
    with pytest.raises(ts.DataError, match=r"column 'file' names sounds such as '0\.wav', but none is there"):
        read_to_learn(tmp_path / "labels.csv")
    assert read(tmp_path / "labels.csv").n_samples == 6  # a model of columns may be asked about some of them
    known = read_to_learn(tmp_path / "labels.csv", Files(column=("file=category",)))
    assert known.notes == ()


def test_links_to_nothing_are_told(tmp_path):
    classes_of(tmp_path)
    (tmp_path / "cat" / "9.png").symlink_to(tmp_path / "nowhere.png")
    assert "1 damaged file(s) left out: cat/9.png (No such file or directory)" in read(tmp_path).notes


def test_labels_of_files_may_be_numbers_and_a_file_of_them_needs_no_header(tmp_path):
    for each in range(6):
        save(tmp_path / f"{each}.png", GREY + each)
    (tmp_path / "ages.csv").write_text("\n".join(f"{each}.png,{each / 2}" for each in range(6)))
    assert read(tmp_path / "ages.csv").y.tolist() == [0, 0.5, 1, 1.5, 2, 2.5]


def test_a_table_that_happens_to_lie_beside_pictures_is_a_table(tmp_path):
    save(tmp_path / "1.png", GREY)
    (tmp_path / "t.csv").write_text("name,size,class\n" + "\n".join(f"1.png,{each},a" for each in range(6)))
    (tmp_path / "u.csv").write_text("a,class\n" + "\n".join(f"{each},a" for each in range(6)))
    named = read_to_learn(tmp_path / "t.csv")
    assert isinstance(named.x, dict)
    assert any("column 'name' names pictures that are there" in note for note in named.notes)
    assert isinstance(read(tmp_path / "u.csv").x, dict)


def test_several_files_of_labels_are_told_of(tmp_path):
    for each in range(2):
        save(tmp_path / f"{each}.png", GREY)
        (tmp_path / f"labels{each}.csv").write_text("id,label\n0.png,a\n1.png,b\n")
    with pytest.raises(ts.DataError, match=r"labels0\.csv, labels1\.csv all say labels") as caught:
        read(tmp_path)
    assert "labels0.csv" in caught.value.hint


def test_loose_files_without_labels_give_a_hint(tmp_path):
    save(tmp_path / "x.png", GREY)
    with pytest.raises(ts.DataError, match="1 file in no folder of a class") as caught:
        read(tmp_path)
    assert "CSV file" in caught.value.hint


# Deep, large, cut and long


@pytest.mark.parametrize(
    ("dtype", "largest", "white"), [(np.uint16, 4000, 4095), (np.uint16, 50_000, 65_535), (np.float32, 1, 1)]
)
def test_grey_of_many_bits_is_equally_bright_in_all_pictures(dtype, largest, white, tmp_path):
    for name, share in (("dark", 0.001), ("grey", 0.2), ("light", 1.0)):
        save(tmp_path / "data" / name / "p.tif", np.full((6, 8), share * largest, dtype))
    table = read(tmp_path / "data")
    wanted = [share * largest * 255 / white for share in (0.001, 0.2, 1.0)]
    np.testing.assert_allclose(table.x[:, 0, 0], wanted, atol=1)
    is_told = any(f"black at 0 and white at {white:,}" in note for note in table.notes)
    assert is_told == (white != 65_535)
    alone = read(tmp_path / "data" / "grey" / "p.tif", table.media)
    np.testing.assert_array_equal(alone.x[0], table.x[1])


def test_the_model_keeps_how_bright_grey_of_many_bits_is(tmp_path):
    for name, level in (("dark", 1000), ("light", 4000)):
        for place in range(6):
            save(tmp_path / "data" / name / f"{place}.png", np.full((6, 8), level + place, np.uint16))
    model = ts.fit(tmp_path / "data", network="2", epochs=1, out=tmp_path / "run").model
    assert (
        model.prep.layout.media
        == ts.load(tmp_path / "run").prep.layout.media
        == Media("picture", 6, 8, bits=12)
    )


@pytest.mark.parametrize("ending", [".tif", ".tiff", ".ppm", ".jp2"])
def test_more_kinds_of_pictures_come_in_as_they_are(ending, tmp_path):
    for name in ("one", "other"):
        save(tmp_path / name / f"p{ending}", COLOURS)
    np.testing.assert_array_equal(read(tmp_path).x, [COLOURS, COLOURS])


@pytest.mark.parametrize("ending", ["mp3", "opus", "aiff", "oga"])
def test_more_kinds_of_sounds_are_read(ending, tmp_path):
    soundfile = pytest.importorskip("soundfile")
    how = {"opus": {"format": "OGG", "subtype": "OPUS"}, "oga": {"format": "OGG"}}.get(ending, {})
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        soundfile.write(tmp_path / name / f"s.{ending}", tone(700, 0.5, 16000), 16000, **how)
    assert read(tmp_path).x.max() == 255


def test_very_large_pictures_give_no_warning_and_a_true_reason(tmp_path, monkeypatch, recwarn):
    classes_of(tmp_path)
    save(tmp_path / "cat" / "large.png", np.zeros((30, 30), np.uint8))
    save(tmp_path / "dog" / "huge.png", np.zeros((2000, 2000), np.uint8))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 500)
    table = read(tmp_path)
    assert not recwarn
    assert "cat/large.png" in table.names
    assert "dog/huge.png (4 million pixels; at most 0 million are read)" in table.notes[1]


def test_a_sound_that_is_cut_short_is_damaged(tmp_path):
    for name in ("a", "b"):
        for place in range(2):
            write_sound(tmp_path / name / f"s{place}.wav", tone(500, 0.3))
    cut, streamed = tmp_path / "a" / "s1.wav", tmp_path / "b" / "s1.wav"
    cut.write_bytes(cut.read_bytes()[:3000])
    whole = streamed.read_bytes()
    streamed.write_bytes(whole[:40] + b"\xff" * 4 + whole[44:])  # as a program that does not know the length
    table = read(tmp_path)
    assert table.names == ("a/s0.wav", "b/s0.wav", "b/s1.wav")
    assert "s1.wav (cut short: its last 1,844 bytes are missing)" in table.notes[1]
    with pytest.raises(ts.DataError, match="cut short"):
        read(tmp_path, how=Files(strict=True))


@pytest.mark.parametrize("ending", ["flac", "mp3", "aiff", "ogg"])
def test_other_sounds_that_are_cut_short_are_damaged(ending, tmp_path):
    soundfile = pytest.importorskip("soundfile")
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for place in range(2):
            sound = tone(500, 2, 16000) + 0.01 * RNG.normal(size=32000)
            soundfile.write(tmp_path / name / f"{place}.{ending}", sound, 16000)
    cut = tmp_path / "a" / f"1.{ending}"
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    table = read(tmp_path)
    assert table.names == (f"a/0.{ending}", f"b/0.{ending}", f"b/1.{ending}")


def test_nothing_of_a_long_sound_goes_unheard(tmp_path):
    for place, at in enumerate((5.05, 20.3)):  # seconds, between the middles of two windows
        sound = np.zeros(30 * 8000)
        sound[round(at * 8000) :][:400] = tone(1000, 0.05)
        write_sound(tmp_path / f"c{place}" / "s.wav", sound)
    table = read(tmp_path)
    assert table.media.window == 2 * table.media.hop
    hop = table.media.hop / 8000
    for heard, at in zip(table.x, (5.05, 20.3), strict=True):
        assert abs(heard.max(axis=1).argmax() * hop - at) <= hop
        assert (heard > 0).mean() < 0.1  # silence is silence


def test_how_many_sounds_are_longer_than_what_is_looked_at_is_told(tmp_path):
    for name in ("a", "b"):
        for place in range(20):
            write_sound(tmp_path / name / f"{place}.wav", tone(500, 0.3))
    table = read(tmp_path)
    assert not any("longer" in note for note in table.notes)
    write_sound(tmp_path / "b" / "20.wav", tone(500, 2))
    for media in (None, table.media):
        assert "1 of 41 files are longer than 0.30 s; their middle is used" in read(tmp_path, media).notes


def test_files_of_which_none_can_be_read_are_named_with_the_reason(tmp_path):
    for name in ("a", "b"):
        (tmp_path / "data" / name).mkdir(parents=True)
        (tmp_path / "data" / name / "x.png").write_text("no")
    with pytest.raises(
        ts.DataError, match=r"data: none of its pictures can be read: a/x.png \(no picture"
    ) as caught:
        read(tmp_path / "data")
    assert caught.value.hint
    with pytest.raises(ts.DataError, match=r"x.png: cannot be read as a picture \(no picture") as caught:
        read(tmp_path / "data" / "a" / "x.png", Media("picture", 6, 8))
    assert caught.value.hint


def test_a_table_beside_numbered_pictures_stays_a_table(tmp_path):
    (tmp_path / "photos").mkdir()
    for number in range(30):
        Image.new("L", (8, 8)).save(tmp_path / "photos" / f"{number}.png")
    ages = "\n".join(["age,score", *(f"{row % 30},{row % 7}" for row in range(120))])
    (tmp_path / "two.csv").write_text(ages)
    table = read(tmp_path / "two.csv")
    assert list(table.x) == ["age", "score"]
    (tmp_path / "new.csv").write_text("\n".join(["age,other", *(f"{row},1" for row in range(20))]))
    model = ts.fit(tmp_path / "two.csv", target="score", network="4", epochs=1).model
    assert len(model.predict(tmp_path / "new.csv")) == 20


def test_labels_in_a_file_may_be_written_numbers(tmp_path):
    for number in range(20):
        Image.new("L", (8, 8)).save(tmp_path / f"{number}.png")
    lines = [f"{number}.png,$1{number}.50" for number in range(20)]
    (tmp_path / "prices.csv").write_text("\n".join(["file,price", *lines]))
    assert read(tmp_path / "prices.csv").y[:2].tolist() == [10.5, 11.5]


def test_a_window_much_longer_than_the_sounds_is_refused(tmp_path):
    for number in range(4):
        write_sound(tmp_path / f"{number % 2}" / f"{number}.wav", tone(440, 0.5))
    with pytest.raises(ts.DataError, match="`sound_window` is 100000 ms, but the sounds are of 500 ms"):
        read(tmp_path, how=Files(sound_window=1e5))
