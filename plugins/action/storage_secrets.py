# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the keys of storage into the fleet tree, encrypted; see the module of the same name."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import typing as t
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from ansible.errors import AnsibleActionFail

from ansible_collections.k8s.self_provisioning.plugins.module_utils._libraries import load
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects import storage
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.common import Object
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.flux_cluster import recipients
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree import commit, paths
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.emit import render
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.errors import TreeError
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils import _sops as sops
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._private_file import write
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._storage_action import StorageAction, secrets

if t.TYPE_CHECKING:
    import yaml
else:
    yaml = load("yaml")

SPEC: dict[str, t.Any] = {
    "path": {"type": "path", "required": True},
    "commit": {"type": "bool", "default": False},
    "push": {"type": "bool", "default": False},
    "remote": {"type": "str", "default": "origin"},
    "sops": {"type": "str", "default": "sops"},
}
_PREFIX = {storage.CEPH_SERVICE: "ceph-csi-", storage.NAS_SERVICE: "nfs-csi-"}
#: A salt, and what scrypt makes of it and the content: so a run that cannot decrypt sees that nothing has changed.
_DIGEST = "digest"
_MESSAGE = "Keys of {service}, encrypted\n"
_WORK = {"n": 2**14, "r": 8, "p": 1}


class ActionModule(StorageAction):
    """Runs on the controller and contacts no cluster."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        super().run(tmp, task_vars)
        arguments, fleet, cluster = self.prepared(SPEC, task_vars or {})
        check, root = bool(self._task.check_mode), Path(arguments["path"])
        if not root.is_dir() and not check:
            raise AnsibleActionFail(f"path: {root} is no folder. Run the playbook tenants first, which makes the tree.")
        folder = paths.cluster_folder(cluster.name, paths.SECRETS)
        prefix = f"{folder}/{_PREFIX[arguments['service']]}"
        given, keys = secrets(cluster, arguments), recipients(cluster, fleet.settings)
        if given.made and not keys:
            raise AnsibleActionFail(
                f"{cluster.name}: cluster_age_recipients is not set, so nothing can be encrypted. Set it first."
            )
        domain = fleet.settings.label_domain
        made = {f"{prefix}{secret['metadata']['name']}.yaml": secret for secret in given.made}
        texts = {
            path: _signed(secret, domain)
            for path, secret in made.items()
            if not _is_current(root / path, secret, keys, domain)
        }
        kept = {f"{prefix}{name}.yaml" for name in storage.secret_names(cluster, arguments["service"])}
        found = {str(path.relative_to(root)) for path in root.glob(f"{prefix}*.yaml")}
        gone = sorted(found - kept)
        result: dict[str, t.Any] = {
            "changed": bool(texts or gone),
            "written": list(texts),
            "removed": gone,
            "missing": given.missing,
            "commit": "",
            "pushed": False,
        }
        if self._task.diff:
            result["diff"] = [_diff(root, path, texts) for path in (*texts, *gone)]
        if not check:
            _write(arguments, root, texts, keys, gone)
        if not arguments["commit"] or not root.is_dir():
            return result
        try:
            repository = _repository(arguments, root)
            # also what an earlier run did not commit; but not what no key was given for: it may be in clear text
            before = {path for path in repository.files(folder) if path.startswith(prefix) and path.endswith(".yaml")}
            _commit(repository, {*made, *gone, *(before - kept)}, arguments["service"], result, check=check)
        except TreeError as error:
            raise AnsibleActionFail(str(error)) from None
        return result


def _repository(arguments: Mapping[str, t.Any], root: Path) -> commit.Repository:
    """@raises TreeError: there is none."""
    found = commit.find(str(root), commit.Options(remote=arguments["remote"] if arguments["push"] else ""))
    if found is None:
        raise TreeError(str(root), "it is in no Git repository.", "Run the playbook tenants with tenants_init=true.")
    return found


def _commit(
    repository: commit.Repository, ours: Collection[str], service: str, result: dict[str, t.Any], *, check: bool
) -> None:
    """Commits and pushes, or says in C(changed) whether there is something to commit or push."""
    if check:

        def content(path: str) -> bytes | None:
            file = Path(repository.root, path)
            return file.read_bytes() if file.is_file() else None

        committed = result["changed"] or bool(repository.foresee(ours, (), content))
        result["pushed"] = bool(repository.options.remote) and (repository.push(check=True) or committed)
    else:
        result["commit"] = repository.commit(ours, lambda _difference: _MESSAGE.format(service=service))
        committed = bool(result["commit"])
        result["pushed"] = bool(repository.options.remote) and repository.push()
    result["changed"] = result["changed"] or committed or result["pushed"]


def _write(
    arguments: Mapping[str, t.Any],
    root: Path,
    texts: Mapping[str, Object],
    keys: list[str],
    gone: Iterable[str],
) -> None:
    # all of them first: nothing is written when one fails
    encrypted = {
        path: sops.encrypt(arguments["sops"], render([secret], "storage").decode(), keys)
        for path, secret in texts.items()
    }
    for path, text in encrypted.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        write(root / path, text, mode=0o644)
    for path in gone:
        (root / path).unlink()


def _content(secret: Object) -> bytes:
    plain = {key: value for key, value in secret.items() if key != "metadata"}
    meta = {key: value for key, value in secret["metadata"].items() if key != "annotations"}
    return yaml.safe_dump({**plain, "metadata": meta}, sort_keys=True).encode()


def _signed(secret: Object, domain: str) -> Object:
    salt = os.urandom(16)
    digest = hashlib.scrypt(_content(secret), salt=salt, **_WORK)
    text = f"{base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"
    annotations = {**secret["metadata"].get("annotations", {}), f"{domain}/{_DIGEST}": text}
    return {**secret, "metadata": {**secret["metadata"], "annotations": dict(sorted(annotations.items()))}}


def _is_current(path: Path, secret: Object, keys: list[str], domain: str) -> bool:
    """Whether a file holds this Secret for these recipients, as far as can be seen without a private key."""
    try:
        salt, digest = sops.annotation(path, f"{domain}/{_DIGEST}", keys).split("$")
        made = hashlib.scrypt(_content(secret), salt=base64.b64decode(salt), **_WORK)
        return hmac.compare_digest(made, base64.b64decode(digest))
    except ValueError:
        return False


def _diff(root: Path, path: str, written: Collection[str]) -> dict[str, str]:
    before = "(encrypted)\n" if (root / path).exists() else ""
    after = "(encrypted, another one)\n" if path in written else ""
    return {"before_header": path, "after_header": path, "before": before, "after": after}
