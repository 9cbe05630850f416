# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fleet filters: what they answer, how they fail, and a real playbook run, where values are of Ansible's types."""

from __future__ import annotations

import copy
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.errors import AnsibleFilterError

from ansible_collections.k8s.self_provisioning.plugins.filter.fleet import FilterModule

FILTERS = FilterModule().filters()
DAY = "2026-12-01"
COLLECTIONS = Path(__file__).resolve().parents[3] / ".cache" / "collections"

SETTINGS: dict[str, t.Any] = {
    "fleet_label_domain": "platform.example.edu",
    "fleet_defaults": {"size": "small", "pod_security": {"enforce": "baseline"}},
    "fleet_sizes": {"small": {"resource_quota": {"hard": {"requests.cpu": "4", "requests.memory": "16Gi"}}}},
    "fleet_prices": {"month": {"requests.cpu": 10}},
}
TENANT: dict[str, t.Any] = {
    "id": "physics",
    "owners": [{"kind": "Group", "name": "physics-leads"}],
    "budget": {"hard": {"requests.cpu": "16", "requests.memory": "64Gi"}},
    "projects": [
        {
            "id": "lab-sim",
            "environments": [
                {"name": "dev"},
                {"name": "prod", "resource_quota": {"hard": {"cpu": "8"}}, "pod_security": {"enforce": "restricted"}},
            ],
        }
    ],
}


def cluster(stage: str, **more: t.Any) -> dict[str, t.Any]:
    required = {"cluster_security_domain": "internal_only", "cluster_sla_tier": "tier_2_important"}
    return {"cluster_environment": stage, "cluster_capacity": {"cpu": "40", "memory": "100Gi"}, **required, **more}


CLUSTERS = {"east-dev": cluster("dev"), "east-prod": cluster("prod"), "west-prod": cluster("prod", cluster_region="w")}


def source() -> dict[str, t.Any]:
    return copy.deepcopy({"settings": SETTINGS, "tenants": {"tenant__physics": TENANT}, "clusters": CLUSTERS})


def hostvars() -> dict[str, dict[str, t.Any]]:
    groups = {"group_names": ["clusters"]}
    machines = {name: {**SETTINGS, "tenant__physics": TENANT, **own, **groups} for name, own in CLUSTERS.items()}
    return {**machines, "localhost": {"group_names": [], "fleet_name": "elsewhere"}}


def test_tenancy_gathers_settings_tenants_and_clusters() -> None:
    assert FILTERS["tenancy"](hostvars()) == source()


def test_effective() -> None:
    answer = FILTERS["effective"](source(), "physics/lab-sim/prod", DAY)
    assert answer["namespace"] == "physics-lab-sim-prod"
    assert answer["quota"] == {"requests.cpu": "8", "requests.memory": "16Gi"}
    assert answer["values"]["pod_security"]["enforce"] == "restricted"
    here = "tenant__physics.projects[lab-sim].environments[prod]"
    assert answer["provenance"]["resource_quota.hard.requests.cpu"] == [f"{here}.resource_quota.hard.cpu"]
    assert answer["provenance"]["resource_quota.hard.requests.memory"] == [
        "fleet_sizes.small.resource_quota.hard['requests.memory']"
    ]


def test_placements() -> None:
    answer = FILTERS["placements"](source(), DAY)
    assert {key: placement["clusters"] for key, placement in answer.items()} == {
        "physics/lab-sim/dev": ["east-dev"],
        "physics/lab-sim/prod": ["east-prod"],
    }
    prod = answer["physics/lab-sim/prod"]
    assert prod["reason"] == "east-prod (80 % stays free): most room of 2 that meet every rule"
    assert prod["candidates"][-1] == {
        "cluster": "east-dev",
        "free_share": None,
        "rule": "environment",
        "detail": "it serves dev; prod is needed",
    }


