# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tree's Git commit, and its push.

The tree is a repository, or a folder of one. A commit holds exactly our files: what else is staged stays staged and out
of it. What it has to hold is read from the repository and not from the run, so a run that was killed between writing
and committing is committed by the next one. Hooks, signing and configuration of the repository are the user's and stay
in force.
"""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from . import git, manifest, paths
from .errors import TreeError

FIRST_BRANCH = "main"
NAME, EMAIL = "k8s.self_provisioning", "self-provisioning@localhost"
_UNFINISHED = {
    "MERGE_HEAD": "a merge",
    "rebase-merge": "a rebase",
    "rebase-apply": "a rebase",
    "CHERRY_PICK_HEAD": "a cherry-pick",
    "REVERT_HEAD": "a revert",
    "BISECT_LOG": "a bisection",
}
# another Git command on the same repository is soon over
_PATIENCE = 3.0
_STAGE_FIX = "The files are written. Mend that, then run again: they are committed then."
_HOOK_FIX = "The files are written and staged. Mend that, then run again: they are committed then."


@dataclass(frozen=True)
class Options:
    """How to commit. Making it checks it.

    @param init: make a repository when the tree is in none.
    @param branch: the branch that has to be checked out, and the first one of a repository that is made; empty for
      whichever is checked out, and C(main).
    @param name: who commits; default what Git is configured with, else this collection.
    @param email: their address.
    @param remote: where to push to; empty for nowhere.
    """

    init: bool = False
    branch: str = ""
    name: str = ""
    email: str = ""
    remote: str = ""

    def __post_init__(self) -> None:
        if self.branch:
            git.check_branch(self.branch)
        if self.remote:
            git.check_remote(self.remote)
        git.check_author(self.name, self.email)


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
    """The repository that holds the tree; see C(find) and C(make).

    @param root: the tree's folder, which may be missing.
    @param top: the folder of the repository.
    @param prefix: the way from there to the tree, empty or with a slash at its end.
    """

    root: str
    top: str
    git_dir: str
    prefix: str
    options: Options

    @property
    def unborn(self) -> bool:
        return git.run(self.top, ["rev-parse", "--verify", "--quiet", "HEAD^{commit}"], accept=(1,)).code != 0

    @property
    def branch(self) -> str:
        """The branch that is checked out; empty when none is."""
        return git.run(self.top, ["symbolic-ref", "--quiet", "--short", "HEAD"], accept=(1,)).out.decode().strip()

    def check(self) -> None:
        """Refuses a state in which a commit or its push would fail, get lost or go astray."""
        for name, what in _UNFINISHED.items():
            if os.path.exists(os.path.join(self.git_dir, name)):
                raise TreeError(self.top, f"{what} is not finished there.", "Finish or abort it, then run again.")
        self._check_lock()
        unmerged = git.run(self.top, ["ls-files", "--unmerged", "-z"]).items
        if unmerged:
            names = sorted({item.partition("\t")[2] for item in unmerged})
            raise TreeError(
                self.top, f"it has unmerged files: {', '.join(names[:5])}.", "Resolve the conflict, then run again."
            )
        branch = self.branch
        if not branch:
            raise TreeError(
                self.top,
                "no branch is checked out (detached HEAD), so a commit would get lost.",
                "Run git switch <branch>, then run again.",
            )
        if self.options.branch not in ("", branch):
            raise TreeError(
                self.top,
                f"the branch {branch} is checked out, and not {self.options.branch}.",
                f"Run git -C {self.top} switch {self.options.branch}, or ask for the branch {branch} or for none.",
            )
        if self.options.remote:
            _check_known(self.options.remote, self.root, git.run(self.top, ["remote"]).text.split("\n"))

    def _check_lock(self) -> None:
        lock = os.path.join(self.git_dir, "index.lock")
        end = time.monotonic() + _PATIENCE
        while os.path.lexists(lock):
            if time.monotonic() > end:
                raise TreeError(
                    lock,
                    "another Git command is at work in this repository, or was killed there.",
                    f"Wait for its end. If none is at work, remove the lock: rm {lock}. Then run again.",
                )
            time.sleep(0.05)

    def committed(self) -> dict[str, manifest.Entry]:
        """The manifest of the last commit; empty when there is none."""
        shown = git.run(self.top, ["cat-file", "blob", f"HEAD:{self.prefix}{paths.MANIFEST}"], accept=(128,))
        try:
            return manifest.parse(shown.out, "HEAD") if shown.code == 0 else {}
        except TreeError:
            return {}

    def files(self, folder: str) -> list[str]:
        """The paths of the files in a folder of the last commit."""
        listed = ["ls-tree", "--name-only", "-z", "HEAD", "--", f"{self.prefix}{folder}/"]
        return [path.removeprefix(self.prefix) for path in git.run(self.top, listed, accept=(128,)).items]

    def commit(self, ours: Collection[str], describe: Callable[[Difference], str]) -> str:
        """Commits our files.

        @param ours: the paths that are ours, and those that this run removed. Those of the last commit's manifest are
          ours too.
        @param describe: gives the message.
        @returns: the id of the commit; empty when there was nothing to commit.
        """
        self.check()
        mine = self._mine(ours)
        if not self._dirty(mine):
            return ""
        feed = git.nul(self.prefix + path for path in sorted(mine))
        add = ["update-index", "--add", "--remove", "--replace", "-z", "--stdin"]
        git.run(self.top, add, feed=feed, fix=_STAGE_FIX)
        staged = self._staged()
        difference = _difference(staged, mine)
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
            git.run(self.root, arguments, fix=_HOOK_FIX)
        else:
            git.run(
                self.root,
                [*arguments, "--only", "--pathspec-from-file=-", "--pathspec-file-nul"],
                feed=git.nul(only),
                fix=_HOOK_FIX,
            )
        return git.run(self.top, ["rev-parse", "HEAD"]).out.decode().strip()

    def foresee(
        self, ours: Collection[str], touched: Collection[str], content: Callable[[str], bytes | None]
    ) -> Difference:
        """What C(commit) would hold. Changes nothing.

        Git itself compares, in an index and an object store of their own, so that filters and attributes count.

        @param touched: paths that do not stand on disk as they would.
        @param content: what a path would hold then; None when it would be gone.
        """
        mine = self._mine(ours)
        looked_at = {*touched, *self._dirty(mine)} & mine
        if not looked_at:
            return Difference()
        store = git.run(self.top, ["rev-parse", "--git-path", "objects"]).out.decode().rstrip("\n")
        with tempfile.TemporaryDirectory(prefix="fleet-") as scratch:
            extra = {
                "GIT_DIR": self.git_dir,
                "GIT_WORK_TREE": f"{scratch}/tree",
                "GIT_INDEX_FILE": f"{scratch}/index",
                "GIT_OBJECT_DIRECTORY": f"{scratch}/objects",
                "GIT_ALTERNATE_OBJECT_DIRECTORIES": os.path.join(self.top, store),
            }
            os.makedirs(f"{scratch}/tree")
            os.makedirs(f"{scratch}/objects")
            git.run(f"{scratch}/tree", ["read-tree", "--empty" if self.unborn else "HEAD"], extra=extra)
            for path in looked_at:
                data = content(path)
                if data is not None:
                    _place(f"{scratch}/tree/{self.prefix}{path}", data, like=f"{self.root}/{path}")
            feed = git.nul(self.prefix + path for path in sorted(looked_at))
            update = ["update-index", "--add", "--remove", "--replace", "-z", "--stdin"]
            git.run(f"{scratch}/tree", update, feed=feed, extra=extra)
            return _difference(self._staged(extra), mine)

    def _mine(self, ours: Collection[str]) -> set[str]:
        return {*ours, paths.MANIFEST, *self.committed()}

    def _dirty(self, mine: Collection[str]) -> set[str]:
        """Those of our files that may differ from the last commit."""
        below = ["--", self.prefix or "."]
        tracked = {
            path.removeprefix(self.prefix) for path in git.run(self.top, ["ls-files", "--cached", "-z", *below]).items
        }
        new = {path for path in mine if path not in tracked and os.path.lexists(os.path.join(self.root, path))}
        status = [
            "status",
            "--porcelain=v1",
            "-z",
            "--untracked-files=no",
            "--no-renames",
            "--ignore-submodules=all",
            *below,
        ]
        return new | {item[3:].removeprefix(self.prefix) for item in git.run(self.top, status).items} & {*mine}

    def _staged(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """Every staged path with A, M, T or D. Those outside the tree begin with C(:/)."""
        base = "HEAD"
        if self.unborn:
            base = git.run(self.top, ["hash-object", "-t", "tree", "--stdin"], feed=b"").out.decode().strip()
        compare = ["diff-index", "--cached", "--name-status", "--no-renames", "--ignore-submodules=all", "-z", base]
        items = git.run(self.top, compare, extra=extra).items
        changes = {}
        for kind, path in zip(items[::2], items[1::2], strict=True):
            inside = path.startswith(self.prefix)
            changes[path[len(self.prefix) :] if inside else f":/{path}"] = kind[0]
        return changes

    def _identity(self) -> list[str]:
        chosen = []
        for key, value, default in (("name", self.options.name, NAME), ("email", self.options.email, EMAIL)):
            if value or not git.run(self.top, ["config", "--get", f"user.{key}"], accept=(1,)).out.strip():
                chosen += ["-c", f"user.{key}={value or default}"]
        return chosen

    def push(self, *, check: bool = False) -> bool:
        """Pushes the current branch. Returns whether the remote had not had it.

        @param check: only ask. The repository's hook is not run then.
        """
        remote, branch = self.options.remote, self.branch
        if check and self.unborn:
            return _would_be_first(remote, branch, self.top)
        how = ["--dry-run", "--no-verify"] if check else []
        refs = f"refs/heads/{branch}"
        pushed = git.run(self.top, ["push", "--porcelain", *how, "--", remote, f"{refs}:{refs}"], accept=(1, 128))
        if pushed.code == 0:
            return not re.search(r"^=\t", pushed.text, re.MULTILINE)
        where = f"push of {self.top} to {git.without_passwords(remote)}, branch {branch}"
        if re.search(r"\[rejected\]|fetch first|non-fast-forward", pushed.text + pushed.said):
            raise TreeError(
                where,
                "the remote has commits that this repository does not have; ours stay here.",
                f"Run git -C {self.top} pull --rebase {git.without_passwords(remote)} {branch}, then run again.",
            )
        raise TreeError(
            where, f"it failed; the commits stay here.\n{pushed.said}", "Mend that, then run again: it is pushed then."
        )


def find(root: str | os.PathLike[str], options: Options) -> Repository | None:
    """The repository that holds the tree; None when there is none and C(Options.init) allows to C(make) one.

    A tree inside another repository belongs to that, unless that repository ignores the folder.

    @param root: the tree's folder, which may be missing.
    """
    root = os.path.realpath(root)
    found = _locate(root, options)
    if found is not None and not (found.prefix and _ignored(found)):
        return found
    if not options.init:
        raise TreeError(
            root,
            f"the repository {found.top} ignores this folder." if found else "it is not in a Git repository.",
            "Correct the path, or for a new fleet tree give init=true (tenants_init=true of the role).",
        )
    if options.remote:
        _check_known(options.remote, root, ())
    return None


def make(root: str | os.PathLike[str], options: Options) -> Repository:
    """Makes a repository of the tree's folder."""
    root = os.path.realpath(root)
    git.run(root, ["init", "--quiet", f"--initial-branch={options.branch or FIRST_BRANCH}", "--", root])
    found = _locate(root, options)
    if found is None:
        raise TreeError(root, "git init made no repository.", "Look at the configuration of Git.")
    return found


