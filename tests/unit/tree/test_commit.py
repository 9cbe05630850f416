# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Git commit: exactly our files, whatever else goes on in the repository."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import typing as t
from pathlib import Path

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree import commit, paths, writer
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.commit import Options
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.emit import Content
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.errors import TreeError

from .support import document, files

A, B = "clusters/a/tenants/x/x-p-dev.yaml", "policies/1.30/two.yaml"
DIRTY = (
    "GIT_DIR",
    "GIT_INDEX_FILE",
    "GIT_WORK_TREE",
    "GIT_AUTHOR_NAME",
    "GIT_AUTHOR_DATE",
    "GIT_PREFIX",
    "GIT_OBJECT_DIRECTORY",
)


@pytest.fixture(autouse=True)
def _lonely_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No configuration of this machine, and the environment of a caller that is itself a Git hook."""
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.delenv("GIT_CONFIG_GLOBAL", raising=False)
    for name in DIRTY:
        monkeypatch.setenv(name, "/nowhere")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "tree").mkdir()
    return tmp_path / "tree"


def git(folder: Path, *arguments: str, feed: str = "") -> str:
    clean = {key: value for key, value in os.environ.items() if key not in DIRTY}
    done = subprocess.run(
        ["git", "-c", "user.name=me", "-c", "user.email=me@example.org", *arguments],
        cwd=folder,
        env=clean,
        input=feed,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def repository(root: Path, **options: t.Any) -> commit.Repository:
    chosen = Options(init=True, **options)
    return commit.find(root, chosen) or commit.make(root, chosen)


def save(root: Path, wanted: t.Mapping[str, Content], message: str = "message", **options: t.Any) -> str:
    ours = {*wanted, *writer.sync(root, wanted).removed}
    return repository(root, **options).commit(ours, lambda difference: f"{message}\n\n{difference}")


def noting(seen: list[commit.Difference], message: str) -> t.Callable[[commit.Difference], str]:
    def describe(difference: commit.Difference) -> str:
        seen.append(difference)
        return message

    return describe


def in_head(folder: Path) -> list[str]:
    return git(folder, "ls-tree", "-r", "--name-only", "HEAD").split()


def status(folder: Path) -> list[str]:
    return git(folder, "status", "--porcelain", "--untracked-files=all").splitlines()


def test_a_repository_is_made_and_everything_committed(root: Path) -> None:
    sha = save(root, files(A, B))
    assert sha == git(root, "rev-parse", "HEAD").strip()
    assert git(root, "branch", "--show-current") == "main\n"
    assert in_head(root) == [paths.MANIFEST, A, B]
    assert status(root) == []
    assert git(root, "log", "-1", "--format=%an <%ae>, %cn <%ce>").strip() == ", ".join(
        ["k8s.self_provisioning <self-provisioning@localhost>"] * 2
    )


def test_nothing_to_commit(root: Path) -> None:
    save(root, files(A, B))
    index = (root / ".git/index").stat().st_mtime_ns
    assert save(root, files(A, B)) == ""
    assert git(root, "rev-list", "--count", "HEAD") == "1\n"
    assert (root / ".git/index").stat().st_mtime_ns == index


def test_the_message_is_told_what_changed(root: Path) -> None:
    save(root, files(A, B))
    seen: list[commit.Difference] = []
    wanted = {A: [document("new")], "clusters/b.yaml": [document("b")]}
    writer.sync(root, wanted)
    repository(root).commit(wanted, noting(seen, "#1 subject\n\n# body\n"))
    assert seen == [commit.Difference(["clusters/b.yaml"], [paths.MANIFEST, A] if paths.MANIFEST < A else [], [B])]
    assert git(root, "log", "-1", "--format=%B") == "#1 subject\n\n# body\n\n"
    assert in_head(root) == [paths.MANIFEST, A, "clusters/b.yaml"]


@pytest.mark.parametrize("place", ["", "fleet/", "fleet/é ü/$(touch x)/"])
def test_other_changes_stay_where_they_are(root: Path, place: str) -> None:
    git(root, "init", "-q", "-b", "main")
    for name in ("kept", "staged", "both", "gone"):
        (root / name).write_text("1")
    git(root, "add", ".")
    git(root, "commit", "-qm", "theirs")
    tree = root / place
    tree.mkdir(parents=True, exist_ok=True)
    (root / "staged").write_text("2")
    (root / "new").write_text("2")
    (root / "both").write_text("2")
    git(root, "add", "staged", "new", "both")
    git(root, "rm", "-q", "--cached", "gone")
    (root / "both").write_text("3")
    (root / "kept").write_text("3")
    (tree / "clusters").mkdir()
    (tree / "clusters/foreign").write_text("x")
    before = set(status(root))

    assert save(tree, files(A, B))
    assert set(status(root)) == before
    assert git(root, "show", "HEAD:both") == "1"
    assert git(root, "show", ":both") == "2"
    names = git(root, "diff", "--name-only", "-z", "HEAD~", "HEAD").rstrip("\0").split("\0")
    assert sorted(names) == sorted(f"{place}{name}" for name in (A, B, paths.MANIFEST))
    assert save(tree, files(A)), "and a removal"
    assert set(status(root)) == before
    assert save(tree, files(A)) == ""
    assert not (root / "x").exists()


def test_only_the_tree_of_a_folder_is_looked_at(root: Path) -> None:
    """The same paths outside the tree's folder are not ours."""
    git(root, "init", "-q", "-b", "main")
    (root / A).parent.mkdir(parents=True)
    (root / A).write_text("theirs")
    git(root, "add", A)
    assert save(root / "fleet", files(A))
    assert status(root) == [f"A  {A}"]


