"""Labels of what a larger night needs, in English."""

from typing import Final

LABELS: Final = {
    "capacity.title": "A night of {centres:,} centre{centres:|s} with {rows:,} row{rows:|s} each, "
    "in a window of {window}",
    "capacity.total": "{rows:,} row{rows:|s}, {requests:,} request{requests:|s}, {size}, "
    "{writes:,} document{writes:|s} written, {cpu} of CPU.",
    "capacity.resource": "resource",
    "capacity.need": "what is needed of it",
    "capacity.time": "lasts",
    "capacity.share": "of the window",
    "capacity.pace": "pace of a centre",
    "capacity.slots": "slots of the workers",
    "capacity.cpu": "CPU of the workers",
    "capacity.line": "line of the run",
    "capacity.mongodb": "MongoDB",
    "capacity.need_pace": "{amount} request{amount:|s}, one centre after its pace",
    "capacity.need_slots": "{amount} of slots, divided among the workers",
    "capacity.need_cpu": "{amount} of CPU, divided among the workers",
    "capacity.need_line": "{amount} by max_run_bytes_per_second",
    "capacity.need_mongodb": "{amount} document{amount:|s}",
    "capacity.enough": "{workers:,} worker{workers:|s}, each a process on a core of its own with {memory:,} MB, "
    "{workers:ends|end} it in {seconds}. First to give out: {resource}.",
    "capacity.too_few": "{workers:,} worker{workers:|s} {workers:takes|take} {seconds}, longer than the window, "
    "for lack of: {resource}. Use more of them.",
    "capacity.never": "No number of workers ends it within the window: {resource} takes {seconds}.",
    "capacity.advice_pace": "One centre alone takes that long; a higher requests_per_second or a larger page_size, "
    "agreed with it, would help, more workers would not.",
    "capacity.advice_slots": "A larger max_provinces costs memory and nothing else, until the CPU gives out.",
    "capacity.advice_cpu": "More workers would help.",
    "capacity.advice_line": "A higher max_run_bytes_per_second would help, more workers would not.",
    "capacity.advice_mongodb": "A sharded MongoDB or a faster disk would help, more workers would not: "
    "docs/scale.md.",
    "capacity.measured": "By what earlier runs have cost ({runs}).",
    "capacity.measured_without_cpu": "By what earlier runs have cost ({runs}); their CPU time is not known, "
    "so that it is that of the reference machine (docs/scale.md).",
    "capacity.reference": "No run has finished yet, or none was looked at: by the figures of the reference machine "
    "(docs/scale.md).",
}
