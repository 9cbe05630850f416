# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The C(git) program: run without a shell, without questions, and without what could turn a name into a command."""

from __future__ import annotations

import os
import re
import subprocess
import typing as t
from collections.abc import Iterable, Mapping, Sequence

from .errors import TreeError

# of the caller's environment only what says how to reach a server or where the configuration is; what names another
# repository, index or author would make us commit elsewhere
_KEPT = ("GIT_SSH", "GIT_SSL", "GIT_ASKPASS", "GIT_HTTP", "GIT_PROXY", "GIT_CONFIG_", "GIT_EXEC_PATH")
_DROPPED = ("GIT_CONFIG_PARAMETERS",)
# those that only carry data; a remote such as ext:: runs a program. Who needs another one sets the variable himself
_PROTOCOLS = {"GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh"}
_HELPER = re.compile(r"[A-Za-z0-9+.-]+::")
_ADDRESS = re.compile(r"[^@<>\s]+@[^@<>\s]+")
_SECRET = re.compile(r"://[^/@\s]+@")
_TAIL = 12
_TIMEOUT = 600


class Answer(t.NamedTuple):
    """How a command of Git ended and what it said."""

    code: int
    out: bytes
    err: bytes

    @property
    def items(self) -> list[str]:
        return [os.fsdecode(item) for item in self.out.split(b"\0") if item]

    @property
    def text(self) -> str:
        return self.out.decode("utf-8", "replace")

    @property
    def said(self) -> str:
        """The end of what Git or a hook said, without passwords."""
        lines = self.err.decode("utf-8", "replace").strip().splitlines() or self.text.strip().splitlines()
        return without_passwords("\n".join(lines[-_TAIL:])) or "Git says nothing about why."


def run(
    folder: str,
    arguments: Sequence[str],
    *,
    feed: bytes | None = None,
    accept: Iterable[int] = (),
    fix: str = "Mend that, then run again.",
    literal: bool = True,
    extra: Mapping[str, str] | None = None,
) -> Answer:
    """Runs one command of Git.

    @param feed: its standard input.
    @param accept: exit codes besides 0 that are an answer.
    @param fix: what to do when it fails.
    @param literal: paths are paths and not patterns.
    @param extra: environment variables.
    """
    command = ["git", *(["--literal-pathspecs"] if literal else []), "--no-pager", *arguments]
    try:
        done = subprocess.run(  # list arguments, never a shell
            command,
            cwd=folder,
            env={**_environment(), **(extra or {})},
            input=b"" if feed is None else feed,
            capture_output=True,
            check=False,
            timeout=_TIMEOUT,
        )
    except FileNotFoundError:
        raise TreeError(
            folder, "the program git is not installed here.", "Install git, or turn the commit off."
        ) from None
    except subprocess.TimeoutExpired:
        raise TreeError(folder, f"git {_verb(arguments)} took more than {_TIMEOUT} seconds.", fix) from None
    answer = Answer(done.returncode, done.stdout, done.stderr)
    if answer.code and answer.code not in tuple(accept):
        raise TreeError(folder, f"git {_verb(arguments)} failed.\n{answer.said}\n", fix)
    return answer


def _verb(arguments: Sequence[str]) -> str:
    skip = False
    for argument in arguments:
        if skip:
            skip = False
        elif argument == "-c":
            skip = True
        else:
            return argument
    return ""


def _environment() -> dict[str, str]:
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith("GIT_") or key in _PROTOCOLS or (key.startswith(_KEPT) and key not in _DROPPED)
    }
    # questions have nobody to answer them; messages are looked at
    asked = {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_EDITOR": "true", "GIT_OPTIONAL_LOCKS": "0"}
    return {**_PROTOCOLS, **kept, **asked}


def nul(items: Iterable[str]) -> bytes:
    """Names as Git reads them from its standard input."""
    return b"".join(os.fsencode(item) + b"\0" for item in items)


def without_passwords(text: str) -> str:
    """I(text) fit for a log."""
    return _SECRET.sub("://***@", text)


def check_branch(name: str) -> None:
    """Refuses what is not the plain name of a branch, and what Git could take for an option."""
    odd = re.search(r"\.\.|[~^:?*\[\\]|@\{|//|\.lock(/|$)|[/.]$|^[/.]|/\.", name) or name == "@"
    if odd or _unusable(name):
        raise TreeError(f"branch {name!r}", "it is not the name of a branch.", "Correct it.")


def check_remote(name: str) -> None:
    """Refuses what is neither the name nor the address of a remote, and what Git could take for a command."""
    if _unusable(name):
        raise TreeError(f"remote {name!r}", "it is neither the name nor the address of a remote.", "Correct it.")
    if _HELPER.match(name):
        raise TreeError(
            f"remote {name!r}",
            "an address of this form runs a program here.",
            "Give the name of a remote, an address of ssh or https, or a path.",
        )


def check_author(name: str, email: str) -> None:
    """Refuses an author that Git would refuse, or read as something else."""
    if name and (not name.isprintable() or re.search(r"[<>]", name) or not re.search(r"\w", name)):
        raise TreeError(f"author_name {name!r}", "it is not a name.", "Write one line without < and >.")
    if email and not (email.isprintable() and _ADDRESS.fullmatch(email)):
        raise TreeError(f"author_email {email!r}", "it is not an address.", "Write one such as fleet-bot@example.org.")


def _unusable(name: str) -> bool:
    return not name or name.startswith("-") or any(ord(c) < 33 or ord(c) == 127 for c in name)