def test_names_with_pathspec_magic_are_names(root: Path) -> None:
    names = [
        "clusters/*.yaml",
        "clusters/:(glob)**",
        "clusters/-x",
        "clusters/a b\nc",
        "clusters/[a]",
        "clusters/é",
        ":!x",
    ]
    (root / "clusters").mkdir()
    (root / "clusters/foreign.yaml").write_text("x")
    (root / "x").write_text("x")
    save(root, files(*names))
    committed = git(root, "ls-tree", "-r", "-z", "--name-only", "HEAD").rstrip("\0").split("\0")
    assert sorted(committed) == sorted([*names, paths.MANIFEST])
    git(root, "add", "x")
    assert save(root, files(*names[:3], **{"clusters__new": "new"}))
    assert status(root) == ["A  x", "?? clusters/foreign.yaml"]


def test_an_earlier_run_that_was_killed_before_its_commit_is_committed(root: Path) -> None:
    save(root, files(A, B))
    writer.sync(root, {A: [document("second")], "clusters/c.yaml": [document("c")]})
    git(root, "add", "clusters/c.yaml")
    seen: list[commit.Difference] = []
    assert not writer.sync(root, {A: [document("second")], "clusters/c.yaml": [document("c")]}).changed
    repository(root).commit([A, "clusters/c.yaml"], noting(seen, "late"))
    assert (seen[0].created, A in seen[0].updated, seen[0].removed) == (["clusters/c.yaml"], True, [B])
    assert status(root) == []


def test_a_file_that_was_staged_and_is_no_longer_wanted(root: Path) -> None:
    save(root, files(A))
    writer.sync(root, files(A, B))
    git(root, "add", "-A")
    save(root, files(A))
    assert (status(root), in_head(root)) == ([], [paths.MANIFEST, A])


def dying(number: int) -> t.Any:
    """A subprocess.run that kills this process before its call I(number)."""
    calls = 0
    real = subprocess.run

    def run(*arguments: t.Any, check: bool = False, **options: t.Any) -> t.Any:
        nonlocal calls
        calls += 1
        if calls > number:
            os.kill(os.getpid(), 9)
        return real(*arguments, check=check, **options)

    return run