def test_cluster_objects() -> None:
    objects = FILTERS["cluster_objects"](source(), "east-prod", DAY)
    named = {(each["kind"], each["metadata"]["name"]) for each in objects}
    assert ("Namespace", "physics-lab-sim-prod") in named
    assert ("Namespace", "physics-lab-sim-dev") not in named
    assert ("ClusterRole", "tenant-admin") in named
    quota = next(each for each in objects if each["kind"] == "ResourceQuota")
    assert quota["spec"]["hard"] == {"requests.cpu": "8", "requests.memory": "16Gi"}


@pytest.mark.parametrize(
    ("scope", "names"),
    [
        ("environment", ["physics/lab-sim/dev", "physics/lab-sim/prod"]),
        ("tenant", ["physics"]),
        ("cluster", ["east-dev", "east-prod", "west-prod"]),
        (None, ["physics/lab-sim/dev", "physics/lab-sim/prod", "physics", "east-dev", "east-prod", "west-prod"]),
    ],
)
def test_ledger(scope: str | None, names: list[str]) -> None:
    rows = FILTERS["ledger"](source(), scope, DAY)
    assert [row["name"] for row in rows] == names


def test_ledger_row() -> None:
    (row,) = FILTERS["ledger"](source(), "tenant", DAY)
    assert row["month"] == "120.00"
    assert row["resources"]["requests.cpu"] == {"committed": "12", "budget": "16", "free": "4"}


def test_the_day_decides_what_counts() -> None:
    inventory = source()
    grant = {"kind": "quota", "hard": {"requests.cpu": "+2"}, "expires_at": "2026-12-24", "reason": "exam peak"}
    inventory["tenants"]["tenant__physics"]["projects"][0]["environments"][0]["grants"] = [grant]
    cpu = [
        FILTERS["effective"](inventory, "physics/lab-sim/dev", day)["quota"]["requests.cpu"]
        for day in ("2026-12-23", "2026-12-24")
    ]
    assert cpu == ["6", "4"]


def broken(**tenant: t.Any) -> dict[str, t.Any]:
    inventory = source()
    inventory["tenants"]["tenant__physics"].update(tenant)
    return inventory


RECORDED = {"physics/lab-sim/prod": {"clusters": ["west-prod"], "decided_at": "2026-01-02", "reason": "{{ 7 * 7 }}"}}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """What an earlier run has left: an environment on the other cluster, and one that is gone."""
    entries = {**RECORDED, "physics/old/prod": {"clusters": ["east-prod"], "retained": True, "quota": {"cpu": "30"}}}
    (tmp_path / "placements.yaml").write_text(yaml.safe_dump(entries), encoding="utf-8")
    return tmp_path


def test_what_a_tree_records_holds_in_every_filter(tree: Path) -> None:
    before = {path: path.stat() for path in tree.iterdir()}
    fleet = FILTERS["tenancy"](hostvars(), tree=str(tree))
    assert {path: path.stat() for path in tree.iterdir()} == before, "it is only read"
    prod = FILTERS["placements"](fleet, DAY)["physics/lab-sim/prod"]
    assert (prod["clusters"], prod["origin"], prod["decided_at"]) == (["west-prod"], "recorded", "2026-01-02")
    spaces = {
        name: [o["metadata"]["name"] for o in FILTERS["cluster_objects"](fleet, name, DAY) if o["kind"] == "Namespace"]
        for name in ("east-prod", "west-prod")
    }
    assert spaces == {"east-prod": [], "west-prod": ["physics-lab-sim-prod"]}
    assert FILTERS["effective"](fleet, "physics/lab-sim/prod", DAY)["placement"]["clusters"] == ["west-prod"]
    rows = {(row["name"], row.get("cluster")): row for row in FILTERS["ledger"](fleet, None, DAY)}
    assert rows["physics/old/prod", "east-prod"]["state"] == "retained"
    assert rows["east-prod", None]["resources"]["requests.cpu"]["committed"] == "30"
    assert {row["cluster"] for row in FILTERS["access"](fleet, today=DAY) if row["environment"] == "prod"} == {
        "west-prod"
    }


