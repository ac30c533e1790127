"""`subcmc compare`, and what `crawl`, `report` and `show` say of it, in processes of their own."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from shapes import shaped
from shells import Shell


def test_a_crawl_compares_and_every_command_tells(shell: Shell, provinces: Callable[..., int]) -> None:
    provinces("--ministry")
    crawled = shell("crawl", "--now", "--province", "110000")
    assert crawled.returncode == 0, crawled.stderr  # differences change no verdict
    assert "9 datasets compared: 7 the same, 2 with differences; 0 could not be compared." in crawled.stdout
    assert "1 only pushed, 3 only pulled, 3 with other content" in crawled.stdout

    shown = shell("show", "last", "110000/ua_user")
    assert "Fields that differ: position 3" in shown.stdout
    assert "Keys only pulled (masked, 2 of 2)" in shown.stdout

    told: dict[str, Any] = json.loads(shell("report", "--format", "json").stdout)
    cell = next(cell for cell in told["cells"] if cell["dataset"] == "ua_user")
    assert cell["pushed"] == cell["comparison"]["pushed"] == 99
    assert cell["comparison"]["onlyPulled"] == 2

    again = shell("compare", "--province", "110000", "--dataset", "hardware", "--format", "json")
    assert again.returncode == 1, again.stderr
    document = json.loads(again.stdout)
    assert document["schema"] == "subcmc.comparison/1"
    shaped(document)
    assert [(each["dataset"], each["onlyPulled"]) for each in document["cells"]] == [("hardware", 1)]

    same = shell("compare", "1", "--dataset", "mdm_device", "--lang", "zh")
    assert same.returncode == 0, same.stderr
    assert "已比对 1 个数据集：1 个一致" in same.stdout


def test_without_a_ministry_there_is_nobody_to_ask(shell: Shell, registered: object) -> None:
    del registered
    asked = shell("compare")
    assert asked.returncode == 78
    assert "query_url" in asked.stderr
    assert asked.stderr.count("\n") == 1
