"""A centre that breaks exactly one rule makes exactly that check speak, over real sockets."""

from __future__ import annotations

import centre
import pytest
from centre import card_of, result_of, wrong
from deviations import BREAKS
from ways import Way

from patience import Patience
from subcmc_crawler.conformance.checks import CHECKS

WAYS = [
    pytest.param(name, way, id=f"{name}-{number}-{way.outcome}")
    for name, ways in BREAKS.items()
    for number, way in enumerate(ways, 1)
]


IN_SECURING = {
    "tls-https", "tls-handshake", "tls-trusted", "tls-name", "tls-expiry", "tls-version", "auth-enforced",
}  # fmt: skip
"""What tests/conformance/test_securing.py breaks."""


def test_every_check_is_broken_somewhere() -> None:
    assert BREAKS.keys() | IN_SECURING == {check.id for check in CHECKS}


@pytest.mark.parametrize(("name", "way"), WAYS)
async def test_it_speaks_alone(monkeypatch: pytest.MonkeyPatch, name: str, way: Way) -> None:
    monkeypatch.setattr(centre, "hangs", Patience(monkeypatch, 61).ends_when(centre.hangs))
    card = await card_of(
        way.deviate,
        prepare=way.prepare,
        addresses=way.addresses,
        more=way.more,
        extra=way.extra,
    )
    expected = {"tls-https": "warn", name: way.outcome, **(way.also or {})}
    assert wrong(card) == {check: outcome for check, outcome in expected.items() if outcome != "not-checked"}
    result = result_of(card, name)
    assert result.found
    assert result.evidence
