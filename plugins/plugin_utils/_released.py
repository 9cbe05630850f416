# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Released manifests, from a file or an address, each the one that was meant.

Private to the collection.
"""

from __future__ import annotations

import hashlib
import http.client
import typing as t
from collections.abc import Mapping
from pathlib import Path

from ansible.module_utils.urls import open_url

from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.errors import LiveError
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.entities import Cluster, Settings
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.common import Object
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.foundation import software, version_of
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.released import (
    ManifestError,
    check,
    objects_of,
)
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.git import without_passwords

#: The option with several of them.
MANIFESTS: dict[str, t.Any] = {
    "type": "list",
    "elements": "dict",
    "default": [],
    "options": {
        "service": {"type": "str", "required": True},
        "manifest": {"type": "str", "required": True},
        "checksum": {"type": "str"},
    },
}
_TIMEOUT = 60


def read(where: str, checksum: str | None) -> str:
    """The text of a manifest.

    @param checksum: C(sha256:) and hex digits; needed for an address.
    @raises LiveError: it cannot be read, or is another one.
    """
    called = without_passwords(where)
    try:
        if where.startswith(("http://", "https://")):
            if not checksum:
                raise LiveError("checksum", "a manifest from the network needs one.", "Give sha256:<hex digits>.")
            with open_url(where, timeout=_TIMEOUT) as answer:
                data = answer.read()
        else:
            data = Path(where).expanduser().read_bytes()
    except (OSError, ValueError, http.client.HTTPException) as error:
        why = without_passwords(str(error)) or type(error).__name__
        raise LiveError("manifest", f"{called} cannot be read: {why}.", "Check the address or the path.") from None
    found = f"sha256:{hashlib.sha256(data).hexdigest()}"
    if checksum and found != checksum.lower():
        raise LiveError("checksum", f"{called} has {found}, not {checksum}.", "It is another file: find out why.")
    try:
        return str(data.decode())
    except UnicodeDecodeError as error:
        raise LiveError("manifest", f"{called} is not YAML: {error}", "Get it again.") from None


def parsed(given: Mapping[str, t.Any], where: str) -> tuple[str, list[Object]]:
    """The text of a manifest, C(manifest) with C(checksum), and its objects.

    @param where: what to call it when it is none.
    @raises LiveError: it cannot be read, or is none.
    """
    text = read(given["manifest"], given["checksum"])
    try:
        return text, objects_of(text)
    except ManifestError as error:
        raise LiveError(without_passwords(where), error.what, error.fix) from None


def installed(
    service: str, given: Mapping[str, t.Any], cluster: Cluster, settings: Settings, where: str
) -> list[Object]:
    """The objects of a service, as its released manifest and the inventory make them.

    @raises LiveError: the manifest cannot be read, or is not the one that was meant.
    """
    values = settings.services.get(service, {})
    _text, objects = parsed(given, where)
    try:
        check(objects, service, version_of(service, cluster, settings), str(values.get("namespace", service)))
    except ManifestError as error:
        raise LiveError(where, error.what, error.fix) from None
    return software(objects, values)
