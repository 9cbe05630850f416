# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tree's Git commit, made with the C(git) program.

The tree is a repository, or a folder of one. A commit holds exactly our files: what else is staged stays staged and out
of it. What it has to hold is read from the repository and not from the run, so a run that was killed between writing
and committing is committed by the next one. Hooks, signing and configuration of the repository are the user's and stay
in force.
"""

from __future__ import annotations

import os
import re
import subprocess
import typing as t
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field

from . import manifest, paths
from .errors import TreeError

# of the caller's environment only what says how to reach a server or where the configuration is; what names another
# repository, index or author would make us commit elsewhere
_KEPT = ("GIT_SSH", "GIT_SSL", "GIT_ASKPASS", "GIT_HTTP", "GIT_PROXY", "GIT_CONFIG_", "GIT_EXEC_PATH")
_DROPPED = ("GIT_CONFIG_PARAMETERS",)
_UNFINISHED = {
    "MERGE_HEAD": "a merge",
    "rebase-merge": "a rebase",
    "rebase-apply": "a rebase",
    "CHERRY_PICK_HEAD": "a cherry-pick",
    "REVERT_HEAD": "a revert",
    "BISECT_LOG": "a bisection",
}
_SECRET = re.compile(r"://[^/@\s]+@")
_TAIL = 12
_TIMEOUT = 600


@dataclass(frozen=True)
class Options:
    """How to commit.

    @param init: make a repository when the tree is in none.
    @param branch: branch of a repository that is made, and the one to push to; default the current one.
    @param name: who commits; default what Git is configured with, else this collection.
    @param email: their address.
    @param remote: where to push to; empty for nowhere.
    """

    init: bool = False
    branch: str = ""
    name: str = ""
    email: str = ""
    remote: str = ""


@dataclass(frozen=True)
class Difference:
    """How our files differ from the last commit; paths below the tree's root, sorted."""

    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.created or self.updated or self.removed)


