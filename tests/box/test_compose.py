"""docker-compose.yml, Dockerfile and what they mount."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile as (instruction, arguments), continuation lines joined and comments left out."""
    text = re.sub(r"^#.*\n", "", DOCKERFILE, flags=re.M).replace("\\\n", " ")
    pairs = (line.split(maxsplit=1) for line in text.splitlines() if line.strip())
    return [(name, re.sub(r"\s+", " ", rest)) for name, rest in pairs]


def final_stage() -> list[tuple[str, str]]:
    found = instructions()
    return found[max(i for i, (name, _) in enumerate(found) if name == "FROM") :]


def test_has_the_two_services_and_no_version() -> None:
    assert set(SERVICES) == {"mongo", "crawler"}
    assert "version" not in COMPOSE


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_every_service_is_hardened(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["init"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert "privileged" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert int(service["user"].split(":")[0]) > 0
    assert service["tmpfs"] == ["/tmp"]  # noqa: S108 - a mount inside the container
    assert service["restart"] == "unless-stopped"
    assert service["logging"]["options"]["max-size"]
    assert service["healthcheck"]["test"][0] == "CMD"
    assert "ports" not in service


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_images_are_pinned_by_tag(name: str) -> None:
    tag = SERVICES[name]["image"].partition(":")[2]
    assert re.match(r"\d+\.\d+", tag)


def test_mongo_is_on_an_internal_network_alone() -> None:
    assert SERVICES["mongo"]["networks"] == ["store"]
    assert COMPOSE["networks"]["store"]["internal"] is True
    assert set(SERVICES["crawler"]["networks"]) == {"store", "provinces"}


def test_mongo_starts_with_auth_and_keeps_its_data() -> None:
    mongo = SERVICES["mongo"]
    assert "--auth" in mongo["command"]
    assert "mongo-data:/data/db" in mongo["volumes"]
    assert "mongo-data" in COMPOSE["volumes"]


def test_passwords_come_from_files_only() -> None:
    for service in SERVICES.values():
        for variable in service["environment"]:
            assert not re.search(r"PASSWORD$|URI$|TOKEN$", variable)
        assert set(service["secrets"]) <= set(COMPOSE["secrets"])
    for secret in COMPOSE["secrets"].values():
        assert re.fullmatch(r"\./secrets/\w+\.txt", secret["file"])
    assert SERVICES["crawler"]["secrets"] == ["mongodb_uri"]


def test_the_crawler_waits_for_a_healthy_mongo_and_then_for_its_window() -> None:
    crawler = SERVICES["crawler"]
    assert crawler["depends_on"] == {"mongo": {"condition": "service_healthy"}}
    assert crawler["command"] == ["crawl", "--wait"]
    assert crawler["environment"]["MONGODB_URI_FILE"] == "/run/secrets/mongodb_uri"
    assert crawler["environment"]["SUBCMC_REGISTRY"] == "/etc/subcmc/provinces.toml"


def test_mounts_are_read_only_and_exist() -> None:
    for service in SERVICES.values():
        for volume in service["volumes"]:
            source, _, rest = volume.partition(":")
            if source.startswith("./"):
                assert rest.endswith(":ro")
                assert source == "./secrets/provinces" or (ROOT / source).exists()


def test_the_mongo_roles_name_the_secrets_that_mongo_is_given() -> None:
    users = json.loads((ROOT / "deploy" / "mongo" / "roles.json").read_text("utf-8"))["users"]
    asked = {user["secret"] for user in users}
    assert asked == {"mongo_crawler_password", "mongo_reader_password"}
    assert asked <= set(SERVICES["mongo"]["secrets"])


def test_the_mongo_roles_give_no_right_to_drop_or_to_administer() -> None:
    roles = (ROOT / "deploy" / "mongo" / "roles.json").read_text("utf-8")
    assert not re.search(r'"(drop\w*|root|dbOwner|userAdmin\w*|readWrite\w*|anyAction|dbAdmin\w*)"', roles)


def test_make_secrets_writes_every_secret_once(tmp_path: Path) -> None:
    shell = shutil.which("sh")
    assert shell is not None
    (tmp_path / "deploy").mkdir()
    script = shutil.copy(ROOT / "deploy" / "make-secrets.sh", tmp_path / "deploy")

    def run() -> dict[str, str]:
        subprocess.run([shell, script], check=True, capture_output=True)
        return {path.name: path.read_text() for path in (tmp_path / "secrets").glob("*.txt")}

    first = run()
    assert {f"./secrets/{name}" for name in first} >= {s["file"] for s in COMPOSE["secrets"].values()}
    assert all(first.values())
    assert first["mongo_crawler_password.txt"] in first["mongodb_uri.txt"]
    assert len(first["mongo_root_password.txt"]) == 64
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "secrets" / "mongodb_uri.txt").stat().st_mode & 0o777 == 0o444
    assert run() == first


def test_base_images_are_pinned() -> None:
    bases = [rest.split()[0] for name, rest in instructions() if name == "FROM"]
    assert bases == ["python:3.11-slim-bookworm"] * 2
    assert not re.search(r":latest\b", DOCKERFILE)


def test_everything_from_an_index_is_installed_by_hash_and_as_a_wheel() -> None:
    installs = [
        command
        for name, rest in instructions()
        if name == "RUN"
        for command in rest.split("&&")
        if "pip" in command and " install " in command
    ]
    assert len(installs) == 3
    for command in installs:
        if "--no-index" in command:
            assert "--no-deps" in command
        else:
            assert "--require-hashes" in command
            assert "--only-binary :all:" in command


def test_the_image_runs_as_a_numbered_user_and_stops_on_sigterm() -> None:
    stage = final_stage()
    assert ("USER", "10001:10001") in stage
    assert ("STOPSIGNAL", "SIGTERM") in stage
    assert ("ENTRYPOINT", '["subcmc"]') in stage
    assert ("CMD", '["crawl", "--wait"]') in stage
    after_user = [name for name, _ in stage[stage.index(("USER", "10001:10001")) :]]
    assert not {"RUN", "COPY", "ADD"} & set(after_user)


def test_the_image_needs_no_debian_package_and_writes_no_bytecode() -> None:
    assert "apt" not in DOCKERFILE
    environment = " ".join(rest for name, rest in final_stage() if name == "ENV")
    assert "PYTHONDONTWRITEBYTECODE=1" in environment
    assert "PYTHONUNBUFFERED=1" in environment


def test_the_image_has_the_health_check_of_the_compose_file() -> None:
    health = next(rest for name, rest in final_stage() if name == "HEALTHCHECK")
    assert health.endswith('["subcmc", "status", "--max-age", "26h"]')
    assert SERVICES["crawler"]["healthcheck"]["test"] == ["CMD", "subcmc", "status", "--max-age", "26h"]


def test_the_build_context_is_a_list_of_what_is_copied() -> None:
    lines = (ROOT / ".dockerignore").read_text("utf-8").split("\n")
    patterns = [line for line in lines if line and not line.startswith("#")]
    assert patterns[0] == "*"
    allowed = {pattern[1:] for pattern in patterns if pattern.startswith("!")}
    copied = {
        source.removeprefix("./")
        for name, rest in instructions()
        if name == "COPY" and "--from" not in rest
        for source in rest.split()[:-1]
    }
    assert copied == allowed
