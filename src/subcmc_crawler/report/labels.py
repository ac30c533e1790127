"""The words of every report, one catalogue a language; Chinese is the default.

A key is a dotted name, its text may hold named placeholders. What the placeholders are filled with is never
read as a template again, so a brace in a province's text stays a brace.

A placeholder whose format has a bar chooses between two words by a count: `{rows:,} row{rows:|s}`, `{rows:is|are}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from subcmc_crawler.report.catalogue import CATALOGUES

__all__ = ["CATALOGUES", "DEFAULT_LANG", "Labels", "labels"]

DEFAULT_LANG: Final = "zh"


@dataclass(frozen=True, slots=True)
class Labels:
    """The catalogue of one language."""

    lang: str
    texts: Mapping[str, str]

    def __getitem__(self, key: str) -> str:
        """The text of a key as it stands; KeyError names a key that nobody wrote."""
        return self.texts[key]

    def say(self, key: str, **values: object) -> str:
        """The text of a key with its placeholders filled in."""
        text = self.texts[key]
        if "|" in text:
            return text.format(**{name: _Counted(value) for name, value in values.items()})
        return text.format(**values)

    def word(self, group: str, word: str) -> str:
        """The label of a word in a group such as `ending`; the word itself when nobody wrote one."""
        return self.texts.get(f"{group}.{word}", word)


@dataclass(frozen=True, slots=True)
class _Counted:
    """A value that also chooses words: the first of two stands beside 1, as a number or as it is printed."""

    value: object

    def __format__(self, spec: str) -> str:
        one, bar, many = spec.partition("|")
        if not bar:
            return format(self.value, spec)
        return one if self.value in (1, "1") else many


@cache
def labels(lang: str = DEFAULT_LANG) -> Labels:
    """The labels of a language, `zh` or `en`; KeyError for any other."""
    return Labels(lang, CATALOGUES[lang])
