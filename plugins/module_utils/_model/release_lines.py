# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Release lines: one tested set of versions each. The data stand in C(lines/), one file for each line.

A new line is a new file. Nothing else in the collection names a version.
"""

from __future__ import annotations

import datetime
import importlib.resources
import json
import typing as t
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Version = tuple[int, ...]


def version(text: str) -> Version:
    """C(1.30.3) or C(v2.28.1) as numbers, to compare."""
    return tuple(int(part) for part in text.removeprefix("v").split("."))


def minor(text: str) -> str:
    """C(1.30) of C(1.30.3)."""
    return ".".join(text.split(".")[:2])


@dataclass(frozen=True)
class KubesprayRelease:
    """One tag of Kubespray, with what its playbooks ask for.

    I(kubernetes) maps each minor version that it installs to its newest patch; I(ansible_core) is the first version
    that works and the first that no longer does; I(plain_versions) are the version variables that it refuses with a
    leading v; I(removed) maps variables that it refuses to what to do.
    """

    tag: str
    commit: str
    ansible_core: tuple[str, str]
    python: tuple[str, ...]
    kubernetes: Mapping[str, int]
    components: Mapping[str, str]
    network_plugins: tuple[str, ...]
    booleans: tuple[str, ...]
    plain_versions: tuple[str, ...]
    removed: Mapping[str, str]
    addons: tuple[str, ...]
    writes_hosts_file: bool

    def installs(self, kubernetes: str) -> bool:
        newest = self.kubernetes.get(minor(kubernetes))
        return newest is not None and version(kubernetes) <= (*version(minor(kubernetes)), newest)

    @property
    def range(self) -> str:
        minors = sorted(self.kubernetes, key=version)
        return f"{minors[0]}.0 to {minors[-1]}.{self.kubernetes[minors[-1]]}"


@dataclass(frozen=True)
class Step:
    """One step of an upgrade: a Kubernetes version, and the Kubespray that brings it."""

    kubernetes: str
    kubespray: str


@dataclass(frozen=True)
class ReleaseLine:
    """One line.

    I(flux_kubernetes): the oldest Kubernetes that its Flux runs on. I(flux_api): versions of the Go modules
    C(github.com/fluxcd/<name>/api) that flux2 names. I(follows): the line before it, and I(steps): how a cluster gets
    here from there, one minor version at a time. I(services): versions of platform services that a role of this
    collection installs.
    """

    name: str
    kubernetes: str
    end_of_life: str
    flux: str
    flux_kubernetes: str
    oci_repository: str
    flux_api: Mapping[str, str]
    helm_retry_strategy: bool
    services: Mapping[str, str]
    kubespray: str
    follows: str | None
    steps: tuple[Step, ...]

    @property
    def release(self) -> KubesprayRelease:
        return KUBESPRAY_RELEASES[self.kubespray]

    def ended(self, today: datetime.date) -> bool:
        """Whether its Kubernetes gets no more fixes."""
        return today.isoformat() > self.end_of_life

    def as_dict(self) -> dict[str, t.Any]:
        release = self.release
        return {
            "name": self.name,
            "kubernetes": self.kubernetes,
            "end_of_life": self.end_of_life,
            "flux": self.flux,
            "kubespray": {
                "tag": release.tag,
                "commit": release.commit,
                "ansible_core": list(release.ansible_core),
                "python": list(release.python),
            },
            "services": dict(self.services),
            **release.components,
        }


def _line(data: Mapping[str, t.Any]) -> ReleaseLine:
    flux = data["flux"]
    return ReleaseLine(
        name=data["name"],
        kubernetes=data["kubernetes"],
        end_of_life=data["end_of_life"],
        flux=flux["version"],
        flux_kubernetes=flux["kubernetes"],
        oci_repository=flux["oci_repository"],
        flux_api=flux["api"],
        helm_retry_strategy=flux["helm_retry_strategy"],
        services=data["services"],
        kubespray=data["kubespray"],
        follows=data["follows"],
        steps=tuple(Step(**step) for step in data["steps"]),
    )


def _release(tag: str, data: Mapping[str, t.Any]) -> KubesprayRelease:
    lists = {key: tuple(value) for key, value in data.items() if isinstance(value, list)}
    return KubesprayRelease(tag=tag, **{**data, **lists})


def read(folder: t.Any) -> tuple[dict[str, ReleaseLine], dict[str, KubesprayRelease]]:
    """Every line of I(folder), a path, the oldest first, and every Kubespray that they use."""
    files = [each for each in folder.iterdir() if each.name.endswith(".json")]
    found = [json.loads(each.read_text(encoding="utf-8")) for each in files]
    found.sort(key=lambda data: version(data["name"]))
    releases = {
        tag: _release(tag, release) for data in found for tag, release in sorted(data["kubespray_releases"].items())
    }
    return {data["name"]: _line(data) for data in found}, releases


#: They belong to the program like its code, so they are read once, when it starts.
RELEASE_LINES, KUBESPRAY_RELEASES = read(importlib.resources.files(__package__) / "lines")


def successors(name: str, lines: Mapping[str, ReleaseLine] | None = None) -> list[ReleaseLine]:
    """The lines after I(name), in the order in which a cluster reaches them."""
    lines = RELEASE_LINES if lines is None else lines
    found: list[ReleaseLine] = []
    here = name
    while True:
        following = [line for line in lines.values() if line.follows == here]
        if not following:
            return found
        found.append(following[0])
        here = following[0].name


def ended_lines(
    used: Mapping[str, Iterable[str]], today: datetime.date, lines: Mapping[str, ReleaseLine] | None = None
) -> list[str]:
    """A sentence for each line in use that is past its end of life.

    @param used: for each line, the clusters that are on it.
    """
    lines = RELEASE_LINES if lines is None else lines
    told = []
    for name in sorted(used, key=version):
        line = lines[name]
        if not line.ended(today):
            continue
        clusters = ", ".join(sorted(used[name]))
        alive = [each for each in successors(name, lines) if not each.ended(today)]
        if alive:
            walk = " → ".join(
                [line.kubernetes, *(s.kubernetes for each in _until(name, alive[0], lines) for s in each.steps)]
            )
            way = (
                f"Upgrade path: {walk}, one minor version at a time. Set cluster_release_line: "
                f'"{alive[0].name}" for one cluster, then run the playbook upgrade with --tags plan.'
            )
        else:
            way = "No later line of this collection is supported either; look for a newer collection."
        told.append(
            f"Release line {name} (Kubernetes {line.kubernetes}) has had no security fixes since {line.end_of_life}. "
            f"It is used by {clusters}. {way}"
        )
    return told


def _until(name: str, last: ReleaseLine, lines: Mapping[str, ReleaseLine]) -> list[ReleaseLine]:
    way = successors(name, lines)
    return way[: way.index(last) + 1]
