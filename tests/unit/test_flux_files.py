# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file with the age key that Flux gets: made once, whoever else wants it."""

from __future__ import annotations

import base64
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.errors import LiveError
from ansible_collections.k8s.self_provisioning.plugins.module_utils._live.session import Session
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils import _age as age
from ansible_collections.k8s.self_provisioning.plugins.plugin_utils import _flux_files as flux_files

#: From the test vectors of age.
KEY = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"
PUBLIC = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"


class Cluster:
    """As much of a session as is asked for: the Secret, or none."""

    def __init__(self, key: bytes = b"") -> None:
        """What the cluster holds."""
        self._found = {"data": {"age.agekey": base64.b64encode(key).decode()}} if key else None

    def get(self, path: str) -> dict[str, Any] | None:
        """The Secret, whatever the path."""
        assert path.endswith("/sops-age")
        return self._found


def found(path: Path, *, key: bytes = b"", check: bool = False) -> tuple[str, dict[str, Any]]:
    """The key, and the result of the task."""
    result: dict[str, Any] = {"changed": False, "age_recipients": []}
    return flux_files.age_key(cast(Session, Cluster(key)), path, result, check=check), result


def test_a_key_that_nobody_will_have_is_not_told(tmp_path: Path) -> None:
    """In check mode, one that is there is told."""
    path = tmp_path / "key"
    _key, result = found(path, check=True)
    assert (result["changed"], result["age_recipients"]) == (True, [])
    assert f"{path}: a key would be made" in result["warnings"][0]
    key, result = found(path, key=KEY.encode(), check=True)
    assert (key, result) == (KEY, {"changed": True, "age_recipients": [PUBLIC]})
    assert not path.exists()


def test_several_that_make_it_at_once_have_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each cluster of a stage sees that there is none, then makes one."""
    several = 4
    barrier, generate = threading.Barrier(several), age.generate

    def together(*arguments: Any) -> str:
        barrier.wait(10)
        return generate(*arguments)

    monkeypatch.setattr(age, "generate", together)
    path = tmp_path / "key"
    with ThreadPoolExecutor(several) as pool:
        made = list(pool.map(lambda _number: found(path), range(several)))
    assert {key for key, _result in made} == {path.read_text(encoding="utf-8")}
    assert len({*(result["age_recipients"][0] for _key, result in made)}) == 1
    assert sum(result["changed"] for _key, result in made) == 1
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("content", "on_cluster", "told"),
    [
        (None, b"", "{} cannot be read: Is a directory. Check the path."),
        (b"\xff\xfe", b"", "{} is no text in UTF-8. Check the path."),
        (b"", b"", "{}: it holds no key. Restore it, or remove it to have a new one."),
        (
            KEY.encode(),
            b"\xff",
            "the Secret sops-age of the cluster: a secret key of age begins with AGE-SECRET-KEY-1.",
        ),
    ],
)
def test_what_is_no_key(tmp_path: Path, content: bytes | None, on_cluster: bytes, told: str) -> None:
    """Says which file, and how to mend it."""
    path = tmp_path / "key"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    with pytest.raises(LiveError) as error:
        found(path, key=on_cluster)
    assert str(error.value).startswith(f"age_key_file: {told.format(path)}")
