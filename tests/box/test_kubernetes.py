"""deploy/kubernetes: valid by the schemas of Kubernetes, hardened, and at one with the program."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from subcmc_crawler.config import VARIABLES
from subcmc_crawler.model import Shard

FOLDER = Path(__file__).parents[2] / "deploy" / "kubernetes"
VERSIONS = ("1.31", "1.34")
MANIFESTS: list[tuple[str, dict[str, Any]]] = [
    (f"{file.name} {document['kind']} {document['metadata']['name']}", document)
    for file in sorted(FOLDER.glob("*.yaml"))
    for document in yaml.safe_load_all(file.read_text("utf-8"))
]
OF = {name.partition(" ")[2]: manifest for name, manifest in MANIFESTS}
CRON = OF["CronJob subcmc-crawl"]["spec"]
JOB = CRON["jobTemplate"]["spec"]
DASHBOARD = OF["Deployment subcmc-dashboard"]["spec"]
PODS = {"crawl": JOB["template"], "dashboard": DASHBOARD["template"]}


@pytest.fixture(scope="module")
def checker() -> Any:
    """Imported by the worker that checks alone: it makes its grammars at import, which takes a second and more."""
    import kubernetes_validate

    return kubernetes_validate


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("manifest", [each for _, each in MANIFESTS], ids=[name for name, _ in MANIFESTS])
def test_is_valid(checker: Any, manifest: dict[str, Any], version: str) -> None:
    checker.validate(manifest, version, strict=True)


def test_the_checker_would_tell(checker: Any) -> None:
    wrong = {**OF["CronJob subcmc-crawl"], "spec": {**CRON, "timezone": "Asia/Shanghai"}}
    with pytest.raises(checker.ValidationError):
        checker.validate(wrong, VERSIONS[0], strict=True)


def test_the_night_is_one_in_shanghai_and_one_at_a_time() -> None:
    assert (CRON["timeZone"], CRON["concurrencyPolicy"]) == ("Asia/Shanghai", "Forbid")
    assert JOB["completionMode"] == "Indexed"
    assert JOB["completions"] == JOB["parallelism"]
    assert JOB["activeDeadlineSeconds"] < 24 * 3600
    assert JOB["template"]["spec"]["restartPolicy"] == "Never"


def test_each_index_is_a_shard_and_all_of_them_are_all(tmp_path: Path) -> None:
    (container,) = JOB["template"]["spec"]["containers"]
    told = tmp_path / "subcmc"
    told.write_text('#!/bin/sh\necho "$@"\n', encoding="utf-8")
    told.chmod(0o755)
    shards = []
    for index in range(JOB["completions"]):
        environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "JOB_COMPLETION_INDEX": str(index)}
        said = subprocess.run(
            container["command"], env=environment, capture_output=True, text=True, check=True, timeout=30
        )
        *words, shard = said.stdout.split()
        assert words == ["crawl", "--wait", "--shard"]
        shards.append(Shard.parse(shard))
    assert shards == [Shard(index, len(shards)) for index in range(1, len(shards) + 1)]


def test_what_would_end_the_same_again_is_not_tried_again() -> None:
    failing = [rule for rule in JOB["podFailurePolicy"]["rules"] if rule["action"] == "FailIndex"]
    (codes,) = [rule["onExitCodes"]["values"] for rule in failing]
    assert codes == [1, 2, 78]  # 69 and 75 may be over soon, and a pod that was killed has its part left


@pytest.mark.parametrize("name", PODS)
def test_every_pod_is_hardened(name: str) -> None:
    spec = PODS[name]["spec"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] == 10001  # as in the Dockerfile
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in spec["containers"]:
        context = container["securityContext"]
        assert context["readOnlyRootFilesystem"] is True
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["limits"]["memory"]
        assert not container["image"].endswith("latest")


@pytest.mark.parametrize("name", PODS)
def test_settings_are_known_and_what_is_mounted_is_there(name: str) -> None:
    spec = PODS[name]["spec"]
    volumes = {volume["name"]: volume for volume in spec["volumes"]}
    secrets = {name.partition(" ")[2] for name in OF if name.startswith("Secret ")}
    for volume in volumes.values():
        if "secret" in volume:
            assert volume["secret"]["secretName"] in secrets
            assert volume["secret"]["defaultMode"] == 0o440
    for container in spec["containers"]:
        mounts = {mount["mountPath"] for mount in container["volumeMounts"]}
        assert {mount["name"] for mount in container["volumeMounts"]} == set(volumes)
        for variable in container["env"]:
            assert variable["name"] in VARIABLES
            assert any(variable["value"].startswith(mount) for mount in mounts)


def test_the_dashboard_reads_with_the_user_that_may_only_read() -> None:
    volumes = DASHBOARD["template"]["spec"]["volumes"]
    names = [volume["secret"]["secretName"] for volume in volumes if "secret" in volume]
    assert names == ["subcmc-mongodb-reader", "subcmc-dashboard"]


@pytest.mark.parametrize("name", [name for name in OF if name.startswith("Secret ")])
def test_no_secret_is_in_the_examples(name: str) -> None:
    assert set(OF[name]["stringData"].values()) <= {""}
    assert "data" not in OF[name]


def test_policies_choose_pods_that_are_there() -> None:
    labels = [template["metadata"]["labels"] for template in PODS.values()]
    for name, manifest in OF.items():
        if not name.startswith("NetworkPolicy "):
            continue
        chosen = manifest["spec"]["podSelector"].get("matchLabels", {})
        assert any(chosen.items() <= each.items() for each in labels), name
    denied = OF["NetworkPolicy deny-all"]["spec"]
    assert denied == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert OF["Service subcmc-dashboard"]["spec"]["selector"].items() <= labels[1].items()