def first_push(root: str, options: Options) -> bool:
    """Whether the push from a repository that is still to be made would bring something new."""
    return _would_be_first(options.remote, options.branch or FIRST_BRANCH, _existing(root))


def _would_be_first(remote: str, branch: str, folder: str) -> bool:
    asked = git.run(folder, ["ls-remote", "--", remote, f"refs/heads/{branch}"], accept=(128,))
    where = f"push to {git.without_passwords(remote)}, branch {branch}"
    if asked.code:
        raise TreeError(where, f"it would fail.\n{asked.said}", "Mend that first.")
    if asked.out.strip():
        raise TreeError(
            where, "the remote has commits on this branch, and this repository has none.", "Clone the remote instead."
        )
    return True


def _difference(staged: Mapping[str, str], mine: Collection[str]) -> Difference:
    return Difference(
        *(sorted(p for p, kind in staged.items() if kind in kinds and p in mine) for kinds in ("A", "MT", "D"))
    )


def _place(full: str, data: bytes, *, like: str) -> None:
    os.makedirs(os.path.dirname(full), exist_ok=True)
    with open(full, "wb") as file:
        file.write(data)
    if os.path.isfile(like) and os.stat(like).st_mode & 0o100 and _holds(like, data):
        os.chmod(full, 0o755)  # noqa: S103 - what stands there is executable, which Git records


