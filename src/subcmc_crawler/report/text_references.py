"""What the fields of a dataset name, as lines of text: part of `subcmc show`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from subcmc_crawler.model import NamedKey, ReferenceCount
from subcmc_crawler.report.labels import Labels
from subcmc_crawler.report.lines import escaped, fit, shown, table


def reference_lines(counts: Sequence[ReferenceCount], words: Labels, width: int) -> list[str]:
    """A line for each reference, then the masked samples of what points nowhere and of what came too late."""
    if not counts:
        return []
    heads = [
        words[f"references.{column}"]
        for column in ("field", "target", "records", "absent", "dangling", "late", "target_as_of")
    ]
    lines = table(heads, [_row(count, words) for count in counts], aligns="llrrrrr", width=width)
    for count in counts:
        lines += _samples("references.samples", count, count.samples, words, width)
        lines += _samples("references.late_samples", count, count.late_samples, words, width)
    return lines


def _row(count: ReferenceCount, words: Labels) -> tuple[str, ...]:
    unknown = words["text.unknown"]
    numbers = (count.records, count.absent, count.dangling)
    return (
        escaped(count.field),
        escaped(count.target),
        *(f"{number:,}" if count.counted else unknown for number in numbers),
        unknown if count.late is None else f"{count.late:,}",
        unknown if count.target_as_of is None else str(count.target_as_of),
    )


def _samples(
    key: str, count: ReferenceCount, samples: Iterable[NamedKey], words: Labels, width: int
) -> Iterable[str]:
    pairs = [f"{shown(each.key)} -> {shown(each.named) or words['references.no_key']}" for each in samples]
    if pairs:
        yield "  " + fit(words.say(key, field=escaped(count.field)), width - 2)
        yield from (fit(f"    {pair}", width) for pair in pairs)
