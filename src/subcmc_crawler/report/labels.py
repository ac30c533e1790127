"""The words of every report, one catalogue a language; Chinese is the default.

A key is a dotted name, its text may hold named placeholders. What the placeholders are filled with is never
read as a template again, so a brace in a province's text stays a brace.
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
        return self.texts[key].format(**values)

    def word(self, group: str, word: str) -> str:
        """The label of a word in a group such as `ending`; the word itself when nobody wrote one."""
        return self.texts.get(f"{group}.{word}", word)


@cache
def labels(lang: str = DEFAULT_LANG) -> Labels:
    """The labels of a language, `zh` or `en`; KeyError for any other."""
    return Labels(lang, CATALOGUES[lang])