@pytest.mark.parametrize("first", [True, False])
def test_killed_between_any_two_git_commands(tmp_path: Path, first: bool) -> None:
    for number in range(20):
        root = tmp_path / str(number)
        root.mkdir()
        repository(root)
        if not first:
            save(root, files(A, B))
        (root / "theirs").write_text("x")
        git(root, "add", "theirs")
        wanted = {A: [document("new")], "clusters/new.yaml": [document("new")]}
        writer.sync(root, wanted)
        found = repository(root)
        child = os.fork()
        if not child:
            subprocess.run = dying(number)
            try:
                found.commit(wanted, lambda _unused: "killed")
            finally:
                os._exit(0)
        _unused, ended = os.waitpid(child, 0)
        save(root, wanted)
        assert in_head(root) == [paths.MANIFEST, A, "clusters/new.yaml"]
        assert status(root) == ["A  theirs"]
        assert git(root, "rev-list", "--count", "HEAD").strip() == ("1" if first else "2")
        if not os.WIFSIGNALED(ended):
            break
    else:
        pytest.fail("the commit never ended")
    assert number > 5


# --- who commits ------------------------------------------------------------------------------------------------------


def test_the_configured_identity_is_used(root: Path) -> None:
    git(root, "init", "-q", "-b", "main")
    git(root, "config", "user.name", "Ops")
    git(root, "config", "user.email", "ops@example.org")
    save(root, files(A))
    assert git(root, "log", "-1", "--format=%an <%ae>").strip() == "Ops <ops@example.org>"
    save(root, files(B), name="Bot --amend", email="bot@example.org")
    assert git(root, "log", "-1", "--format=%an <%ae>, %cn").strip() == "Bot --amend <bot@example.org>, Bot --amend"


def test_hooks_are_run_and_a_refusal_is_told(root: Path) -> None:
    save(root, files(A))
    hook = root / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'not on a friday, https://user:secret@host/x' >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(TreeError) as caught:
        save(root, files(A, B))
    assert "git commit failed.\nnot on a friday, https://***@host/x\n" in str(caught.value)
    assert "The files are written and staged. Mend that, then run again" in str(caught.value)
    hook.unlink()
    assert save(root, files(A, B))
    assert status(root) == []


def test_a_hook_says_much(root: Path) -> None:
    save(root, files(A))
    hook = root / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nseq 1 500 >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(TreeError, match=r"git commit failed\.\n489\n(\d+\n)+500\n"):
        save(root, files(A, B))


def test_commits_are_signed_when_git_is_told_to(root: Path, tmp_path: Path) -> None:
    save(root, files(A))
    git(root, "config", "commit.gpgsign", "true")
    git(root, "config", "gpg.format", "ssh")
    git(root, "config", "user.signingkey", str(tmp_path / "key"))
    with pytest.raises(TreeError, match=r"git commit failed\.\n(.*\n)+.*The files are written and staged\."):
        save(root, files(A, B))
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "key")], check=True)
    assert save(root, files(A, B))
    assert "-----BEGIN SSH SIGNATURE-----" in git(root, "cat-file", "commit", "HEAD")


def test_a_machine_without_any_identity(root: Path, tmp_path: Path) -> None:
    (tmp_path / "home/.gitconfig").write_text("[user]\n  useConfigOnly = true\n")
    assert save(root, files(A))
    assert git(root, "log", "-1", "--format=%cn").strip() == "k8s.self_provisioning"


# --- states in which nothing can be committed -------------------------------------------------------------------------


def conflict(root: Path) -> None:
    for branch in ("one", "two"):
        git(root, "checkout", "-q", "-B", branch, "main")
        (root / "file").write_text(branch)
        git(root, "add", "file")
        git(root, "commit", "-qm", branch)


