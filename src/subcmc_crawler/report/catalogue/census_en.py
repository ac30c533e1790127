"""Labels of the census of declared counts in English."""

from typing import Final

LABELS: Final = {
    "census.title": "Declared records by province and dataset ({at})",
    "census.told": "{provinces} province{provinces:|s}, {cells} dataset{cells:|s}: {declared} declared, "
    "{failed} could not be had, {off} not registered or switched off.",
    "census.province": "province",
    "census.sum": "sum",
    "census.fault": "failed",
    "census.undeclared": "none",
    "census.off": "-",
    "census.failed": "Could not be had",
    "census.entry": "{province} {cmc_id}: {names}: {fault}",
    "census.partial": "Sums leave out what could not be had.",
    "census.no_total": "the answer has no usable total",
    "census.begins": "{provinces} province{provinces:|s} will get at most {most} request{most:|s} in all, "
    "whatever {provinces:its window|their windows}; no database is read or written.",
}
"""Key -> text; both languages have the same keys with the same placeholders."""
