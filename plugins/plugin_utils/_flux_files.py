# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files whose content comes to a cluster with Flux; the one with the age key is made when there is none.

Private to the collection.
"""

from __future__ import annotations

import base64
import datetime
import os
import typing as t
from pathlib import Path

from ansible_collections.k8s.self_provisioning.plugins.module_utils._live import flux
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.errors import LiveError
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.session import Session
from ansible_collections.k8s.self_provisioning.plugins.module_utils._objects.flux_install import AGE_KEY, AGE_KEYS
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils import _age as age
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils._private_file import write


def text(option: str, path: Path) -> str:
    """The content of a file.

    @param option: who names the file.
    @raises LiveError: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        what = f"cannot be read: {error.strerror}."
    except UnicodeDecodeError:
        what = "is no text in UTF-8."
    raise LiveError(option, f"{path} {what}", "Check the path.")


def age_key(session: Session, path: Path, result: dict[str, t.Any], *, check: bool) -> str:
    """The key of the file; of the cluster when the file is not there; else a new one.

    @param result: gets C(age_recipients), C(changed), and warnings.
    @raises LiveError: the file cannot be read, is damaged, or has another key than the cluster.
    """
    stored = base64.b64decode(flux.stored_key(session, AGE_KEYS, AGE_KEY)).decode(errors="replace")
    theirs = _recipients(f"the Secret {AGE_KEYS} of the cluster", stored) if stored else []
    if not os.path.lexists(path):
        key = stored or age.generate(datetime.datetime.now(datetime.timezone.utc))
        # What another cluster of the same run, or somebody else, has put there meanwhile stays, and is read.
        result["changed"] = write(path, key, check=check, fresh=True) or result["changed"]
        if check:
            result["age_recipients"] = theirs
            if not theirs:
                told = f"{path}: a key would be made, so its public key is known only after a run without check mode."
                result["warnings"] = [*result.get("warnings", []), told]
            return key
    key = text("age_key_file", path)
    result["age_recipients"] = ours = _recipients(str(path), key)
    # Sharing one is enough: that is how a key is replaced, with both of them for a while.
    if theirs and not {*ours} & {*theirs}:
        raise LiveError(
            "age_key_file",
            f"{path} and the Secret {AGE_KEYS} of the cluster hold different keys.",
            "Find out which one opens the tree, and remove the other.",
        )
    return key


def _recipients(where: str, key: str) -> list[str]:
    try:
        return age.recipients(key)
    except age.AgeKeyError as error:
        raise LiveError("age_key_file", f"{where}: {error}", "Restore it, or remove it to have a new one.") from None
