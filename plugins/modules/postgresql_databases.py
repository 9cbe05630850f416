#!/usr/bin/python
# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles and databases."""

from __future__ import annotations

DOCUMENTATION = r"""
module: postgresql_databases
short_description: Make databases and the roles that own them
version_added: 0.1.0
author: k8s.self_provisioning contributors (@k8s-self-provisioning)
description:
  - Makes all databases in one run, on the host whose database can be written, as the account C(postgres) through the
    local socket. Passwords go to PostgreSQL as SCRAM verifiers on standard input, never as arguments or in clear text.
  - Databases that are not listed stay as they are, and are told.
extends_documentation_fragment:
  - k8s.self_provisioning.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
options:
  databases:
    description:
      - The databases. C(name), C(owner), C(password) (without one the role cannot log in with a password),
        C(extensions), C(connection_limit), C(login).
    type: list
    elements: dict
    required: true
  port:
    description:
      - Port of PostgreSQL.
    type: int
    default: 5432
  socket:
    description:
      - Folder of its socket.
    type: path
    default: /var/run/postgresql
  account:
    description:
      - Account that PostgreSQL runs as.
    type: str
    default: postgres
"""

EXAMPLES = r"""
- name: Make a database
  k8s.self_provisioning.postgresql_databases:
    port: 5434
    databases:
      - {name: shop, owner: shop, password: "{{ shop_password }}", connection_limit: 20}
  no_log: true
"""

RETURN = r"""
steps:
  description: What was done, or in check mode would be.
  returned: always
  type: list
  elements: str
  sample: ["role shop: new", "database shop: new"]
undeclared:
  description: Databases that are not listed.
  returned: always
  type: list
  elements: str
  sample: [old_shop]
"""

import os
import secrets

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.k8s.self_provisioning.plugins.module_utils._postgresql import sql


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "databases": {"type": "list", "elements": "dict", "required": True, "no_log": False},
            "port": {"type": "int", "default": 5432},
            "socket": {"type": "path", "default": "/var/run/postgresql"},
            "account": {"type": "str", "default": "postgres"},
        },
        supports_check_mode=True,
    )
    given = module.params
    wanted = given["databases"]
    module.no_log_values.update(each["password"] for each in wanted if each.get("password"))

    def run(database: str, statement: str) -> str:
        command = ["runuser", "-u", given["account"], "--", "psql", "--no-psqlrc", "--quiet", "--tuples-only"]
        command += ["--no-align", "--set=ON_ERROR_STOP=1", f"--host={given['socket']}", f"--port={given['port']}"]
        code, out, error = module.run_command([*command, f"--dbname={database}"], data=statement, cwd=os.sep)
        if code:
            module.fail_json(msg=f"PostgreSQL refused: {error.strip()}", steps=done, undeclared=[])
        return str(out).strip()

    done: list[str] = []
    now = sql.state(run)
    refused = sql.problems(wanted, now)
    if refused:
        module.fail_json(msg="Nothing was changed: " + " ".join(refused), steps=[], undeclared=[])
    steps = [("postgres", *step) for step in sql.plan(wanted, now, lambda: secrets.token_bytes(16))]
    for _database, words, statement in steps:
        if not module.check_mode:
            run("postgres", sql.quiet(statement))
        done.append(words)
    for each in wanted:
        exists = each["name"] in now["databases"] or not module.check_mode
        for words, statement in sql.extensions(run, each, exists=exists):
            if not module.check_mode:
                run(each["name"], statement)
            done.append(words)
    diff = {"before": "", "after": "".join(f"{words}\n" for words in done)}
    undeclared = sql.undeclared(wanted, now)
    module.exit_json(changed=bool(done), steps=done, undeclared=undeclared, diff=diff)


if __name__ == "__main__":
    main()
