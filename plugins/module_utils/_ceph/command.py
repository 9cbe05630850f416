# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ceph's commands. No key is ever an argument of one: Ceph makes the keys itself."""

from __future__ import annotations

import errno
import json
import typing as t
from collections.abc import Callable, Mapping, Sequence

#: Runs a command; gives its exit code, output and errors.
Run = Callable[[list[str]], "tuple[int, str, str]"]


#: Options by which a module reaches Ceph; the doc fragment C(ceph) documents them.
ARGUMENTS: dict[str, t.Any] = {
    "command": {"type": "list", "elements": "str", "default": ["ceph"]},
    "conf": {"type": "path"},
    "keyring": {"type": "path"},
    "name": {"type": "str", "default": "client.admin"},
    "timeout": {"type": "int", "default": 10},
}


class CephError(Exception):
    """A command failed; the text says what, why and what to do."""


class Ceph:
    """One Ceph cluster."""

    def __init__(self, run: Run, program: Sequence[str], options: Sequence[str], timeout: int) -> None:
        self._run = run
        self._program = list(program)
        #: Those that all programs of Ceph know, and what only C(ceph) knows.
        self._shared = list(options)
        self._options = [*options, "--connect-timeout", str(timeout)]

    @classmethod
    def of(cls, run: Run, given: Mapping[str, t.Any]) -> Ceph:
        """As the options say."""
        options = ["--name", given["name"]]
        options += ["--conf", given["conf"]] if given["conf"] else []
        options += ["--keyring", given["keyring"]] if given["keyring"] else []
        return cls(run, given["command"], options, given["timeout"])

    def ask(self, *words: str, missing: t.Any = None) -> t.Any:
        """The answer to a question; I(missing) when Ceph says that there is no such thing."""
        code, output, errors = self._run([*self._program, *self._options, *words, "--format", "json"])
        if code == errno.ENOENT:
            return missing
        if code:
            raise _failed(words, code, errors)
        try:
            return json.loads(output or "null")
        except ValueError:
            raise CephError(f"ceph {' '.join(words)}: the answer is not JSON.") from None

    def do(self, *words: str) -> None:
        """Change something. What Ceph prints is not kept: it may be a key."""
        code, _unused, errors = self._run([*self._program, *self._options, *words])
        if code:
            raise _failed(words, code, errors)

    def init_pool(self, pool: str) -> None:
        """What C(rbd) wants before the first image. The program lies beside C(ceph)."""
        program = [*self._program[:-1], self._program[-1].removesuffix("ceph") + "rbd"]
        code, _unused, errors = self._run([*program, *self._shared, "pool", "init", pool])
        if code:
            raise _failed(("rbd", "pool", "init", pool), code, errors)


def _failed(words: Sequence[str], code: int, errors: str) -> CephError:
    said = errors.strip().splitlines()
    why = said[-1] if said else f"exit code {code}"
    fix = "Look at `ceph -s`."
    if "timed out" in errors or code == errno.EINTR:
        fix = "No monitor answered: check conf and that a majority of them runs."
    elif code in (errno.EACCES, errno.EPERM) or "ObjectNotFound" in errors or "keyring" in errors:
        fix = "Run where an administrator's keyring is, or name it with keyring."
    return CephError(f"ceph {' '.join(words)}: {why.rstrip('.')}. {fix}")
