# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Release lines: sound data, one file each, and a clear word about their end."""

from __future__ import annotations

import datetime
import itertools
import json
import re
from pathlib import Path

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._model import release_lines as lines

FOLDER = Path(lines.__file__).parent / "lines"
TODAY = datetime.date(2026, 11, 21)


def test_a_line_is_a_file() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == set(lines.RELEASE_LINES)


def test_a_new_file_is_a_new_line(tmp_path: Path) -> None:
    for path in FOLDER.glob("*.json"):
        (tmp_path / path.name).write_text(path.read_text())
    new = json.loads((FOLDER / "1.35.json").read_text())
    new |= {"name": "1.36", "kubernetes": "1.36.0", "follows": "1.35", "end_of_life": "2028-02-28"}
    new["steps"] = [{"kubernetes": "1.36.0", "kubespray": "v2.31.0"}]
    (tmp_path / "1.36.json").write_text(json.dumps(new))
    found, _releases = lines.read(tmp_path)
    assert list(found) == ["1.30", "1.35", "1.36"]
    assert [line.name for line in lines.successors("1.30", found)] == ["1.35", "1.36"]
    (told,) = lines.ended_lines({"1.30": ["one"]}, datetime.date(2027, 6, 1), found)
    assert "1.34.3 → 1.35.4 → 1.36.0" in told, "1.35 has ended too by then"


@pytest.mark.parametrize("name", lines.RELEASE_LINES)
def test_line_is_sound(name: str) -> None:
    line = lines.RELEASE_LINES[name]
    assert lines.minor(line.kubernetes) == name
    assert line.release.installs(line.kubernetes)
    datetime.date.fromisoformat(line.end_of_life)
    assert (line.follows is None) == (not line.steps)


@pytest.mark.parametrize("name", lines.KUBESPRAY_RELEASES)
def test_kubespray_is_pinned(name: str) -> None:
    release = lines.KUBESPRAY_RELEASES[name]
    assert re.fullmatch(r"[0-9a-f]{40}", release.commit)
    assert lines.version(release.ansible_core[0]) < lines.version(release.ansible_core[1])
    assert {"etcd", "containerd", "calico"} <= set(release.components)
    assert "calico" in release.network_plugins
    assert not {"addons", "booleans", "plain_versions"} & {*release.addons, *release.booleans, *release.plain_versions}


@pytest.mark.parametrize("line", [each for each in lines.RELEASE_LINES.values() if each.follows], ids=lambda x: x.name)
def test_steps_leave_no_minor_out(line: lines.ReleaseLine) -> None:
    here = lines.RELEASE_LINES[str(line.follows)].kubernetes
    tags = [lines.RELEASE_LINES[str(line.follows)].kubespray]
    for step in line.steps:
        assert lines.version(step.kubernetes)[1] == lines.version(here)[1] + 1
        assert lines.KUBESPRAY_RELEASES[step.kubespray].installs(step.kubernetes)
        here = step.kubernetes
        tags.append(step.kubespray)
    assert here == line.kubernetes
    assert tags[-1] == line.kubespray
    minors = [lines.version(tag)[1] for tag in tags]
    assert all(0 <= after - before <= 1 for before, after in itertools.pairwise(minors))


@pytest.mark.parametrize(
    ("kubernetes", "installs"),
    [("1.30.0", True), ("1.30.14", True), ("1.30.15", False), ("1.29.9", False), ("1.33.0", False)],
)
def test_range_of_a_kubespray(kubernetes: str, installs: bool) -> None:
    assert lines.KUBESPRAY_RELEASES["v2.28.1"].installs(kubernetes) is installs


def test_a_line_past_its_end_is_told_once_with_the_way_out() -> None:
    (told,) = lines.ended_lines({"1.35": ["dev"], "1.30": ["west", "east"]}, TODAY)
    assert "1.30.3) has had no security fixes since 2025-07-15. It is used by east, west." in told
    assert "1.30.3 → 1.31.12 → 1.32.8 → 1.33.7 → 1.34.3 → 1.35.4" in told
    assert "cluster_release_line" in told


def test_nothing_is_told_on_the_last_day() -> None:
    assert lines.ended_lines({"1.30": ["one"]}, datetime.date(2025, 7, 15)) == []


def test_no_way_out_is_told_too() -> None:
    (told,) = lines.ended_lines({"1.35": ["dev"]}, datetime.date(2030, 1, 1))
    assert "look for a newer collection" in told
