"""What a walk writes into the ledger: every request, every page, and how each pass ended."""

from __future__ import annotations

from collections.abc import Iterable

from subcmc_crawler.model import Attempt, PageRecord
from subcmc_crawler.province.page import Page
from subcmc_crawler.province.walking import PassFacts
from subcmc_crawler.store.aside import AsideRow
from subcmc_crawler.store.codec import pack_times, to_document
from subcmc_crawler.store.driver import Document
from subcmc_crawler.store.ids import END_ENTRY, END_OF_PAGES, attempt_entry, ledger_id, page_entry


class Entries:
    """The documents of one walk. `sequence` counts its requests, also those of an earlier process."""

    def __init__(self, run: int, cmc_id: str, dataset: str) -> None:
        self.sequence = 0
        self._walk = (run, cmc_id, dataset)

    def id(self, walk_pass: int, entry: str) -> str:
        """The identifier of an entry of the ledger or of the quarantine."""
        return ledger_id(*self._walk, walk_pass, entry)

    def from_page(self, walk_pass: int, ordinal: int) -> Document:
        """The entries of a page of a pass and of all pages after it, and their rows, as a range."""
        first, end = self.id(walk_pass, page_entry(ordinal)), self.id(walk_pass, END_OF_PAGES)
        return {"_id": {"$gte": first, "$lt": end}}

    def row(self, walk_pass: int, row: AsideRow) -> Document:
        """A row that is kept aside."""
        return {"_id": self.id(walk_pass, row.entry), **self.place(walk_pass), **row.fields}

    def place(self, walk_pass: int) -> Document:
        """The fields that say where an entry belongs."""
        run, cmc_id, dataset = self._walk
        return {"run": run, "cmcId": cmc_id, "dataset": dataset, "pass": walk_pass}

    def page(self, page: Page, record: PageRecord, order: Document) -> Document:
        """A page that was stored; `order` tells its keys."""
        return {
            "_id": self.id(record.walk_pass, page_entry(record.ordinal)),
            "kind": "page",
            **self.place(record.walk_pass),
            "ordinal": record.ordinal,
            "pageNum": record.page_num,
            "pageSize": record.page_size,
            "rows": len(page.records),
            "declared": page.total,
            "bytes": record.bytes,
            "milliseconds": record.milliseconds,
            "tries": record.tries,
            "at": record.at,
            "address": record.address,
            "deviations": list(page.deviations),
            "content": page.content,
            **order,
            "times": pack_times(page.collect_times),
        }

    def attempts(self, attempts: Iterable[Attempt]) -> list[Document]:
        """Requests, in the order in which they ended."""
        documents = []
        for attempt in attempts:
            self.sequence += 1
            document = to_document(attempt)
            walk_pass = document.pop("walkPass")
            entry = self.id(walk_pass, attempt_entry(self.sequence))
            documents.append({"_id": entry, "kind": "attempt", **self.place(walk_pass), **document})
        return documents

    def end(self, walk_pass: int, facts: PassFacts) -> Document:
        """How a pass ended."""
        return {
            "_id": self.id(walk_pass, END_ENTRY),
            "kind": "end",
            **self.place(walk_pass),
            **to_document(facts),
        }
