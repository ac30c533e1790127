"""Cool-downs that survive a restart of the process (1.3.3)."""

from __future__ import annotations

from datetime import datetime

from subcmc_crawler.store.driver import Database


async def keep_rest(db: Database, cmc_id: str, until: datetime) -> None:
    """Writes down that a province rests until then; an earlier end than the one known is ignored."""
    await db["rests"].update_one({"_id": cmc_id}, {"$max": {"until": until}}, upsert=True)


async def kept_rest(db: Database, cmc_id: str) -> datetime | None:
    """Until when a province rests, as far as was written down; the time may be past."""
    found = await db["rests"].find_one({"_id": cmc_id})
    return found["until"] if found else None