def merge(root: Path) -> None:
    conflict(root)
    subprocess.run(["git", "merge", "one"], cwd=root, env=clean_environment(), capture_output=True, check=False)


def rebase(root: Path) -> None:
    conflict(root)
    subprocess.run(["git", "rebase", "one"], cwd=root, env=clean_environment(), capture_output=True, check=False)


def pick(root: Path) -> None:
    conflict(root)
    subprocess.run(["git", "cherry-pick", "one"], cwd=root, env=clean_environment(), capture_output=True, check=False)


def stash(root: Path) -> None:
    conflict(root)
    (root / "file").write_text("three")
    git(root, "stash")
    git(root, "checkout", "-q", "one")
    subprocess.run(["git", "stash", "pop"], cwd=root, env=clean_environment(), capture_output=True, check=False)


def clean_environment() -> dict[str, str]:
    identity = {f"GIT_{who}_{what}": "me" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    return {**{key: value for key, value in os.environ.items() if key not in DIRTY}, **identity}


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (merge, "a merge is not finished there. Finish or abort it, then run again."),
        (rebase, "a rebase is not finished there."),
        (pick, "a cherry-pick is not finished there."),
        (stash, "it has unmerged files: file. Resolve the conflict, then run again."),
        (lambda root: git(root, "checkout", "-q", "--detach"), "no branch is checked out (detached HEAD)"),
        (
            lambda root: (root / ".git/index.lock").touch(),
            ".git/index.lock: another Git command is at work in this repository, or was killed there. Wait for its "
            "end. If none is at work, remove the lock: rm ",
        ),
    ],
)
def test_unfinished_work_is_refused(root: Path, spoil: t.Callable[[Path], object], message: str) -> None:
    save(root, files(A))
    spoil(root)
    before = git(root, "rev-parse", "HEAD")
    with pytest.raises(TreeError, match=re.escape(message)):
        save(root, files(A, B))
    assert git(root, "rev-parse", "HEAD") == before


def test_no_repository(root: Path) -> None:
    with pytest.raises(TreeError, match=r"it is not in a Git repository\. Run git init there"):
        commit.find(root, Options())


def test_a_folder_that_the_repository_around_it_ignores(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / ".gitignore").write_text("build/\n")
    root = tmp_path / "build" / "fleet"
    root.mkdir(parents=True)
    with pytest.raises(TreeError, match=r"ignores this folder\. Run git init there"):
        commit.find(root, Options())
    save(root, files(A))
    assert repository(root).top == str(root)
    assert git(tmp_path, "status", "--porcelain", "--untracked-files=all", ".gitignore", "build") == "?? .gitignore\n"


def test_files_that_the_repository_ignores_are_committed(root: Path) -> None:
    git(root, "init", "-q", "-b", "main")
    (root / ".gitignore").write_text("*.yaml\nclusters/\n")
    save(root, files(A, B))
    assert in_head(root) == [paths.MANIFEST, A, B]


def test_a_bare_repository(root: Path) -> None:
    git(root, "init", "-q", "--bare")
    with pytest.raises(TreeError, match=r"Git cannot use it\.\nfatal: this operation must be run in a work tree"):
        commit.find(root, Options(init=True))


