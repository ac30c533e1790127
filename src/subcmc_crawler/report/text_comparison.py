"""What was pushed beside what was pulled, as lines of text: for `report`, `show` and `compare`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from subcmc_crawler.model import Comparison, Ending
from subcmc_crawler.report.labels import DEFAULT_LANG, Labels, labels
from subcmc_crawler.report.lines import escaped, fit, shown, wrap
from subcmc_crawler.report.reasons import fault_sentence
from subcmc_crawler.report.sentences import listed

_MOST_CELLS: Final = 20
_MOST_FIELDS: Final = 12
_LONGEST: Final = 400


def comparison_sentence(comparison: Comparison, words: Labels) -> str:
    """What came of it, in a sentence without its full stop; fit to be shown."""
    if comparison.pushed is None:
        return _fault(comparison, words)
    if not comparison.compared:
        return words.say("compare.no_snapshot", pushed=comparison.pushed)
    names = ("pushed", "pulled", "equal", "differing", "only_pushed", "only_pulled")
    key = "compare.same" if comparison.same else "compare.different"
    return words.say(key, **{name: getattr(comparison, name) for name in names})


def comparison_doubts(comparison: Comparison, words: Labels) -> Iterable[str]:
    """What to keep in mind about it, a sentence each."""
    if comparison.snapshot is not None and comparison.snapshot != comparison.run:
        yield words.say("compare.older", run=comparison.snapshot)
    if comparison.pushed is not None and not comparison.sure:
        ending = comparison.endings[-1] if comparison.endings else ""
        yield words.say("compare.unsure", ending=words.word("ending", escaped(ending)))
    if comparison.unusable:
        yield words.say("compare.unusable", rows=comparison.unusable)
    if comparison.foreign:
        yield words.say("compare.foreign", rows=comparison.foreign)


def comparison_lines(comparison: Comparison | None, words: Labels, width: int) -> list[str]:
    """All of one comparison; no line where the platform was not asked."""
    if comparison is None:
        return []
    told = [comparison_sentence(comparison, words), *comparison_doubts(comparison, words)]
    if comparison.fields:
        told.append(words.say("compare.fields", fields=_fields(comparison, words)))
    told += _keys(comparison, words)
    return [line for text in told for line in wrap(text, width, indent="  ", hanging="    ")]


def night_lines(comparisons: Sequence[Comparison], words: Labels, width: int) -> list[str]:
    """All comparisons of a run: their sums, those that differ, and why some could not be made."""
    compared = [each for each in comparisons if each.compared]
    different = [each for each in compared if not each.same]
    told = [
        words.say(
            "compare.night",
            compared=len(compared),
            same=len(compared) - len(different),
            different=len(different),
            failed=len(comparisons) - len(compared),
        )
    ]
    if different:
        told.append(
            words.say(
                "compare.sums",
                only_pushed=sum(each.only_pushed or 0 for each in different),
                only_pulled=sum(each.only_pulled or 0 for each in different),
                differing=sum(each.differing or 0 for each in different),
            )
        )
        told.append(words["compare.legend"])
    told += [_entry(each, words) for each in different[:_MOST_CELLS]]
    if len(different) > _MOST_CELLS:
        told.append(words.say("compare.more", left=len(different) - _MOST_CELLS))
    told += _not_compared([each for each in comparisons if not each.compared], words)
    return [line for text in told for line in wrap(text, width, indent="  ", hanging="    ")]


def to_compare_text(
    comparisons: Sequence[Comparison], *, run: int, lang: str = DEFAULT_LANG, width: int = 100
) -> str:
    """What `subcmc compare` prints."""
    words = labels(lang)
    lines = night_lines(comparisons, words, width) if comparisons else ["  " + words["compare.nothing"]]
    return "\n".join([words.say("compare.command", run=run), *lines]) + "\n"


def _entry(comparison: Comparison, words: Labels) -> str:
    return words.say(
        "compare.entry",
        province=escaped(comparison.province),
        name=escaped(f"{comparison.cmc_id}/{comparison.dataset}"),
        sentence=words["list.clause"].join(
            [comparison_sentence(comparison, words), *comparison_doubts(comparison, words)]
        ),
    )


def _not_compared(comparisons: Iterable[Comparison], words: Labels) -> Iterable[str]:
    """Grouped by why, each group in a sentence."""
    groups: dict[str, list[str]] = {}
    for each in comparisons:
        why = _fault(each, words) if each.pushed is None else words["compare.no_base"]
        groups.setdefault(why, []).append(escaped(f"{each.cmc_id}/{each.dataset}"))
    for why, names in groups.items():
        yield words.say("compare.cells", fault=why, cells=len(names), names=listed(names, words, most=6))


def _fault(comparison: Comparison, words: Labels) -> str:
    if not comparison.fault and comparison.endings[-1:] == (Ending.STOPPED.value,):
        return words["compare.stopped"]
    told = fault_sentence(comparison.fault, comparison.detail, words)
    return words.say("compare.fault", fault=fit(shown(told), _LONGEST))


def _fields(comparison: Comparison, words: Labels) -> str:
    named = (
        words.say("compare.field", field=escaped(name), keys=keys) for name, keys in comparison.fields.items()
    )
    return listed(named, words, most=_MOST_FIELDS)


def _keys(comparison: Comparison, words: Labels) -> Iterable[str]:
    differing = [
        words.say("compare.key_fields", name=shown(each.key), fields=listed(map(escaped, each.fields), words))
        for each in comparison.differing_keys
    ]
    for kind, count, keys in (
        ("only_pushed", comparison.only_pushed, list(map(shown, comparison.only_pushed_keys))),
        ("only_pulled", comparison.only_pulled, list(map(shown, comparison.only_pulled_keys))),
        ("differing", comparison.differing, differing),
    ):
        if keys:
            named = listed(keys, words, most=len(keys))
            yield words.say(f"compare.{kind}", count=count, listed=len(keys), keys=named)
