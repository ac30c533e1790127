"""What the tests of the checks share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def no_system_authorities(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Those of the system are a quarter of what a check of a small centre takes, and no test needs them."""
    nobody = tmp_path / "no-authorities"
    nobody.mkdir()
    monkeypatch.setenv("SSL_CERT_FILE", str(nobody / "none.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(nobody))
