"""What the pages say, in English and in traditional Chinese.

A page holds both; which one is seen is chosen on it, without any script. A text is a template in English,
and its translation is looked up by that; what comes from the data is put into both.
"""

import re
from functools import lru_cache

from threestep.report.html import Markup, join, tag
from threestep.report.traditional_chinese import JOURNAL, SENTENCES

LANGUAGES = {"en": "English", "zh-TW": "繁體中文"}
"""What a page may be read in, by the tags of BCP 47."""


_SENTENCES = ("why", "how")
"""Values of a sentence of the journal that are sentences of it themselves; others are names and numbers."""


class Text(Markup):
    """Markup of a text in all languages.

    Attributes
    ----------
    plain : str
        In English, without markup: for what stands in an attribute.
    """

    plain: str


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
            values = found.groupdict().items()
            return say(
                template, **{name: translated(own) if name in _SENTENCES else own for name, own in values}
            )
    return say("{text}", text=text)


@lru_cache(maxsize=1)
def _patterns() -> list[tuple[str, re.Pattern[str]]]:
    """Templates, and what they may have become; the longer ones first, as they say more."""
    templates = sorted(JOURNAL, key=len, reverse=True)
    return [(each, re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+)", re.escape(each)))) for each in templates]


def plain(text: object) -> str:
    """A text for an attribute."""
    return text.plain if isinstance(text, Text) else str(text)


def in_drawing(text: str) -> str:
    """A text of `say` as one of `say_in_drawing`."""
    return (
        Markup(text.replace("<span", "<tspan").replace("</span", "</tspan"))
        if isinstance(text, Text)
        else text
    )


def _in_all(name: str, template: str, values: dict[str, object]) -> Text:
    translated = SENTENCES.get(template)
    if translated is None:
        text = Text(_filled(template, values))
    else:
        texts = zip(LANGUAGES, (template, translated), strict=True)
        text = Text(join(tag(name, _filled(own, values), class_="t", lang=lang) for lang, own in texts))
    text.plain = template.format_map({key: plain(value) for key, value in values.items()})
    return text


def _filled(template: str, values: dict[str, object]) -> Markup:
    """A template with its values; its own text is escaped, too."""
    safe = {key: join([value]) for key, value in values.items()}
    return Markup(join([template]).format_map(safe))
