"""What no source of ours does: shells, code made of text, formats that run code, TLS without verification."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "subcmc_crawler"
SOURCES = sorted(path for folder in ("src", "tests", "docs", ".ci") for path in (ROOT / folder).rglob("*.py"))
OURS = [path for path in SOURCES if PACKAGE in path.parents]

Rule = Callable[[ast.AST], bool]
RUN_TEXT = {"eval", "exec", "compile", "__import__"}
FORBIDDEN_CALLS = {
    *("os.system", "os.popen", "os.execl", "os.execv", "os.execvp", "os.spawnl", "os.spawnv", "pty.spawn"),
    *("subprocess.getoutput", "subprocess.getstatusoutput", "asyncio.create_subprocess_shell"),
    *("yaml.load", "yaml.load_all", "yaml.unsafe_load", "yaml.full_load", "tempfile.mktemp"),
    *("ssl._create_unverified_context", "ssl.wrap_socket", "urllib.request.urlopen"),
}
FORBIDDEN_MODULES = {
    "pickle",
    "_pickle",
    "cPickle",
    "marshal",
    "shelve",
    "dill",
    "cloudpickle",
    "joblib",
    "dbm",
}
UNVERIFIED = "src/subcmc_crawler/province/credentials.py"
"""The one file in which an explicit setting of the registry switches verification off."""

WRITERS = {
    "cli/common.py": "own_file: for its owner alone",
    "cli/aftermath.py": "the metrics file, which holds no record and is read by a collector",
    "cli/simulating.py": "the registry of the demo, in the data directory",
    "store/local.py": "locks and port of a local mongod, in the data directory",
}


def named(node: ast.expr) -> str:
    """`a.b.c` as it is written, with what is no name left out."""
    if isinstance(node, ast.Attribute):
        return f"{named(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def runs_a_shell(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.keyword)
        and node.arg == "shell"
        and not (isinstance(node.value, ast.Constant) and node.value.value is False)
    )


def runs_text(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    name = named(node.func)
    return name in RUN_TEXT or name in FORBIDDEN_CALLS


def runs_what_it_reads(node: ast.AST) -> bool:
    if isinstance(node, ast.Import):
        return any(alias.name.partition(".")[0] in FORBIDDEN_MODULES for alias in node.names)
    return isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in FORBIDDEN_MODULES


def trusts_anyone(node: ast.AST) -> bool:
    """`verify=False`, `ssl=False`, `check_hostname = False`, CERT_NONE and CERT_OPTIONAL."""
    if isinstance(node, ast.keyword):
        return node.arg in ("verify", "ssl", "verify_ssl", "check_hostname") and _is_false(node.value)
    if isinstance(node, ast.Assign):
        names = {target.attr for target in node.targets if isinstance(target, ast.Attribute)}
        return bool(names & {"check_hostname", "verify"}) and _is_false(node.value)
    return isinstance(node, ast.Attribute) and node.attr in ("CERT_NONE", "CERT_OPTIONAL")


def _is_false(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


def writes_a_file(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Attribute) and node.func.attr in ("write_text", "write_bytes", "touch"):
        return True
    name = named(node.func)
    if name == "os.open":
        return True
    if name != "open" and not (isinstance(node.func, ast.Attribute) and node.func.attr == "open"):
        return False
    modes = [each.value for each in node.args if isinstance(each, ast.Constant)]
    modes += [each.value.value for each in node.keywords if isinstance(each.value, ast.Constant)]
    return any(isinstance(mode, str) and re.fullmatch(r"[rwaxbt]*[wax+][bt+]*", mode) for mode in modes)


def found(paths: list[Path], forbidden: Rule) -> Iterator[str]:
    for path in paths:
        for node in nodes(path):
            if forbidden(node):
                yield f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"


@cache
def nodes(path: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(path.read_text("utf-8"))))


@pytest.mark.parametrize("forbidden", [runs_a_shell, runs_what_it_reads])
def test_no_source_anywhere(forbidden: Rule) -> None:
    assert list(found(SOURCES, forbidden)) == []


def test_no_text_is_run_as_code_or_command() -> None:
    assert list(found(OURS, runs_text)) == []


def test_certificates_go_unverified_where_one_setting_says_so_and_nowhere_else() -> None:
    places = list(found(OURS, trusts_anyone))
    assert {place.partition(":")[0] for place in places} == {UNVERIFIED}
    (branch,) = [
        node
        for node in ast.walk(ast.parse((ROOT / UNVERIFIED).read_text("utf-8")))
        if isinstance(node, ast.If) and ast.unparse(node.test) == "not tls.verify"
    ]
    lines = {int(place.partition(":")[2]) for place in places}
    assert lines <= set(range(branch.lineno, (branch.end_lineno or 0) + 1))


def test_files_are_written_in_few_places() -> None:
    places = found(OURS, writes_a_file)
    files = {place.partition(":")[0].removeprefix("src/subcmc_crawler/") for place in places}
    assert files == set(WRITERS)


@pytest.mark.parametrize(
    ("forbidden", "text"),
    [
        (runs_a_shell, "run('ls', shell=True)"),
        (runs_a_shell, "run('ls', shell=flag)"),
        (runs_text, "eval('1')"),
        (runs_text, "os.system('ls')"),
        (runs_text, "yaml.load(text)"),
        (runs_what_it_reads, "import pickle"),
        (runs_what_it_reads, "from marshal import loads"),
        (trusts_anyone, "get(url, verify=False)"),
        (trusts_anyone, "Connector(ssl=False)"),
        (trusts_anyone, "context.check_hostname = False"),
        (trusts_anyone, "context.verify_mode = ssl.CERT_NONE"),
        (writes_a_file, "path.open('wb')"),
        (writes_a_file, "open(path, mode='a')"),
        (writes_a_file, "path.write_text('x')"),
    ],
)
def test_each_is_seen(forbidden: Rule, text: str) -> None:
    assert any(forbidden(node) for node in ast.walk(ast.parse(text)))


def test_every_security_rule_that_is_set_aside_has_its_reason_beside_it() -> None:
    bare = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in [*SOURCES, *sorted((ROOT / "benchmarks").glob("*.py"))]
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if (match := re.search(r"#\s*(?:ruff: )?noqa(.*)", line))
        and (re.search(r"\bS\d{3}", match[1]) or not match[1].strip())
        and not re.search(r"S\d{3}[\w, ]* - \w", match[1])
        and path != Path(__file__)
    ]
    assert bare == []


def test_ruff_knows_the_security_rules_and_leaves_out_none_for_the_package() -> None:
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    select = re.search(r"^select = \[(.*)\]", text, flags=re.M)
    ignored = re.search(r"^ignore = \[(.*?)^\]", text, flags=re.M | re.S)
    assert select
    assert ignored
    assert '"S"' in select[1]
    assert not re.search(r'"S\d', ignored[1])
    for line in text.splitlines():
        if re.search(r'^"[^"]+" = \[.*"S\d', line):
            assert line.startswith('"tests/')
            assert re.search(r"\]  # \w", line), line
