"""English words of the plan of a night."""

from __future__ import annotations

from typing import Final

LABELS: Final = {
    "plan.title": "Plan for {opening} to {closing}, {zone}",
    "plan.slots": "{provinces} province{provinces:|s}, at most {slots} at once",
    "plan.empty": "No province is registered.",
    "plan.province": "province",
    "plan.cmc_id": "cmcId",
    "plan.window": "window",
    "plan.start": "start",
    "plan.wait": "slot wait",
    "plan.lasts": "duration",
    "plan.ends": "end",
    "plan.estimated": "~ was never pulled in a whole run: the median of the others",
    "plan.no_history": "No whole run has finished yet, or none was looked at: durations, ends and load are unknown.",
    "plan.load": "Provinces at once, the most in each quarter of an hour",
    "plan.late": "Warning: {province} ({cmc_id}) will not end in its window: "
    "forecast {end}, the window closes at {closing}.",
}
