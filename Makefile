# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Needs python3 (3.10 or newer), make and git; the rest goes into .venv and .cache.
# PYTHON=/path/to/python3 chooses the interpreter (else the newest on PATH); ARGS="..." goes to the target's tool.

SHELL := /bin/bash
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export ANSIBLE_CONFIG := $(CURDIR)/ansible.cfg
# An older copy of the collection, somewhere in the home, would hide this checkout.
export ANSIBLE_HOME := $(CURDIR)/.cache/ansible
BOOTSTRAP := $(or $(PYTHON),python3) .ci/bootstrap.py $(if $(PYTHON),--this-python)
PACKAGE := ansible_collections.k8s.self_provisioning

TEST_STEPS := check-generated lint-python typecheck lint-yaml lint-ansible lint-changelog lint-docs \
              unit golden -- molecule sanity -- integration
SLOW_SCENARIOS := kubespray etcd_backup postgresql api_endpoint metallb ceph_csi nfs_csi flux_bootstrap
# Most tests wait for processes of theirs, so there are more workers than cores.
INTEGRATION := pytest -n 3 --dist loadfile --no-loadscope-reorder tests/flux tests/metallb tests/integration \
               tests/control_plane tests/hosts tests/tools

.DEFAULT_GOAL := help
.PHONY: $(shell sed -nE 's/^([a-z-]+):.*/\1/p' $(firstword $(MAKEFILE_LIST)))

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## /\1\t/' | sort | awk -F'\t' '{printf "  make %-16s %s\n", $$1, $$2}'

run-venv:
	@$(BOOTSTRAP) run

venv: ## set up .venv with everything the tests need
	@$(BOOTSTRAP) dev

demo: run-venv ## render the example organisation's fleet into a Git repository and sum it up
	@.ci/demo

test: venv ## everything that has to pass; prints each step and its time
	@tests/tools/steps.sh $(TEST_STEPS)

test-slow: venv ## what takes too long for every run: some hours
	@tests/tools/steps.sh integration-slow molecule-slow ceph-check sops-check rack failover-once database-faults-once

lint: lint-python lint-yaml lint-ansible lint-changelog lint-docs ## all linters

lint-python: venv ## ruff: rules and format
	ruff check
	ruff format --check

format: venv ## let ruff mend what it can
	ruff check --fix
	ruff format

lint-yaml: venv ## yamllint
	yamllint --strict .

lint-ansible: venv ## ansible-lint, production profile
	ansible-lint --strict

lint-changelog: venv ## changelog fragments
	antsibull-changelog lint

lint-docs: venv ## documentation of plugins and roles
	antsibull-docs lint-collection-docs --plugin-docs --validate-collection-refs self .

typecheck: venv ## mypy
	mypy -p $(PACKAGE).plugins

sanity: venv ## ansible-test sanity on a copy of the checkout
	python tests/tools/sanity.py $(ARGS)

unit: venv ## unit tests
	pytest -n 2 --dist worksteal tests/unit $(ARGS)

golden: venv ## the example's rendered tree against the reviewed one
	pytest tests/golden $(ARGS)

integration: venv ## tests against a real API server and real playbook runs, but the slow ones
	$(INTEGRATION) -m "not slow" $(ARGS)

integration-slow: venv ## those that take minutes: crashes, waits, whole walks of Kubespray, the demo under Flux
	$(INTEGRATION) -m slow $(ARGS)

molecule: venv host-rig ## scenarios of roles but the slow ones; ROLE=name runs one, of those too
	@flock --nonblock .cache/molecule.lock true || echo "molecule: another run in this checkout: waiting for it"
	ANSIBLE_HOME=$(CURDIR)/.cache/molecule flock .cache/molecule.lock \
		molecule test $(if $(ROLE),--scenario-name $(ROLE),--all $(SLOW_SCENARIOS:%=--exclude %)) $(ARGS)

molecule-slow: ## the slow scenarios, one after the other
	@tests/tools/steps.sh $(SLOW_SCENARIOS:%=molecule-%)

molecule-%:
	@$(MAKE) --no-print-directory molecule ROLE=$*

rack: venv host-rig ## the playbook hosts on 5 and on 25 test hosts, task by task; ARGS="--forks 25"
	python -m tests.hosts.rack $(ARGS)

host-vms: venv ## a node and a storage server as virtual machines: NFS, iSCSI, multipath, ipvs, a real reboot (as root; slow)
	python -m tests.hosts.vms $(ARGS)

failover: venv host-rig ## how long the API's address is away when something breaks, measured; ARGS="--runs 1 --only killed"
	python -m tests.hosts.failover $(ARGS)

failover-once database-faults-once: %-once:
	@$(MAKE) --no-print-directory $* ARGS=$(ONCE)

failover-once: ONCE := "--runs 1"
database-faults-once: ONCE := --rounds=1

host-rig: venv ## programs and image of the test hosts (as root, on Debian or Ubuntu)
	@python -m tests.hosts image

database-faults: venv host-rig ## databases on real hosts: built, killed, cut off, restored, with more memory; ARGS=--rounds=N
	python -m tests.hosts.databases $$(mktemp -d) $(ARGS)

generate: venv ## write the files that come from the schema
	python tests/tools/generate.py

check-generated: venv ## fail when a generated file is out of date
	python tests/tools/generate.py --check

bench: venv ## speed: the example and a synthetic fleet, side by side with the baselines
	python -m tests.bench $(ARGS)

bench-live: venv ## speed of live delivery, side by side with kubernetes.core and kubectl on a real API server
	python -m tests.bench.live $(ARGS)

matrix: venv ## unit and golden tests on every Python and ansible-core that can be installed here
	python tests/tools/matrix.py $(ARGS)

kubespray-check: venv ## Kubespray's own validation on our inventories: make kubespray-check KUBESPRAY_SRC=/path/to/its/git
	python -m tests.kubespray_check $(KUBESPRAY_SRC) $(ARGS)

ceph-check: venv ## pools, users and rights on a real Ceph in memory, made by the role (as root, on Debian or Ubuntu)
	pytest tests/ceph $(ARGS)

flux-scale: venv ## from commit to applied with the real Flux, measured; ARGS="--environments 50 200 --concurrent 4 10"
	python -m tests.bench.flux $(ARGS)

sops-check: venv ## variables that SOPS has encrypted, with the collection community.sops (fetches it once)
	pytest tests/sops $(ARGS)

flux-demo: venv ## the example's tree on a real control plane with the real Flux, to look at; ARGS=--build-only builds
	@python -m tests.flux $(ARGS)

control-plane: venv ## start the tests' API server for a look; ARGS=--build-only only gets its programs
	python -m tests.control_plane $(ARGS)

changelog: venv ## release the fragments into CHANGELOG.md: make changelog VERSION=x.y.z
	antsibull-changelog release --update-existing --reload-plugins $(if $(VERSION),--version $(VERSION))

clean: ## remove everything that was made here
	rm -rf .venv .cache .demo
