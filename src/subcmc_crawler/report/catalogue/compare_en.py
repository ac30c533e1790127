"""Labels of the comparison of pushes with pulls in English."""

from typing import Final

LABELS: Final = {
    "compare.title": "Pushed against pulled (changes no verdict)",
    "compare.night": "{compared:,} dataset{compared:|s} compared: {same:,} the same, {different:,} with differences; "
    "{failed:,} could not be compared.",
    "compare.sums": "Differences: {only_pushed:,} only pushed, {only_pulled:,} only pulled, "
    "{differing:,} with other content.",
    "compare.legend": "Only pulled: the province has it and did not push it; only pushed: the ministry has it and "
    "the pull does not return it. Ask the province.",
    "compare.same": "{pushed:,} pushed, {pulled:,} pulled, the same one by one",
    "compare.different": "{pushed:,} pushed, {pulled:,} pulled: {only_pushed:,} only pushed, "
    "{only_pulled:,} only pulled, {differing:,} with other content, {equal:,} the same",
    "compare.no_snapshot": "{pushed:,} pushed; no snapshot to compare {pushed:it|them} with yet",
    "compare.no_base": "no snapshot to compare with yet",
    "compare.fault": "the ministry's query interface could not be walked: {fault}",
    "compare.stopped": "the ministry's query interface was not walked to its end: stopped, or out of time "
    "(overtime_minutes)",
    "compare.cells": "{fault}: {cells:,} ({names})",
    "compare.entry": "{province} {name}: {sentence}",
    "compare.more": "{left:,} more {left:has|have} differences: see the JSON report.",
    "compare.older": "compared with the snapshot of run {run}: this run has no complete one",
    "compare.unsure": "the walk of the query interface does not prove itself ({ending}): take differences as hints",
    "compare.unusable": "{rows:,} pushed {rows:row has|rows have} no usable key and {rows:was|were} not compared",
    "compare.foreign": "{rows:,} pushed {rows:row carries|rows carry} the cmcId of another province and "
    "{rows:was|were} not compared",
    "compare.fields": "Fields that differ: {fields}",
    "compare.field": "{field} {keys:,}",
    "compare.only_pushed": "Keys only pushed (masked, {listed:,} of {count:,}): {keys}",
    "compare.only_pulled": "Keys only pulled (masked, {listed:,} of {count:,}): {keys}",
    "compare.differing": "Keys with other content (masked, {listed:,} of {count:,}): {keys}",
    "compare.key_fields": "{name} ({fields})",
    "compare.command": "Run {run}: pushed against pulled",
    "compare.nothing": "This run has no dataset to compare.",
    "detail.places": "no rows were found: name their place by rows and total of [ministry] in the registry",
    "detail.shape": "no rows at {text}: check rows and total of [ministry] in the registry",
}
"""Key -> text; both languages have the same keys with the same placeholders."""