def test_a_tree_that_is_not_there_yet_records_nothing(tmp_path: Path) -> None:
    assert FILTERS["tenancy"](hostvars(), str(tmp_path / "none")) == {**source(), "recorded": {}}


def test_a_damaged_tree_is_told_as_by_the_module(tmp_path: Path) -> None:
    (tmp_path / "placements.yaml").write_text("<<<<<<< HEAD\n")
    with pytest.raises(AnsibleFilterError) as caught:
        FILTERS["tenancy"](hostvars(), str(tmp_path))
    assert str(caught.value).startswith(f"k8s.self_provisioning.tenancy: {tmp_path}/placements.yaml: it is not ")
    assert "git checkout HEAD -- placements.yaml" in str(caught.value)


def test_who_set_the_role_of_owners() -> None:
    inventory = source()
    assert "owner_role" not in FILTERS["effective"](inventory, "physics/lab-sim/dev", DAY)["provenance"]
    inventory["settings"]["fleet_defaults"]["owner_cluster_role"] = "tenant-admin"
    told = FILTERS["effective"](inventory, "physics/lab-sim/dev", DAY)["provenance"]["owner_role"]
    assert told == ["fleet_defaults.owner_cluster_role"]
    inventory["tenants"]["tenant__physics"].update(parent="science")
    inventory["tenants"]["tenant__science"] = {"id": "science", "owner_cluster_role": "edit"}
    answer = FILTERS["effective"](inventory, "physics/lab-sim/dev", DAY)
    assert (answer["values"]["owner_role"], answer["provenance"]["owner_role"]) == (
        "edit",
        ["tenant__science.owner_cluster_role"],
    )
    inventory["tenants"]["tenant__physics"]["owner_cluster_role"] = "admin"
    answer = FILTERS["effective"](inventory, "physics/lab-sim/dev", DAY)
    assert (answer["values"]["owner_role"], answer["provenance"]["owner_role"]) == (
        "admin",
        ["tenant__physics.owner_cluster_role"],
    )


