# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a cluster may go to another release of Flux: what stands in the way, all of it, before anything is changed.

Private to the collection.
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from ansible_collections.k8s.self_provisioning.plugins.module_utils._libraries import load
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live import flux_upgrade
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.errors import LiveError
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.session import Session
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.entities import Cluster
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.release_lines import RELEASE_LINES
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.common import Object
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree import manifest as tree_manifest
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree import paths
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.errors import TreeError

yaml = load("yaml")

_MARK = ".fluxcd.io/"
_SHOWN = 20


def moves(
    session: Session,
    cluster: Cluster,
    manifest: Iterable[Object],
    tree: str | None,
    result: dict[str, t.Any],
    *,
    anyway: bool,
) -> list[flux_upgrade.Move]:
    """The definitions that lose API versions.

    @param tree: the fleet tree, whose files are looked at as well.
    @param result: gets C(outdated), and warnings.
    @param anyway: what is still declared in versions that go is no reason to stop.
    @raises LiveError: something stands in the way.
    """
    manifest = list(manifest)
    _kubernetes(session, cluster)
    found = flux_upgrade.moves(session, manifest)
    outdated = flux_upgrade.outdated(session, found)
    files = list(_files(Path(tree).expanduser(), cluster, flux_upgrade.served(manifest))) if tree else []
    result["outdated"] = [
        {"kind": o.kind, "namespace": o.namespace, "name": o.name, "version": o.version, "applied_by": o.applied_by}
        for o in outdated
    ] + [{"file": file, "kind": kind, "name": name, "version": version} for file, kind, name, version, _own in files]
    theirs = [each.text for each in outdated if not each.ours]
    theirs += [f"{file}: {kind} {name}, {version}" for file, kind, name, version, own in files if not own]
    if theirs:
        listed = "; ".join(theirs[:_SHOWN]) + (f"; and {len(theirs) - _SHOWN} more" if len(theirs) > _SHOWN else "")
        what = f"Flux {RELEASE_LINES[cluster.release_line].flux} does not serve what is declared here: {listed}."
        if not anyway:
            raise LiveError(
                "API versions",
                what,
                "Have it declared in the version that both releases serve, and applied; or set allow_outdated, and "
                "each of these fails from the upgrade on until it is changed, while what is there stays.",
            )
        result.setdefault("warnings", []).append(what)
    if any(each.ours for each in outdated) or any(own for *_rest, own in files):
        result.setdefault("warnings", []).append(
            "The fleet tree still has API versions of the older Flux. Run the playbook tenants and push as soon as "
            "this is done; until then what is there stays as it is."
        )
    return found


def _kubernetes(session: Session, cluster: Cluster) -> None:
    line = RELEASE_LINES[cluster.release_line]
    told = session.get("/version") or {}
    here = tuple(int(re.sub(r"\D", "", str(told.get(key))) or 0) for key in ("major", "minor"))
    if here < tuple(int(part) for part in line.flux_kubernetes.split(".")):
        raise LiveError(
            "Kubernetes",
            f"the cluster has {told.get('gitVersion')}, and Flux {line.flux} needs {line.flux_kubernetes} or newer.",
            "Upgrade Kubernetes first: see the playbook upgrade.",
        )


def _files(
    root: Path, cluster: Cluster, served: Mapping[tuple[str, str], list[str]]
) -> Iterator[tuple[str, str, str, str, bool]]:
    """Objects of the tree in versions that are not served: file, kind, name, version, and whether a run writes it."""
    if not root.is_dir():
        raise LiveError("tree", f"{root} is no folder.", "Name the folder of the fleet tree.")
    written = root / paths.MANIFEST
    try:
        own = tree_manifest.parse(written.read_bytes(), str(written)) if written.exists() else {}
    except TreeError as error:
        raise LiveError("tree", str(error)) from None
    for path in _applied(root, cluster):
        text = path.read_text(encoding="utf-8", errors="replace")
        if _MARK not in text:
            continue
        try:
            # every value as text: none of them may be one that cannot be made
            documents = list(yaml.load_all(text, Loader=yaml.BaseLoader))
        except yaml.YAMLError:
            continue  # Flux says so itself, in any release
        name = path.relative_to(root).as_posix()
        for each in (found for document in documents for found in _objects(document)):
            version, kind, meta = str(each.get("apiVersion")), str(each.get("kind")), each.get("metadata")
            known = served.get((version.partition("/")[0], kind))
            if known is not None and version not in known:
                called = str(meta.get("name")) if isinstance(meta, dict) else "without a name"
                yield name, kind, called, version, name in own


def _applied(root: Path, cluster: Cluster) -> Iterator[Path]:
    """The files from which the cluster takes objects; of its applications all but the overlays of other stages."""
    below = [paths.cluster_folder(cluster.name), paths.policies_folder(cluster.release_line)]
    below += [f"{paths.APPS}/{app}" for app in sorted(set(cluster.get("apps") or ()))]
    for folder in below:
        for path in sorted((*(root / folder).rglob("*.yaml"), *(root / folder).rglob("*.yml"))):
            steps = path.relative_to(root).parts
            if steps[0] != paths.APPS or steps[2] != "overlays" or steps[3] in (cluster.stage, path.name):
                yield path


def _objects(document: t.Any) -> Iterator[Mapping[str, t.Any]]:
    """A document, and what it lists."""
    if isinstance(document, dict):
        yield document
        items = document.get("items") if document.get("kind") == "List" else None
        for each in items if isinstance(items, list) else ():
            yield from _objects(each)