@dataclass
class Repository:
    """The repository that holds the tree; see C(find) and C(make)."""

    root: str
    top: str
    git_dir: str
    prefix: str
    options: Options

    @property
    def unborn(self) -> bool:
        return _git(self.root, ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"], accept=(1,)).code != 0

    def check(self) -> None:
        """Refuses a state in which a commit would fail or get lost."""
        for name, what in _UNFINISHED.items():
            if os.path.exists(os.path.join(self.git_dir, name)):
                raise TreeError(self.top, f"{what} is not finished there.", "Finish or abort it, then run again.")
        unmerged = _git(self.top, ["ls-files", "--unmerged", "-z"]).items
        if unmerged:
            names = sorted({item.partition("\t")[2] for item in unmerged})
            raise TreeError(
                self.top, f"it has unmerged files: {', '.join(names[:5])}.", "Resolve the conflict, then run again."
            )
        if _git(self.top, ["symbolic-ref", "--quiet", "HEAD"], accept=(1,)).code:
            raise TreeError(
                self.top,
                "no branch is checked out (detached HEAD), so a commit would get lost.",
                "Run git switch <branch>, then run again.",
            )

    def committed(self) -> dict[str, manifest.Entry]:
        """The manifest of the last commit; empty when there is none."""
        shown = _git(self.root, ["cat-file", "blob", f"HEAD:{self.prefix}{paths.MANIFEST}"], accept=(128,))
        try:
            return manifest.parse(shown.out, "HEAD") if shown.code == 0 else {}
        except TreeError:
            return {}

    def commit(self, ours: Collection[str], describe: Callable[[Difference], str]) -> str:
        """Commits our files.

        @param ours: the paths that are ours, and those that this run removed. Those of the last commit's manifest are
          ours too.
        @param describe: gives the message.
        @returns: the id of the commit; empty when there was nothing to commit.
        """
        self.check()
        mine = {*ours, paths.MANIFEST, *self.committed()}
        if not self._dirty(mine):
            return ""
        feed = _nul(sorted(mine))
        _git(self.root, ["update-index", "--add", "--remove", "--replace", "-z", "--stdin"], feed=feed)
        staged = self._staged()
        difference = Difference(
            *(sorted(p for p, kind in staged.items() if kind in kinds and p in mine) for kinds in ("A", "MT", "D"))
        )
        if not difference:
            return ""
        arguments = [
            *self._identity(),
            "commit",
            "--quiet",
            "--cleanup=whitespace",
            f"--message={describe(difference)}",
        ]
        only = sorted((*difference.created, *difference.updated, *difference.removed))
        if len(only) == len(staged):
            _git(self.root, arguments, fix=_HOOK_FIX)
        else:
            _git(
                self.root,
                [*arguments, "--only", "--pathspec-from-file=-", "--pathspec-file-nul"],
                feed=_nul(only),
                fix=_HOOK_FIX,
            )
        return _git(self.root, ["rev-parse", "HEAD"]).out.decode().strip()

    def _dirty(self, mine: Collection[str]) -> bool:
        """Whether any of our files may differ from the last commit."""
        tracked = set(_git(self.root, ["ls-files", "--cached", "-z"]).items)
        if any(path not in tracked and os.path.lexists(os.path.join(self.root, path)) for path in mine):
            return True
        status = [
            "status",
            "--porcelain=v1",
            "-z",
            "--untracked-files=no",
            "--no-renames",
            "--ignore-submodules=all",
            "--",
            ".",
        ]
        # git shows paths from the top of the repository here
        return any(item[3:].removeprefix(self.prefix) in mine for item in _git(self.root, status).items)

    def _staged(self) -> dict[str, str]:
        """Every staged path with A, M, T or D. Those outside the tree begin with C(:/)."""
        base = "HEAD"
        if self.unborn:
            base = _git(self.root, ["hash-object", "-t", "tree", "--stdin"], feed=b"").out.decode().strip()
        items = _git(
            self.top, ["diff-index", "--cached", "--name-status", "--no-renames", "--ignore-submodules=all", "-z", base]
        ).items
        changes = {}
        for kind, path in zip(items[::2], items[1::2], strict=True):
            inside = path.startswith(self.prefix)
            changes[path[len(self.prefix) :] if inside else f":/{path}"] = kind[0]
        return changes

    def _identity(self) -> list[str]:
        chosen = []
        defaults = {"name": "k8s.self_provisioning", "email": "self-provisioning@localhost"}
        for key, given in (("name", self.options.name), ("email", self.options.email)):
            value = given
            if not value and not _git(self.root, ["config", "--get", f"user.{key}"], accept=(1,)).out.strip():
                value = defaults[key]
            if value:
                chosen += ["-c", f"user.{key}={value}"]
        return chosen

    def push(self) -> bool:
        """Pushes the current branch. Returns whether the remote had not had it."""
        remote = self.options.remote
        branch = self.options.branch or _git(self.root, ["symbolic-ref", "--short", "HEAD"]).out.decode().strip()
        check_name(remote, "remote")
        check_name(branch, "branch")
        pushed = _git(self.root, ["push", "--porcelain", "--", remote, f"HEAD:refs/heads/{branch}"], accept=(1, 128))
        if pushed.code == 0:
            return not re.search(r"^=\t", pushed.text, re.MULTILINE)
        said = pushed.said
        where = f"push of {self.top} to {_SECRET.sub('://***@', remote)}, branch {branch}"
        if re.search(r"\[rejected\]|fetch first|non-fast-forward", pushed.text + said):
            raise TreeError(
                where,
                "the remote has commits that this repository does not have; ours stay here.",
                f"Run git -C {self.top} pull --rebase {_SECRET.sub('://***@', remote)} {branch}, then run again.",
            )
        raise TreeError(
            where, f"it failed; the commits stay here.\n{said}", "Mend that, then run again: it is pushed then."
        )


_HOOK_FIX = "The files are written and staged. Mend that, then run again: they are committed then."


def find(root: str | os.PathLike[str], options: Options) -> Repository | None:
    """The repository that holds the tree; None when there is none and C(Options.init) allows to C(make) one.

    A tree inside another repository belongs to that, unless that repository ignores the folder.
    """
    root = os.path.realpath(root)
    if options.branch:
        check_name(options.branch, "branch")
    if options.remote:
        check_name(options.remote, "remote")
    found = _locate(root, options)
    ignored = found is not None and bool(found.prefix) and _ignored(found)
    if found is not None and not ignored:
        return found
    if options.init:
        return None
    raise TreeError(
        root,
        f"the repository {found.top} ignores this folder." if found else "it is not in a Git repository.",
        "Run git init there, or let this tool do it.",
    )


def make(root: str | os.PathLike[str], options: Options) -> Repository:
    """Makes a repository of the tree's folder."""
    root = os.path.realpath(root)
    _git(root, ["init", "--quiet", f"--initial-branch={options.branch or 'main'}", "--", root])
    found = _locate(root, options)
    if found is None:
        raise TreeError(root, "git init made no repository.", "Look at the configuration of Git.")
    return found


def check_name(name: str, what: str) -> None:
    """Refuses a remote or branch that Git could take for an option or for something else than a name."""
    if (
        not name
        or name.startswith("-")
        or any(ord(c) < 33 or ord(c) == 127 for c in name)
        or (what == "branch" and re.search(r"\.\.|[~^:?*\[\\]|@\{|//|\.lock$|[/.]$|^[/.]", name))
    ):
        raise TreeError(f"{what} {name!r}", f"it is not the name of a {what}.", "Correct it.")


def _locate(root: str, options: Options) -> Repository | None:
    found = _git(root, ["rev-parse", "--show-toplevel", "--absolute-git-dir", "--show-prefix"], accept=(128,))
    if found.code:
        if "not a git repository" in found.said:
            return None
        raise TreeError(root, f"Git cannot use it.\n{found.said}", "Follow what Git says, then run again.")
    top, git_dir, prefix = (os.fsdecode(line) for line in found.out.split(b"\n")[:3])
    return Repository(root, top, git_dir, prefix, options)


def _ignored(repository: Repository) -> bool:
    if _git(repository.root, ["ls-files", "--cached", "-z"]).items:
        return False
    # this command knows no literal paths; one that begins with a dot has no other meaning
    folder = f"./{repository.prefix.rstrip('/')}"
    return _git(repository.top, ["check-ignore", "--quiet", "--", folder], accept=(1,), literal=False).code == 0


class _Answer(t.NamedTuple):
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
        return _SECRET.sub("://***@", "\n".join(lines[-_TAIL:])) or "Git says nothing about why."


def _git(
    folder: str,
    arguments: Sequence[str],
    *,
    feed: bytes | None = None,
    accept: Iterable[int] = (),
    fix: str = "Mend that, then run again.",
    literal: bool = True,
) -> _Answer:
    command = ["git", *(["--literal-pathspecs"] if literal else []), "--no-pager", *arguments]
    try:
        done = subprocess.run(  # list arguments, never a shell
            command,
            cwd=folder,
            env=_environment(),
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
    answer = _Answer(done.returncode, done.stdout, done.stderr)
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
        if not key.startswith("GIT_") or (key.startswith(_KEPT) and key not in _DROPPED)
    }
    # questions have nobody to answer them; messages are looked at
    return {**kept, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_EDITOR": "true", "GIT_OPTIONAL_LOCKS": "0"}


def _nul(items: Iterable[str]) -> bytes:
    return b"".join(os.fsencode(item) + b"\0" for item in items)
