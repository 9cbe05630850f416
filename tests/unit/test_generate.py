# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The generated files: found when out of date, the same every time, and true."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import typing as t
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
import yaml

from ansible_collections.k8s.self_provisioning.plugins.module_utils._inventory.yaml_data import load
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model import schema
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.errors import Problems, Where
from ansible_collections.k8s.self_provisioning.plugins.module_utils._model.validation import check

ROOT = Path(__file__).resolve().parents[2]


def generate(root: Path, *options: str, seed: str = "0") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "tests" / "tools" / "generate.py"), "--root", str(root), *options]
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("generated")
    assert generate(root).returncode == 0
    return root


def contents(root: Path) -> dict[str, str]:
    return {str(p.relative_to(root)): p.read_text(encoding="utf-8") for p in sorted(root.rglob("*")) if p.is_file()}


def test_repository_is_up_to_date() -> None:
    result = generate(ROOT, "--check")
    assert result.returncode == 0, result.stdout + result.stderr


def test_deterministic(written: Path, tmp_path: Path) -> None:
    generate(tmp_path, seed="1")
    assert contents(tmp_path) == contents(written)


def test_edited_file_is_found_and_mended(tmp_path: Path) -> None:
    generate(tmp_path)
    page = tmp_path / "docs" / "reference" / "tenant.md"
    good = page.read_text(encoding="utf-8")
    page.write_text(good.replace("## Tenant\n", "## Something else\n"), encoding="utf-8")
    (tmp_path / "docs" / "schema" / "fleet.schema.json").unlink()

    checked = generate(tmp_path, "--check")
    assert checked.returncode == 1
    assert "-## Something else\n+## Tenant\n" in checked.stdout
    assert "2 of " in checked.stderr
    assert "run: make generate" in checked.stderr
    assert page.read_text(encoding="utf-8") != good, "--check writes nothing"

    mended = generate(tmp_path)
    assert mended.stdout.splitlines() == ["wrote docs/reference/tenant.md", "wrote docs/schema/fleet.schema.json"]
    assert page.read_text(encoding="utf-8") == good
    assert generate(tmp_path, "--check").returncode == 0


