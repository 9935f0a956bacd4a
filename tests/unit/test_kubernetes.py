"""deploy/kubernetes: every object as Kubernetes' own schemas want it, and the objects fit each other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from clickatlas.cli import cli
from clickatlas.links.destination import RESERVED
from clickatlas.redirect.apart import OWN
from clickatlas.settings import Settings

FOLDER = Path(__file__).parents[2] / "deploy" / "kubernetes"
KUSTOMIZATION: dict[str, Any] = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
VERSIONS = ("1.30", "1.37")  # the first where a container may sleep before it stops, and a new one
Thing = dict[str, Any]


def _all() -> Iterator[Thing]:
    for file in KUSTOMIZATION["resources"]:
        yield from yaml.safe_load_all((FOLDER / file).read_text())


OBJECTS = list(_all())


def _of(kind: str) -> list[Thing]:
    found = [thing for thing in OBJECTS if thing["kind"] == kind]
    assert found
    return found


def _containers(pod: Thing) -> list[Thing]:
    return [*pod.get("initContainers", []), *pod["containers"]]


PODS = [thing["spec"]["template"]["spec"] for thing in _of("StatefulSet")]


def test_every_file_is_applied() -> None:
    there = {path.name for path in FOLDER.glob("*.yaml")}
    assert there == {*KUSTOMIZATION["resources"], "kustomization.yaml"}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("thing", OBJECTS, ids=lambda thing: f"{thing['kind']}-{thing['metadata']['name']}")
def test_its_schema_takes_it(thing: Thing, version: str) -> None:
    kubernetes_validate.validate(thing, version, strict=True)


def test_the_schemas_would_refuse_a_mistake() -> None:
    wrong = yaml.safe_load((FOLDER / "settings.yaml").read_text()) | {"dta": {}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSIONS[0], strict=True)


def test_pods_are_found_by_who_looks_for_them() -> None:
    labels = [thing["spec"]["template"]["metadata"]["labels"] for thing in _of("StatefulSet")]
    selectors = [thing["spec"]["selector"] for thing in _of("Service")]
    for kind in ("StatefulSet", "PodDisruptionBudget"):
        selectors += [thing["spec"]["selector"]["matchLabels"] for thing in _of(kind)]
    assert all(any(wanted.items() <= one.items() for one in labels) for wanted in selectors)
    for thing in _of("Service"):
        [port] = thing["spec"]["ports"]
        ports = {p["name"] for pod in PODS for c in pod["containers"] for p in c.get("ports", [])}
        assert port["targetPort"] in ports


def test_the_settings_are_valid_and_no_secret_is_among_them() -> None:
    [given] = [thing["data"] for thing in _of("ConfigMap")]
    names = {name.removeprefix("CLICKATLAS_").lower(): value for name, value in given.items()}
    assert names.keys() <= Settings.model_fields.keys()
    Settings.model_validate(names)
    assert not {"database_url", "clicks_url"} & names.keys()
    said = (FOLDER / "settings.yaml").read_text()
    for name in re.findall(r"--from-literal=CLICKATLAS_(\w+)=", said):
        assert name.lower() in Settings.model_fields


def test_containers_run_commands_that_exist_as_nobody_special() -> None:
    for pod in PODS:
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] == 10001  # the image's
        disks = {"data", *(volume["name"] for volume in pod["volumes"])}
        for container in _containers(pod):
            closed = container["securityContext"]
            assert closed["readOnlyRootFilesystem"] is True
            assert closed["allowPrivilegeEscalation"] is False
            assert closed["capabilities"] == {"drop": ["ALL"]}
            assert {mount["name"] for mount in container["volumeMounts"]} == disks
            assert "memory" in container["resources"]["limits"]
            script = " ".join(container.get("command", []))
            words = container.get("args") or re.findall(r"clickatlas (\w+)", script)
            assert words
            assert all(word in cli.commands for word in words)


def test_what_answers_has_somebody_beside_it_who_counts() -> None:
    [redirect] = [pod for pod in PODS if pod["containers"][0]["args"] == ["redirect"]]
    assert [container.get("args") for container in redirect["containers"]][1] == ["ingest"]
    probes = redirect["containers"][0]
    assert probes["livenessProbe"]["httpGet"]["path"] == "/health/live"
    assert probes["readinessProbe"]["httpGet"]["path"] == "/health/ready"


def test_the_ingress_sends_the_apps_paths_to_the_app() -> None:
    [ingress] = _of("Ingress")
    [rule] = ingress["spec"]["rules"]
    services = {thing["metadata"]["name"] for thing in _of("Service")}
    to: dict[str, set[str]] = {}
    for path in rule["http"]["paths"]:
        to.setdefault(path["backend"]["service"]["name"], set()).add(path["path"].strip("/"))
    assert to.keys() == services == {"app", "redirect"}
    assert to["app"] == (RESERVED - OWN - {".well-known"}) | {""}
    assert to["redirect"] == {""}