def test_without_the_git_program(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(
        TreeError, match=r"the program git is not installed here\. Install git, or turn the commit off\."
    ):
        commit.find(root, Options(init=True))


@pytest.mark.parametrize(
    "name", ["-x", "--exec=x", "a b", "a..b", "a\nb", "a~1", "a:b", "a^", "a.lock", "/a", "a/", "@{u}", "@", "a/.b"]
)
def test_branches_that_are_none(name: str) -> None:
    with pytest.raises(TreeError, match="it is not the name of a branch"):
        Options(init=True, branch=name)


def test_another_branch_than_the_one_that_is_checked_out(root: Path) -> None:
    git(root, "init", "-q", "-b", "live")
    assert save(root, files(A), branch="live")
    with pytest.raises(
        TreeError, match=r"the branch live is checked out, and not main\. Run git -C .* switch main, or"
    ):
        save(root, files(A, B), branch="main")


@pytest.mark.parametrize(
    ("name", "email", "message"),
    [
        ("a\nb", "", "author_name"),
        ("<x>", "", "author_name"),
        ("..", "", "author_name"),
        ("", "nobody", "author_email"),
        ("", "a@b\nc", "author_email"),
        ("", "a b@c", "author_email"),
        ("", "<a@b>", "author_email"),
    ],
)
def test_authors_that_are_none(name: str, email: str, message: str) -> None:
    with pytest.raises(TreeError, match=message):
        Options(name=name, email=email)


# --- push -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q", "--bare", "-b", "main", "remote.git")
    return tmp_path / "remote.git"


def test_push(root: Path, remote: Path) -> None:
    sha = save(root, files(A))
    found = repository(root, remote=str(remote))
    assert (found.push(), found.push()) == (True, False)
    assert git(remote, "rev-parse", "main").strip() == sha
    git(root, "switch", "-q", "-c", "other")
    assert found.push(), "what is checked out goes to the branch of the same name"
    assert git(remote, "rev-parse", "other").strip() == sha


def test_a_push_that_is_only_asked_about(root: Path, remote: Path, tmp_path: Path) -> None:
    git(root, "init", "-q", "-b", "main")
    hook = root / ".git/hooks/pre-push"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    hook.chmod(0o755)
    found = repository(root, remote=str(remote))
    assert found.push(check=True), "before the first commit"
    save(root, files(A))
    assert found.push(check=True)
    assert not (tmp_path / "ran").exists()
    assert git(remote, "for-each-ref") == ""
    assert found.push()
    assert (tmp_path / "ran").exists()
    assert not found.push(check=True)
    shutil.rmtree(root / ".git")
    with pytest.raises(TreeError, match=r"the remote has commits on this branch, and this repository has none\."):
        repository(root, remote=str(remote)).push(check=True)


def test_a_remote_that_the_repository_does_not_know(root: Path, remote: Path) -> None:
    git(root, "init", "-q", "-b", "main")
    git(root, "remote", "add", "upstream", str(remote))
    with pytest.raises(TreeError, match=r"has no remote of this name \(it has upstream\)\. Run git remote add origin"):
        repository(root, remote="origin").check()
    repository(root, remote="upstream").check()
    shutil.rmtree(root / ".git")
    with pytest.raises(TreeError, match=r"has no remote of this name \(it has none\)"):
        commit.find(root, Options(init=True, remote="origin"))


def test_a_rejected_push_says_what_to_do(root: Path, remote: Path, tmp_path: Path) -> None:
    save(root, files(A))
    repository(root, remote=str(remote)).push()
    git(tmp_path, "clone", "-q", str(remote), "other")
    (tmp_path / "other/x").write_text("x")
    git(tmp_path / "other", "add", "x")
    git(tmp_path / "other", "commit", "-qm", "x")
    git(tmp_path / "other", "push", "-q")
    save(root, files(A, B))
    with pytest.raises(TreeError, match=r"the remote has commits.*Run git -C .* pull --rebase .* main, then run again"):
        repository(root, remote=str(remote)).push()
    git(root, "pull", "-q", "--rebase", str(remote), "main")
    assert save(root, files(A, B)) == ""
    assert repository(root, remote=str(remote)).push(), "the commit of the earlier run is pushed now"


def test_a_failed_push_hides_passwords(root: Path) -> None:
    save(root, files(A))
    found = repository(root, remote="http://user:secret@127.0.0.1:9/x.git")
    with pytest.raises(TreeError, match="it failed; the commits stay here") as caught:
        found.push()
    assert "secret" not in str(caught.value)


def test_a_remote_that_is_an_option_or_a_command(root: Path, tmp_path: Path) -> None:
    for option in (f"--receive-pack=touch {tmp_path}/owned", "--upload-pack=x", "-x", "", "ext::sh -c x"):
        with pytest.raises(TreeError, match="neither the name nor the address of a remote"):
            Options(remote=option or " ")
    with pytest.raises(TreeError, match="an address of this form runs a program here"):
        Options(remote=f"ext::touch%20{tmp_path}/owned")
    save(root, files(A))
    # one that the repository knows by a name, and whose configuration lets it
    git(root, "remote", "add", "origin", f"ext::touch {tmp_path}/owned")
    git(root, "config", "protocol.ext.allow", "always")
    for check in (True, False):
        with pytest.raises(TreeError, match="transport 'ext' not allowed"):
            repository(root, remote="origin").push(check=check)
    assert not (tmp_path / "owned").exists()


# --- what a commit would hold -----------------------------------------------------------------------------------------


def change_nothing(_root: Path) -> None:
    pass


def stage_an_edit(root: Path) -> None:
    """The index differs from the commit, the file on disk does not."""
    good = (root / A).read_bytes()
    (root / A).write_text("edited")
    git(root, "add", A)
    (root / A).write_bytes(good)


def commit_an_edit(root: Path) -> None:
    (root / A).write_text("edited")
    git(root, "commit", "-qam", "edit")


def write_and_die(root: Path) -> None:
    writer.sync(root, files("clusters/late.yaml", **{A.replace("/", "__").removesuffix(".yaml"): "late"}))


def with_a_filter(root: Path) -> None:
    """What Git stores is not what stands on disk."""
    (root / ".gitattributes").write_text("*.yaml filter=upper\n")
    git(root, "config", "filter.upper.clean", "tr a-z A-Z")
    git(root, "config", "filter.upper.smudge", "tr A-Z a-z")
    git(root, "add", ".")
    git(root, "commit", "-qm", "filtered")


SPOILS = [
    change_nothing,
    lambda root: (root / A).write_text("edited"),
    stage_an_edit,
    commit_an_edit,
    lambda root: (root / A).unlink(),
    lambda root: (root / A).chmod(0o755),
    write_and_die,
    with_a_filter,
    lambda root: git(root, "rm", "-q", "--cached", A),
    lambda root: git(root, "reset", "-q", "--soft", "HEAD~"),
    lambda root: shutil.rmtree(root / "clusters"),
]


@pytest.mark.parametrize("place", ["", "fleet/é ü/"])
@pytest.mark.parametrize("spoil", SPOILS)
@pytest.mark.parametrize("wanted", [files(A, B), files(B), {**files(A), "clusters/c.yaml": [document("c")]}])
def test_the_foretold_commit_is_the_one_that_comes(
    root: Path, place: str, spoil: t.Callable[[Path], object], wanted: dict[str, Content]
) -> None:
    git(root, "init", "-q", "-b", "main")
    git(root, "commit", "-q", "--allow-empty", "-m", "theirs")
    tree = root / place
    tree.mkdir(parents=True, exist_ok=True)
    save(tree, files(A, B))
    spoil(tree)
    (root / "theirs").write_text("x")
    git(root, "add", "theirs")
    before, objects = status(root), git(root, "count-objects")
    plan = writer.sync(tree, wanted, check=True)
    gone = {path for path, data in plan.pending.items() if data is None}

    def content(path: str) -> bytes | None:
        if path in plan.pending:
            return plan.pending[path]
        return (tree / path).read_bytes() if (tree / path).exists() else None

    foretold = repository(tree).foresee({*plan.ours, *gone}, plan.pending, content)
    assert (status(root), git(root, "count-objects")) == (before, objects)
    seen: list[commit.Difference] = []
    ours = {*wanted, *writer.sync(tree, wanted).removed}
    sha = repository(tree).commit(ours, noting(seen, "real"))
    assert (foretold, bool(foretold)) == (seen[0] if seen else commit.Difference(), bool(sha))
