"""Labels of the HTML page of a night, and of the letter to a province, in English."""

from __future__ import annotations

from typing import Final

LABELS: Final = {
    "html.skip": "Skip to the content",
    "html.footer": "Made by subcmc; personal data are masked. All times are those of Beijing.",
    "html.eyebrow": "Ministry control centre · reconciliation of the provincial pull",
    "html.title": "Reconciliation of run {number} ({date}, {status})",
    "html.contents": "Contents",
    "html.since": "Since the run before",
    "html.new": "new faults {cells}",
    "html.recovered": "recovered {cells}",
    "html.streaks": "still open {cells}",
    "html.streak": "{runs} run{runs:|s} in a row",
    "html.back": "back to the matrix",
    "html.none": "none",
    "html.matrix": "Provinces by datasets: verdict and rows received/declared",
    "html.matrix_short": "Matrix",
    "html.legend": "A cell leads to its detail. Received/declared are the rows of this run and what "
    "the province declared; “-”: it declared no total.",
    "html.only": "Only what is not clean",
    "html.all": "Show every detail (for printing)",
    "html.causes": "Why it is not clean",
    "html.cells": "datasets: {cells}",
    "html.provinces": "Provinces",
    "html.accepted": "accepted",
    "html.tolerated": "tolerated",
    "html.took": "took",
    "html.rows": "received / declared",
    "html.rows_text": "{received:,} / {declared:,} row{declared:|s}",
    "html.stored": "stored",
    "html.change": "{added:,} added, {changed:,} changed, {removed:,} removed",
    "html.requests": "requests",
    "html.requests_text": "{attempts:,}, of them {failed:,} failed, {again:,} sent again",
    "html.bytes": "data",
    "html.rest": "cool-down",
    "html.flagged": "against the rules",
    "html.flagged_text": "{flagged:,} row{flagged:|s} flagged, {quarantined:,} quarantined",
    "html.contact": "contact",
    "html.growth": "change",
    "html.nights": "last 30 runs",
    "html.nights_text": "received in the last {nights} run{nights:|s}: {low:,} to {high:,} row{high:|s}",
    "html.changes": "Changed keys",
    "html.aside": "Quarantined rows",
    "html.rows_left": "... {left:,} row{left:|s} more",
    "html.letter": "A text to send to the province",
    "html.timeline": "{pages:,} page{pages:|s}, each HTTP 200, {rows:,} row{rows:|s}; median {middle:,.0f} ms, "
    "slowest {slowest:,.0f} ms; {again:,} page{again:|s} tried again",
    "head.address": "address",
    "head.kind": "what",
    "head.row": "row",
    "head.key": "key",
    "aside.not-an-object": "no JSON object",
    "aside.missing-key": "no primary key",
    "aside.empty-key": "empty primary key",
    "aside.bad-key": "unusable primary key",
    "aside.conflicting": "same key, other content; a later row replaced it",
    "aside.repeated": "a repetition of a replaced row",
    # what cells have in common whose reasons differ in their numbers
    "cause.no-address": "no pull address is registered",
    "cause.switched-off": "switched off in the registry",
    "cause.removed": "no longer in the registry",
    "cause.stopped": "the window closed or the run was stopped",
    "cause.mismatch": "other records stored than served",
    "cause.uncounted": "the stored records were not counted",
    "cause.unbalanced": "the counts do not balance",
    "cause.other-digest": "what is stored is not what was served",
    "cause.undeclared": "no total was declared",
    "cause.missing": "fewer rows than declared",
    "cause.missing-looping": "every page number gives the same page",
    "cause.surplus": "more rows than declared",
    "cause.late-total": "page 1 declared no total, a later page did",
    "cause.moved-total": "the total moved during the walk",
    "cause.wavered-total": "the total moved and came back",
    "cause.repeats-moved": "other rows repeated in each pass",
    "cause.moved-first-page": "page 1 changed during the walk",
    "cause.gone": "all records are gone",
    "cause.shrunk": "many records are gone",
    # the letter
    "letter.opening": "To the provincial centre of {province}\n\nDear colleagues,\n\nin run {run} ({at}) "
    "the ministry's control centre pulled your dataset “{title}” (interface {path}, interface "
    "specification V2.0.6, section {pull}; address {address}) and found the following:\n",
    "letter.item": "{number}. {text}",
    "letter.closing": "\nPlease look into this and tell us the cause and when it will be mended. "
    "There is no need to push anything afterwards: we pull and reconcile again in the next run. Do "
    "call us if we can help.\n\nWith kind regards,\nthe ministry's control centre",
    "letter.unreachable": "The registered pull addresses cannot be reached: {seen}. Please check service, "
    "network and certificates, and the registered pullAddressList (sections 2.1.1 and 1.2.1).",
    "letter.refused": "The interface answered with an error, or with something that cannot be read: {seen}. "
    "Please check it (sections 1.3.1, 1.3.3 and {pull}).",
    "letter.short": "Fewer rows came than total declared: {seen}. Please compare total with your pages "
    "(sections {pull} and 1.3.3).",
    "letter.surplus": "More rows came than total declared: {seen}. Please compare total with your pages "
    "(sections {pull} and 1.3.3).",
    "letter.drifting": "The data moved all the time, so that no consistent snapshot could be had: {seen}. Please "
    "do not write in the window, or page over a fixed snapshot (sections {pull} and 1.2.3).",
    "letter.shrunk": "There are far fewer records than last time: {seen}. Please confirm that they were really "
    "deleted (section {pull}).",
    "letter.duplicated": "Several rows have the same primary key, cmcId and {primary}: {seen}. Please clean up "
    "the duplicate keys (section {fields}).",
    "letter.quarantined": "{rows:,} {rows:row has|rows have} no usable primary key {primary} and could not be "
    "stored. Please complete {rows:it|them} (section {fields}).",
    "letter.rule": "Field {field}: {rows:,} {rows:row breaks|rows break} a rule ({rule}). Please mend {rows:it|them} "
    "by the table of fields (section {fields}).",
    "letter.sample": " A masked sample: {sample}",
    "letter.rules_left": "There {left:is|are} {left:,} further kind{left:|s} of rule breaks; we can send the list "
    "(section {fields}).",
    "letter.dangling": "Field {field}: {rows:,} {rows:row names|rows name} a record that is not in {target}. "
    "Please complete or correct {rows:it|them} (section {fields}).",
    "letter.late": "Field {field}: {rows:,} row{rows:|s} came before {rows:its parent|their parents}. "
    "Please serve parents first (section {pull}).",
    "letter.deviations": "The form of the answers differs from the specification: {names}. Please mend it "
    "(sections {pull} and 1.3.1).",
    "letter.drift": "{kinds:,} field{kinds:|s} came that the specification does not have: {names}. Please "
    "confirm {kinds:it|them} (section {fields}).",
}
