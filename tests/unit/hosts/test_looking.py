# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host finds out about names and servers that are not as they should be: a reason, and never an exception."""

from __future__ import annotations

import socket
import threading

from ansible_collections.k8s.self_provisioning.plugins.module_utils._hosts.look_network import look

WRONG = ("a..b", "x" * 70 + ".example.org")


def test_names_that_are_none() -> None:
    seen = look([*WRONG, "localhost"], {name: name for name in WRONG}, [], 9, "", 1)
    assert [bool(seen["names"][name]) for name in (*WRONG, "localhost")] == [False, False, True]
    assert all(seen["peers"][name]["error"] for name in WRONG)


def test_servers_that_speak_no_http() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet() -> None:
            connection, _address = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")

        thread = threading.Thread(target=greet)
        thread.start()
        other = f"http://127.0.0.1:{server.getsockname()[1]}/"
        urls = [other, "http://127.0.0.1:abc/", "http://a..b/", "nothing"]
        found = look([], {}, urls, 22, "", 2)["urls"]
        thread.join()
    assert [url for url in urls if not found[url]] == []
    assert "SSH-2.0" in found[other]