WITHOUT = """
import sys
sys.modules[{library!r}] = None
from ansible.errors import AnsibleFilterError
from ansible_collections.k8s.self_provisioning.plugins.filter.fleet import FilterModule
try:
    FilterModule().filters()["{name}"](*{arguments!r})
except AnsibleFilterError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("library", "name"), [("jsonschema", "ledger"), ("fastjsonschema", "ledger"), ("yaml", "tenancy")]
)
def test_a_library_that_is_missing_is_named(library: str, name: str, tree: Path) -> None:
    # the schema's words are only looked up for a file that breaks it
    arguments = (hostvars(), str(tree)) if name == "tenancy" else (broken(display_name=3), None, DAY)
    script = WITHOUT.format(library=library, name=name, arguments=arguments)
    if library == "yaml":
        # Ansible itself needs it; it goes when Ansible is there
        script = script.replace("import sys\n", "import sys\nimport ansible.plugins.action\n")
    run = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(COLLECTIONS)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout == (
        f"k8s.self_provisioning.{name}: The Python library {library} is needed on the controller. Install what "
        "requirements.txt of the collection k8s.self_provisioning lists.\n"
    )


NEEDED = "the result of the filter k8s.self_provisioning.tenancy is needed."
ERRORS: list[tuple[str, tuple[t.Any, ...], str]] = [
    ("tenancy", ([],), "Ansible's 'hostvars' is needed, not list."),
    ("tenancy", ({"web": {"group_names": []}},), "the inventory has no host in the group 'clusters'."),
    ("tenancy", (None,), "Ansible's 'hostvars' is needed, not NoneType."),
    ("tenancy", ("text",), "Ansible's 'hostvars' is needed, not str."),
    ("tenancy", ({"web": 5},), "Ansible's 'hostvars' is needed, not a mapping with int in it (at 'web')."),
    ("tenancy", (source(),), "the inventory has no host in the group 'clusters'."),
    ("tenancy", (hostvars(), 5), "tree: the folder of a fleet tree is needed, not 5."),
    ("tenancy", (hostvars(), " "), "tree: the folder of a fleet tree is needed, not ' '."),
    (
        "ledger",
        ({**source(), "clusters": []},),
        "clusters: a mapping is needed, not list. Take the result of the filter k8s.self_provisioning.tenancy.",
    ),
    (
        "placements",
        ({**source(), "recorded": {"a/b/c": "x"}},),
        "recorded: the entry 'a/b/c' has no list of clusters. "
        "Take the result of the filter k8s.self_provisioning.tenancy.",
    ),
    ("effective", ({}, "physics/lab-sim/dev"), NEEDED),
    ("placements", ("text",), NEEDED),
    ("ledger", ({"settings": {}, "tenants": {}},), NEEDED),
    ("cluster_objects", (None, "east-dev"), NEEDED),
    (
        "effective",
        (source(), "physics/labsim/dev", DAY),
        "there is no environment 'physics/labsim/dev'. Did you mean 'physics/lab-sim/dev'? "
        "Known: physics/lab-sim/dev, physics/lab-sim/prod.",
    ),
    (
        "cluster_objects",
        (source(), "east_dev", DAY),
        "there is no cluster 'east_dev'. Did you mean 'east-dev'? Known: east-dev, east-prod, west-prod.",
    ),
    (
        "ledger",
        (source(), "tenants"),
        "'tenants' is not a scope. Did you mean 'tenant'? Known: cluster, environment, tenant.",
    ),
    ("placements", (source(), "tomorrow"), "today: 'tomorrow' is not a day. Write it as YYYY-MM-DD."),
    (
        "placements",
        (broken(parent="scinece"), DAY),
        "tenant__physics.parent: there is no tenant 'scinece'. None are defined. Run k8s.self_provisioning.validate "
        "to see all.",
    ),
    (
        "placements",
        (broken(parent="scinece", budget={"hard": {"requests.cpu": "1"}}), DAY),
        "tenant__physics.parent: there is no tenant 'scinece'. None are defined. This is the first of 2 errors. "
        "Run k8s.self_provisioning.validate to see all.",
    ),
    (
        "ledger",
        (broken(budget={"hard": {"requests.cpu": "1"}}, display_name="{{ 7 }}"), None, DAY),
        "tenant__physics.display_name: '{{ 7 }}' looks like a template; tenant files are data and are never templated. "
        "Write the value itself. Run k8s.self_provisioning.validate to see all.",
    ),
]


@pytest.mark.parametrize(("name", "arguments", "message"), ERRORS, ids=[f"{e[0]}-{i}" for i, e in enumerate(ERRORS)])
def test_error(name: str, arguments: tuple[t.Any, ...], message: str) -> None:
    with pytest.raises(AnsibleFilterError) as caught:
        FILTERS[name](*arguments)
    assert str(caught.value) == f"k8s.self_provisioning.{name}: {message}"


PLAYBOOK = """
- name: Ask for everything
  hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - name: Gather
      ansible.builtin.set_fact:
        gathered: "{{ hostvars | k8s.self_provisioning.tenancy }}"

    - name: Quantities
      ansible.builtin.assert:
        that:
          - amounts.one | k8s.self_provisioning.quantity == '1500m'
          - amounts.list | k8s.self_provisioning.quantity_sum == '3'
          - amounts.one | k8s.self_provisioning.quantity_compare('<', amounts.two)
          - amounts.memory | k8s.self_provisioning.quantity_convert('Gi') == 1.5

    - name: Gathered
      ansible.builtin.assert:
        that:
          - gathered.settings.fleet_name == 'The University of Example'
          - gathered.clusters | sort == ['east-dev', 'east-prod', 'west-prod']
          - gathered.clusters['east-dev'].cluster_region == 'north'
          - gathered.tenants | sort == ['tenant__hostile', 'tenant__physics']

    - name: The fleet without the tenant whose file is refused
      ansible.builtin.set_fact:
        fleet: "{{ gathered | combine({'tenants': {'tenant__physics': gathered.tenants.tenant__physics}}) }}"

    - name: Answers
      ansible.builtin.assert:
        that:
          - prod.quota['requests.cpu'] == '8' and prod.quota['requests.memory'] == '16Gi'
          - prod['values'].expires_at == '2030-06-30'
          - (fleet | k8s.self_provisioning.placements(day))['physics/lab-sim/dev'].clusters == ['east-dev']
          - (remembered | k8s.self_provisioning.placements(day))['physics/lab-sim/prod'].clusters == ['west-prod']
          - (remembered | k8s.self_provisioning.placements(day))['physics/lab-sim/prod'].reason == template
          - fleet | k8s.self_provisioning.ledger('tenant', day) | map(attribute='month') == ['120.00']
          - objects | selectattr('kind', 'equalto', 'Namespace') | map(attribute='metadata.name') == [prod.namespace]
          - objects | to_json | from_json == objects
      vars:
        day: "2026-12-01"
        template: !unsafe "{{ 7 * 7 }}"
        memory: "{{ (hostvars | k8s.self_provisioning.tenancy(tree='tree')).recorded }}"
        remembered: "{{ fleet | combine({'recorded': memory}) }}"
        prod: "{{ fleet | k8s.self_provisioning.effective('physics/lab-sim/prod', day) }}"
        objects: "{{ fleet | k8s.self_provisioning.cluster_objects('east-prod', day) }}"

    - name: A tenant file that is a template
      ansible.builtin.set_fact:
        never: "{{ gathered | k8s.self_provisioning.placements }}"
      register: refused
      ignore_errors: true

    - name: It was refused
      ansible.builtin.assert:
        that:
          - refused is failed
          - "'looks like a template' in refused.msg"
  vars:
    amounts: {one: 1.5, two: "2", list: [1, "2"], memory: 1536Mi}