def described(node: t.Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every property below I(node), with its description."""
    if isinstance(node, dict):
        for name, child in node.get("properties", {}).items():
            yield f"{path}.{name}", child.get("description", "")
            yield from described(child, f"{path}.{name}")
        for word in ("additionalProperties", "items"):
            yield from described(node.get(word), f"{path}.{word}")


@pytest.mark.parametrize("document", [schema.TENANT_SCHEMA, schema.CLUSTER_SCHEMA, schema.FLEET_SCHEMA])
def test_every_property_is_described_in_a_sentence(document: dict[str, t.Any]) -> None:
    found = dict(described(schema.expand(document)))
    assert len(found) > 20
    assert [path for path, text in found.items() if not re.fullmatch(r"\S.*[.:]", text)] == []


def blocks(page: Path) -> list[str]:
    return re.findall(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("kind", ["tenant", "cluster", "fleet"])
def test_examples_are_valid(written: Path, kind: str) -> None:
    (text,) = blocks(written / "docs" / "reference" / f"{kind}.md")
    value = load(text)
    problems = Problems()
    for document in value.values() if kind == "tenant" else [value]:
        check(kind, document, Where("example"), problems)
    assert [problem.render() for problem in problems] == []
    editor = "tenant-file" if kind == "tenant" else kind
    jsonschema.validate(value, json.loads((written / "docs" / "schema" / f"{editor}.schema.json").read_text()))


@pytest.mark.parametrize("name", ["tenant-file", "tenant", "cluster", "fleet"])
def test_editor_schemas_are_plain_draft_07(written: Path, name: str) -> None:
    text = (written / "docs" / "schema" / f"{name}.schema.json").read_text(encoding="utf-8")
    document = json.loads(text)
    jsonschema.Draft7Validator.check_schema(document)
    assert '"x-' not in text
    assert "$id" not in document
    used = set(re.findall(r'"#/definitions/(\w+)"', text))
    assert used == set(document["definitions"])


EDITOR: list[tuple[str, t.Any, bool]] = [
    ("tenant-file", {"tenant__physics": {"id": "physics", "_note": "ours"}}, True),
    ("tenant-file", {"tenant__physics": {"id": "physics", "ovners": []}}, False),
    ("tenant-file", {"tenant__physics": {"id": "physics"}, "tenant__more": {"id": "more"}}, False),
    ("tenant-file", {"physics": {"id": "physics"}}, False),
    ("tenant", {"id": "physics"}, True),
    ("tenant", {"id": "Physics"}, False),
    ("cluster", {"cluster_environment": "prod", "ansible_host": "10.0.0.1"}, True),
    ("cluster", {"cluster_enviroment": "prod"}, False),
    ("fleet", {"fleet_name": "Example", "tenants_tree": "/srv/fleet"}, True),
    ("fleet", {"fleet_nmae": "Example"}, False),
]


@pytest.mark.parametrize(("name", "value", "valid"), EDITOR)
def test_editor_schemas_judge(written: Path, name: str, value: t.Any, valid: bool) -> None:
    document = json.loads((written / "docs" / "schema" / f"{name}.schema.json").read_text(encoding="utf-8"))
    assert jsonschema.Draft7Validator(document).is_valid(value) is valid


def test_reference_names_every_key(written: Path) -> None:
    pages = "".join(text for path, text in contents(written).items() if path.startswith("docs/reference"))
    names = {
        path.rsplit(".", 1)[1]
        for document in (schema.TENANT_SCHEMA, schema.CLUSTER_SCHEMA, schema.FLEET_SCHEMA)
        for path, _text in described(schema.expand(document))
    }
    assert [name for name in sorted(names) if not re.search(rf"[`.]{re.escape(name)}`", pages)] == []


def test_no_markup_is_left(written: Path) -> None:
    for path, text in contents(written).items():
        if path.endswith((".md", ".json")):
            assert not re.search(r"\b[OCVIMP]\([^)]*\)", text), path


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w-]", "", title.lower().replace(" ", "-")) for title in titles}


PAGES = sorted([*(ROOT / "docs").rglob("*.md"), *(ROOT / "roles").glob("*/README.md")])


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
        name, _unused, anchor = target.partition("#")
        other = (page.parent / name).resolve() if name else page
        assert other.exists(), target
        assert not anchor or anchor in anchors(other), target


ROLES = sorted(path.name for path in (ROOT / "roles").iterdir())


def specs(role: str = "tenants") -> dict[str, t.Any]:
    text = (ROOT / "roles" / role / "meta" / "argument_specs.yml").read_text(encoding="utf-8")
    return t.cast("dict[str, t.Any]", load(text)["argument_specs"])


def options(role: str) -> dict[str, t.Any]:
    """The role's own options, of every way into it."""
    return {
        name: option
        for entry in specs(role).values()
        for name, option in entry["options"].items()
        if name.startswith(f"{role}_")
    }


@pytest.mark.parametrize("role", ROLES)
def test_role_defaults_are_those_of_the_specification(role: str) -> None:
    own = {name: option["default"] for name, option in options(role).items()}
    assert yaml.safe_load((ROOT / "roles" / role / "defaults" / "main.yml").read_text()) == own


@pytest.mark.parametrize("role", ROLES)
def test_role_has_an_entry_for_each_way_in(role: str) -> None:
    files = {path.stem: path.read_text() for path in (ROOT / "roles" / role / "tasks").glob("*.yml")}
    # a file that another one imports is a part of that
    parts = set(re.findall(r"(?:import|include)_tasks:(?:\s+file:)?\s+(\w+)\.yml", "".join(files.values())))
    assert files.keys() - parts <= set(specs(role)) <= files.keys()


@pytest.mark.parametrize("role", ROLES)
def test_role_uses_every_option_and_no_other(role: str) -> None:
    files = [*(ROOT / "roles" / role).glob("*/*.yml"), *(ROOT / "roles" / role).glob("templates/*")]
    texts = [path.read_text() for path in sorted(files) if path.parent.name != "defaults"]
    text = "".join(part for part in texts if "argument_specs:" not in part)
    used = set(re.findall(rf"(?<![_.])\b{role}_\w+", re.sub(r"register: \w+|tags: [^\[\n]*(\[[^]]*])?", "", text)))
    results = set(re.findall(rf"register: (\w+)|set_fact:\n +({role}_\w+):", text))
    assert used - {name for each in results for name in each} == set(options(role))


def test_role_takes_the_choices_of_its_module() -> None:
    module = (ROOT / "plugins" / "modules" / "fleet_tree.py").read_text(encoding="utf-8")
    (text,) = re.findall(r'DOCUMENTATION = r"""(.*?)"""', module, re.DOTALL)
    documentation = yaml.safe_load(text)["options"]
    for name, option in specs()["main"]["options"].items():
        if "choices" in option:
            assert option["choices"] == documentation[name.removeprefix("tenants_")]["choices"]


def test_role_leaves_the_judgement_of_settings_to_the_model() -> None:
    """A role stops at the first argument that does not fit; the model tells all problems."""
    settings = {name: o for name, o in specs()["main"]["options"].items() if name.startswith("fleet_")}
    assert set(settings) == set(schema.FLEET)
    assert {o["type"] for o in settings.values()} == {"raw"}
    assert not any("choices" in o for o in settings.values())
