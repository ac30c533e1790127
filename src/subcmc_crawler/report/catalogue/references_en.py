"""Labels of references between datasets in English."""

from typing import Final

LABELS: Final = {
    "references.title": "References to other datasets (they change no verdict)",
    "references.field": "field",
    "references.target": "names",
    "references.records": "records",
    "references.absent": "none named",
    "references.dangling": "point nowhere",
    "references.late": "before parent",
    "references.target_as_of": "as of run",
    "references.samples": "{field} names records that are not there, samples (masked):",
    "references.late_samples": "{field} names a parent that was served later (2.2.1.4), samples (masked):",
    "references.no_key": "(a value that can be no key)",
}
"""Key -> text; both languages have the same keys with the same placeholders."""
