# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of commits share."""

from __future__ import annotations

import os
import subprocess
import typing as t
from pathlib import Path

from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree import commit, writer
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.commit import Options
from ansible_collections.k8s.self_provisioning.plugins.module_utils._tree.emit import Content

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
