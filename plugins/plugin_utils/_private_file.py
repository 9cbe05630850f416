# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are not for everybody: never readable by more people than meant, not even for a moment.

Private to the collection.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from ansible.errors import AnsibleActionFail


def write(path: Path, text: str, *, mode: int = 0o600, check: bool = False, fresh: bool = False) -> bool:
    """Replaces a file whole, unless it is that already; whether there was something to do.

    @param fresh: what is there stays, also what came to be there in the same moment.
    @raises AnsibleActionFail: it cannot be written.
    """
    data = text.encode()
    try:
        if path.is_file() and path.read_bytes() == data and path.stat().st_mode & 0o777 == mode:
            return False
        if check:
            return True
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                os.fchmod(handle, mode)
                file.write(data)
            (os.link if fresh else os.replace)(name, path)
        finally:
            with contextlib.suppress(OSError):
                os.unlink(name)
    except OSError as error:
        if fresh and isinstance(error, FileExistsError):
            return False
        raise AnsibleActionFail(f"{path} cannot be written: {error.strerror}.") from None
    return True
