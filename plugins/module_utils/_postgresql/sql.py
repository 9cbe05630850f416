# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles and databases, as PostgreSQL has them and as they should be."""

from __future__ import annotations

import json
import re
import typing as t
from collections.abc import Callable, Iterable, Mapping, Sequence

from . import passwords

#: Runs SQL in a database and returns what it printed.
Run = Callable[[str, str], str]
_OURS = ("postgres", "replicator", "rewinder")
_SYSTEM = ("postgres", "template0", "template1")
_NAME = re.compile(r"[a-z_][a-z0-9_-]{0,62}")
#: Nothing of what follows is written into the server's log, also when it fails.
_QUIET = "SET log_statement = 'none'; SET log_min_error_statement = 'panic'; SET log_min_duration_statement = -1;\n"
_STATE = """\
SELECT json_build_object(
  'roles', (SELECT coalesce(json_object_agg(rolname, json_build_object('password', coalesce(rolpassword, ''),
    'login', rolcanlogin, 'connections', rolconnlimit, 'special', rolsuper OR rolcreaterole OR rolcreatedb
    OR rolreplication OR rolbypassrls)), '{}') FROM pg_authid WHERE rolname !~ '^pg_'),
  'databases', (SELECT coalesce(json_object_agg(datname, json_build_object('owner', pg_get_userbyid(datdba),
    'connections', datconnlimit, 'public', EXISTS (SELECT FROM aclexplode(coalesce(datacl, acldefault('d', datdba)))
    WHERE grantee = 0))), '{}') FROM pg_database));
"""
_EXTENSIONS = "SELECT coalesce(json_agg(extname), '[]') FROM pg_extension;"


class SqlError(Exception):
    """A name cannot be used, or a role would get what it must not have."""


def state(run: Run) -> dict[str, t.Any]:
    """What there is now."""
    return t.cast("dict[str, t.Any]", json.loads(run("postgres", _STATE)))


def problems(wanted: Sequence[Mapping[str, t.Any]], now: Mapping[str, t.Any]) -> list[str]:
    """What must not be done."""
    found = []
    for each in wanted:
        for key in ("name", "owner"):
            name = str(each[key])
            if not _NAME.fullmatch(name) or name.startswith("pg_") or name in (*_OURS, *_SYSTEM):
                found.append(f"{key} {name!r} cannot be used: lower-case letters, digits and _ only, not one of ours.")
        if now["roles"].get(each["owner"], {}).get("special"):
            found.append(f"the role {each['owner']} has special rights; it is not made the owner of {each['name']}.")
        held = now["databases"].get(each["name"])
        if held and held["owner"] not in (each["owner"], "postgres"):
            found.append(f"the database {each['name']} belongs to {held['owner']}; it is not given to {each['owner']}.")
    return found


def plan(
    wanted: Iterable[Mapping[str, t.Any]], now: Mapping[str, t.Any], salt: Callable[[], bytes]
) -> list[tuple[str, str]]:
    """What to do, in order: words for people, and SQL for the database postgres.

    That database stays as open as it is: members rewind by it, and pg_hba.conf lets nobody else come to it.
    """
    steps: list[tuple[str, str]] = []
    roles: set[str] = set()
    for each in wanted:
        if each["owner"] not in roles:
            roles.add(each["owner"])
            steps += _role(each, now["roles"].get(each["owner"]), salt)
        steps += _database(each, now["databases"].get(each["name"]))
    return steps


def _role(
    each: Mapping[str, t.Any], now: Mapping[str, t.Any] | None, salt: Callable[[], bytes]
) -> list[tuple[str, str]]:
    role, password = _quoted(each["owner"]), each.get("password") or ""
    login = bool(each.get("login", True))
    secret = f" PASSWORD '{passwords.verifier(password, salt())}'" if password else ""
    if now is None:
        return [(f"role {each['owner']}: new", f"CREATE ROLE {role} {_login(login)}{secret};")]
    steps = []
    if password and not passwords.matches(password, now["password"]):
        steps.append((f"role {each['owner']}: another password", f"ALTER ROLE {role}{secret};"))
    if now["login"] != login:
        word = "may log in" if login else "may not log in any more"
        steps.append((f"role {each['owner']}: {word}", f"ALTER ROLE {role} {_login(login)};"))
    return steps


def _database(each: Mapping[str, t.Any], now: Mapping[str, t.Any] | None) -> list[tuple[str, str]]:
    name, owner = _quoted(each["name"]), _quoted(each["owner"])
    limit = int(each.get("connection_limit", -1))
    steps = []
    if now is None:
        steps.append((f"database {each['name']}: new", f"CREATE DATABASE {name} OWNER {owner} TEMPLATE template0;"))
        now = {"owner": each["owner"], "connections": -1, "public": True}
    if now["owner"] != each["owner"]:
        steps.append((f"database {each['name']}: owner {each['owner']}", f"ALTER DATABASE {name} OWNER TO {owner};"))
    if now["public"]:
        words = f"database {each['name']}: closed to others"
        steps.append((words, f"REVOKE ALL ON DATABASE {name} FROM PUBLIC;"))
    if now["connections"] != limit:
        words = f"database {each['name']}: {limit} connections"
        steps.append((words, f"ALTER DATABASE {name} CONNECTION LIMIT {limit};"))
    return steps


def extensions(run: Run, each: Mapping[str, t.Any], *, exists: bool) -> list[tuple[str, str]]:
    """What to do inside a database."""
    wanted = each.get("extensions") or ()
    have = json.loads(run(each["name"], _EXTENSIONS)) if exists and wanted else []
    return [
        (f"database {each['name']}: extension {name}", f"CREATE EXTENSION {_quoted(name)} CASCADE;")
        for name in wanted
        if name not in have
    ]


def undeclared(wanted: Iterable[Mapping[str, t.Any]], now: Mapping[str, t.Any]) -> list[str]:
    """Databases that nobody declares any more. They stay; nobody can connect to them from outside."""
    return sorted(set(now["databases"]) - {str(each["name"]) for each in wanted} - set(_SYSTEM))


def quiet(statement: str) -> str:
    """A statement that leaves no trace in the log."""
    return _QUIET + statement


def _login(may: bool) -> str:
    return "LOGIN" if may else "NOLOGIN"


def _quoted(name: str) -> str:
    escaped = str(name).replace('"', '""')
    return f'"{escaped}"'
