"""What the pages say, in English and in traditional Chinese.

A page holds both; which one is seen is chosen on it, without any script. A text is a template in English,
and its translation is looked up by that; what comes from the data is put into both.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from html import unescape
from itertools import accumulate
from unicodedata import east_asian_width

from threestep.report.html import Markup, join, tag
from threestep.report.traditional_chinese import JOURNAL, SENTENCES

LANGUAGES = {"en": "English", "zh-TW": "繁體中文"}
"""What a page may be read in, by the tags of BCP 47."""


_SENTENCES = (
    "why",
    "how",
    "first",
    "second",
    "gain",
    "low",
    "high",
    "fall",
    "kind",
    "arm",
    "rival",
    "media",
    "metric",
)
"""Values of a sentence of the journal that are sentences of it themselves; others are names and numbers."""

_BETWEEN = {", ": "、", "; ": "；", " → ": " → "}
"""What separates the parts of a list or of a network, in English and in Chinese."""

_LISTS = ("those", "others")
"""Values that are lists."""


class Text(Markup):
    """Markup of a text in all languages.

    Attributes
    ----------
    plain : str
        In English, without markup: for what stands in an attribute.
    own : dict of str to Markup
        In each language alone.
    """

    plain: str
    own: dict[str, Markup]


def say(template: str, **values: object) -> Text:
    """A text in all languages; `{name}` in the template is a value, escaped unless it is markup. What has no
    translation, such as a name, is the same in all.

    Examples
    --------
    >>> say("loss")
    '<span class="t" lang="en">loss</span><span class="t" lang="zh-TW">損失</span>'
    """
    return _in_all("span", template, values)


def say_in_drawing(template: str, **values: object) -> Text:
    """As `say`, for text in an SVG."""
    return _in_all("tspan", template, values)


def translated(text: str) -> Text:
    """A sentence of the journal in all languages, if it is made by a template that is known."""
    for template, pattern in _patterns():
        if found := pattern.fullmatch(text):
            return say(template, **{name: _value(name, own) for name, own in found.groupdict().items()})
    return say("{text}", text=text)


def _value(name: str, text: str) -> object:
    """A value of a sentence of the journal."""
    if name in _LISTS:
        return listed(text.split(", "))
    return translated(text) if name in _SENTENCES else text


def listed(parts: Iterable[object], between: str = ", ") -> Text:
    """Parts one after the other, as each language separates them; `between` is ", ", "; " or " → ".

    Examples
    --------
    >>> listed([3, 5])
    '<span class="t" lang="en">3, 5</span><span class="t" lang="zh-TW">3、5</span>'
    """
    parts = list(parts)
    own = {
        lang: Markup(join([mark]).join(_in(lang, part) for part in parts))
        for lang, mark in zip(LANGUAGES, (between, _BETWEEN[between]), strict=True)
    }
    return _text("span", own, between.join(map(plain, parts)))


def network_in_words(text: str) -> Text:
    """A network layer by layer, such as `3 → 8 relu + input → 2`, in all languages."""
    return listed(map(translated, text.split(" → ")), " → ")


@lru_cache(maxsize=1)
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    """Templates, and what they may have become; those of more words of their own first, as they say more."""
    templates = sorted(JOURNAL, key=lambda each: len(re.sub(r"{\w+}", "", each)), reverse=True)
    return [(each, re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+)", re.escape(each)))) for each in templates]


def plain(text: object) -> str:
    """A text in English, without markup."""
    return text.plain if isinstance(text, Text) else str(text)


def in_title(text: object) -> str:
    """A text for what is shown under the pointer, where no style rule reaches: in all languages, one after
    the other.

    Examples
    --------
    >>> in_title(say("loss")), in_title("3 x 8")
    ('loss / 損失', '3 x 8')
    """
    if not isinstance(text, Text):
        return str(text)
    return " / ".join(dict.fromkeys(unescape(re.sub("<[^>]*>", "", own)) for own in text.own.values()))


def shortened(name: str, n_letters: int) -> str:
    """The beginning of a name, in each language as much as there is room for; letters of Chinese, Japanese
    and Korean are as wide as two.

    Examples
    --------
    >>> shortened("the average income", 11)
    'the averag…'
    """
    if not isinstance(name, Text):
        return _beginning(name, n_letters)
    own = {lang: join([_beginning(unescape(each), n_letters)]) for lang, each in name.own.items()}
    return _text("span", own, _beginning(name.plain, n_letters))


def letters_wide(name: str) -> int:
    """How many letters a name is wide, in the language in which it is widest.

    Examples
    --------
    >>> letters_wide("inputs"), letters_wide(say("inputs")), letters_wide("輸入與輸出")
    (6, 6, 10)
    """
    own = [unescape(each) for each in name.own.values()] if isinstance(name, Text) else [name]
    return max(sum(map(_width, each)) for each in own)


def _width(letter: str) -> int:
    return 2 if east_asian_width(letter) in "WF" else 1


def _beginning(name: str, n_letters: int) -> str:
    if letters_wide(name) <= n_letters:
        return name
    n_shown = sum(each < n_letters for each in accumulate(map(_width, name)))
    return f"{name[:n_shown]}…"


def in_drawing(text: str) -> str:
    """A text of `say` as one of `say_in_drawing`."""
    return (
        Markup(text.replace("<span", "<tspan").replace("</span", "</tspan"))
        if isinstance(text, Text)
        else text
    )


def _in_all(name: str, template: str, values: dict[str, object]) -> Text:
    templates = zip(LANGUAGES, (template, SENTENCES.get(template, template)), strict=True)
    own = {
        lang: Markup(join([each]).format_map({key: _in(lang, value) for key, value in values.items()}))
        for lang, each in templates
    }
    return _text(name, own, template.format_map({key: plain(value) for key, value in values.items()}))


def _in(lang: str, value: object) -> Markup:
    """A value in one language, escaped unless it is markup."""
    return value.own[lang] if isinstance(value, Text) else join([value])


def _text(name: str, own: dict[str, Markup], plain: str) -> Text:
    is_same = len(set(own.values())) == 1
    parts = [each if is_same else tag(name, each, class_="t", lang=lang) for lang, each in own.items()]
    text = Text(parts[0] if is_same else join(parts))
    text.plain, text.own = plain, own
    return text