def _holds(full: str, data: bytes) -> bool:
    with open(full, "rb") as file:
        return file.read() == data


def _check_known(remote: str, root: str, names: Iterable[str]) -> None:
    """Refuses a name that no remote has. What may be an address or a path is left to Git."""
    if re.search(r"[/:]", remote) or remote in names or os.path.isdir(os.path.join(root, remote)):
        return
    known = ", ".join(name for name in names if name) or "none"
    raise TreeError(
        f"remote {remote!r}",
        f"the repository of {root} has no remote of this name (it has {known}).",
        f"Run git remote add {remote} <address> there, or give the address itself.",
    )


def _existing(folder: str) -> str:
    """The nearest folder that is there."""
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    return folder


def _locate(root: str, options: Options) -> Repository | None:
    at = _existing(root)
    found = git.run(at, ["rev-parse", "--show-toplevel", "--absolute-git-dir", "--show-prefix"], accept=(128,))
    if found.code:
        if "not a git repository" in found.said:
            return None
        raise TreeError(root, f"Git cannot use it.\n{found.said}", "Follow what Git says, then run again.")
    top, git_dir, prefix = (os.fsdecode(line) for line in found.out.split(b"\n")[:3])
    if at != root:
        prefix += os.path.relpath(root, at) + "/"
    return Repository(root, top, git_dir, prefix, options)


def _ignored(repository: Repository) -> bool:
    if git.run(repository.top, ["ls-files", "--cached", "-z", "--", repository.prefix]).items:
        return False
    # this command knows no literal paths; one that begins with a dot has no other meaning
    folder = f"./{repository.prefix.rstrip('/')}"
    # the slash tells Git that a folder is meant which may not be there yet
    return (
        git.run(repository.top, ["check-ignore", "--quiet", "--", f"{folder}/"], accept=(1,), literal=False).code == 0
    )
