"""From a page to HTML, and the policy under which a browser may show it."""

from __future__ import annotations

import base64
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Final

from jinja2 import Environment
from markupsafe import Markup

from subcmc_crawler.dashboard import drawing
from subcmc_crawler.dashboard.links import Paths
from subcmc_crawler.dashboard.visit import Page
from subcmc_crawler.report.html.environment import environment
from subcmc_crawler.report.labels import labels

_HERE: Final = Path(__file__).parent
_ALWAYS: Final = (
    "default-src 'none'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def rendered(page: Page, lang: str, *, named: bool, nonce: str = "") -> str:
    """The HTML of a page; links keep the language when it was `named`."""
    made = _environment(lang, named)
    return made.get_template(page.template).render(**page.values, here=page.here, nonce=nonce)


def fragment(template: str, lang: str, *, named: bool, **values: object) -> str:
    """The HTML of a part of a page."""
    return _environment(lang, named).get_template(template).render(**values)


def policy(nonce: str = "") -> str:
    """The content security policy: our two style sheets by their hashes; with a nonce that one script, too."""
    styles = " ".join(f"'sha256-{_hash(text)}'" for text in _styles())
    listening = f"; script-src 'nonce-{nonce}'; connect-src 'self'" if nonce else ""
    return f"{_ALWAYS}; style-src {styles}{listening}"


@cache
def _environment(lang: str, named: bool) -> Environment:
    made = environment(labels(lang), Paths(lang if named else None), _HERE / "templates")
    made.globals |= {
        "dashboard_style": Markup(_styles()[1]),  # noqa: S704 - ours
        "others": {code: Paths(code) for code in ("zh", "en")},
        "plot": drawing,
    }
    return made


@cache
def _styles() -> tuple[str, str]:
    """What stands in the two style elements, exactly."""
    shared = files("subcmc_crawler.report.html").joinpath("style.css").read_text("utf-8")
    return shared, (_HERE / "dashboard.css").read_text("utf-8")


def _hash(text: str) -> str:
    return base64.b64encode(sha256(text.encode()).digest()).decode()
