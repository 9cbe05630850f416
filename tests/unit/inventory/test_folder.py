# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading an inventory folder: strictly, completely, and without running anything in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.k8s.self_provisioning.plugins.module_utils._inventory.folder import read_source
from ansible_collections.k8s.self_provisioning.plugins.module_utils._inventory.plain import plain
from ansible_collections.k8s.self_provisioning.plugins.module_utils._inventory.yaml_data import YamlError, load
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.errors import ModelError, Where

LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
)


def make(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


HOSTS = """\
all:
  children:
    clusters:
      hosts:
        east: {cluster_region: inline}
    eastern:
      hosts: {east: }
"""


def test_variables_come_from_every_place_ansible_reads(tmp_path: Path) -> None:
    root = make(
        tmp_path,
        {
            "hosts.yml": HOSTS,
            "group_vars/all/fleet.yml": "fleet_name: one\n",
            "group_vars/all/tenants/physics.yml": "tenant__physics: {id: physics, expires: 2027-06-30}\n",
            "group_vars/eastern.yml": "cluster_region: group\ncluster_sla_tier: tier_1_critical\n",
            "group_vars/clusters/all.yml": "cluster_environment: prod\n",
            "host_vars/east/main.yml": "cluster_region: host\n",
            "group_vars/all/.hidden.yml": "fleet_name: hidden\n",
        },
    )
    source, folder = read_source(root)
    assert source.settings == {"fleet_name": "one"}
    assert source.tenants == {"tenant__physics": {"id": "physics", "expires": "2027-06-30"}}
    assert source.clusters == {
        "east": {"cluster_region": "host", "cluster_sla_tier": "tier_1_critical", "cluster_environment": "prod"}
    }
    assert not folder.problems.items


def test_places_are_found_by_file_and_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = make(
        tmp_path,
        {
            "hosts.yml": HOSTS,
            "group_vars/all/tenants/a.yml": "---\n#\ntenant__a:\n  id: a\n  projects:\n    - id: p\n      size: x\n",
            "host_vars/east.yml": "---\ncluster_network:\n  api_vip: 10.0.0.1\n",
        },
    )
    monkeypatch.chdir(tmp_path)
    _source, folder = read_source(root)
    tenant = Where("tenant__a")
    assert folder.locate(tenant) == ("group_vars/all/tenants/a.yml", 3)
    assert folder.locate((tenant / "projects").item(0, "p") / "size") == ("group_vars/all/tenants/a.yml", 7)
    assert folder.locate(tenant / "projects" / 0 / "none" / "such") == ("group_vars/all/tenants/a.yml", 6)
    assert folder.locate(Where("cluster_network", host="east") / "api_vip") == ("host_vars/east.yml", 3)
    assert folder.locate(Where("fleet_name")) == ("", 0)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (
            {"group_vars/all/tenants/a.yml": "tenant__a: [1\n"},
            "it is not valid YAML: did not find expected ',' or ']'.",
        ),
        (
            {"group_vars/all/tenants/a.yml": "tenant__a: {id: a, id: b}\n"},
            "the key 'id' stands here twice; it is also on line 1.",
        ),
        (
            {"group_vars/all/tenants/a.yml": "tenant__a: !!python/object:os.system {}\n"},
            "could not determine a constructor",
        ),
        ({"group_vars/all/tenants/a.yml": "- a list\n"}, "it does not hold variables."),
        ({"group_vars/all/tenants/a.yml": "\ttenant__a: 1\n"}, "it is not valid YAML"),
        ({"group_vars/all/tenants/a.yml": LAUGHS}, "its aliases multiply to more values than can be meant."),
        (
            {"group_vars/all/tenants/a.yml": "tenant__a: &a [*a]\n"},
            "its aliases multiply to more values than can be meant.",
        ),
        ({"group_vars/all/tenants/physics.yml": "tenent__physics: {id: physics}\n"}, "Did you mean 'tenant__physics'?"),
        ({"group_vars/all/tenants/a.yml": "tenant__a: {id: a}\ntenant__b: {id: b}\n"}, "the file defines 2 tenants"),
        (
            {
                "group_vars/all/tenants/a.yml": "tenant__a: {id: a}\n",
                "group_vars/all/tenants/b.yml": "tenant__a: {id: a}\n",
            },
            "Ansible would keep only one.",
        ),
        ({"hosts.yml": "all: [\n"}, "it is not valid YAML"),
    ],
)
def test_bad_files_are_reported(files: dict[str, str], expected: str, tmp_path: Path) -> None:
    _source, folder = read_source(make(tmp_path, files))
    assert [p for p in folder.problems if expected in p.render(folder.locate)], [p.render() for p in folder.problems]


def test_a_file_that_is_not_text_is_reported(tmp_path: Path) -> None:
    make(tmp_path, {"hosts.yml": HOSTS, "group_vars/all/x.yml": ""})
    (tmp_path / "group_vars/all/x.yml").write_bytes(b"\xff\xfe\x00")
    _source, folder = read_source(tmp_path)
    assert [p.what for p in folder.problems] == ["it is not UTF-8 text."]


def test_a_missing_folder_says_so(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="does not exist"):
        read_source(tmp_path / "none")


def test_dates_stay_text_and_vaulted_values_stay_closed() -> None:
    assert load("a: 2027-06-30\nb: !vault |\n  $ANSIBLE_VAULT\nc: 12:30:00\n") == {
        "a": "2027-06-30",
        "b": "$ANSIBLE_VAULT\n",
        "c": 45000,
    }


def test_errors_name_the_line() -> None:
    with pytest.raises(YamlError) as error:
        load("a: 1\nb: [\nc: 2\n")
    assert error.value.line in (3, 4)


def test_plain_refuses_what_cannot_be_meant() -> None:
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(ModelError, match="too large or nested too deeply"):
        plain(endless)


def test_plain_makes_plain_types() -> None:
    class Tagged(str):
        __slots__ = ()

        def __str__(self) -> str:
            return "other"

    result = plain({Tagged("k"): (Tagged("v"), 1.5, True, None)})
    assert result == {"k": ["v", 1.5, True, None]}
    assert [type(x) for x in (*result, *result["k"])] == [str, str, float, bool, type(None)]