"""


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    everybody = tmp_path / "group_vars" / "all"
    (everybody / "tenants").mkdir(parents=True)
    (tmp_path / "host_vars").mkdir()
    physics = copy.deepcopy(TENANT)
    physics["projects"][0]["environments"][1]["expires_at"] = "@"
    proof = tmp_path / "ran"
    hostile = {"id": "hostile", "display_name": f"{{{{ lookup('pipe', 'touch {proof}') }}}}"}
    files = {
        "hosts.yml": {"all": {"children": {"clusters": {"hosts": dict.fromkeys(CLUSTERS)}}}},
        # settings and cluster variables belong to operators, who may use templates
        "group_vars/all/fleet.yml": {**SETTINGS, "fleet_name": "The University of {{ place }}", "place": "Example"},
        "group_vars/all/tenants/physics.yml": {"tenant__physics": physics},
        "group_vars/all/tenants/hostile.yml": {"tenant__hostile": hostile},
        **{f"host_vars/{name}.yml": values for name, values in CLUSTERS.items()},
        "host_vars/east-dev.yml": {**CLUSTERS["east-dev"], "cluster_region": "{{ 'north' }}"},
    }
    for path, content in files.items():
        # a date without quotes: YAML makes an object of it, and the model wants text
        (tmp_path / path).write_text(yaml.safe_dump(content).replace("'@'", "2030-06-30"), encoding="utf-8")
    (tmp_path / "ansible.cfg").touch()
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/placements.yaml").write_text(yaml.safe_dump(RECORDED), encoding="utf-8")
    (tmp_path / "playbook.yml").write_text(PLAYBOOK, encoding="utf-8")
    return tmp_path


def test_in_a_playbook(inventory: Path) -> None:
    environment = {
        **os.environ,
        "ANSIBLE_CONFIG": str(inventory / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "ANSIBLE_HOME": str(inventory / "home"),
        "ANSIBLE_LOCAL_TEMP": str(inventory / "tmp"),
        "ANSIBLE_NOCOLOR": "1",
    }
    command = [sys.executable, "-m", "ansible.cli.playbook", "-i", "hosts.yml", "playbook.yml"]
    run = subprocess.run(command, cwd=inventory, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert not (inventory / "ran").exists(), "the text of a tenant was run"
