#!/bin/sh
# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Runs once inside the image of the test hosts: what a container needs to pass as a machine.
set -eu

# No hardware to watch and no console to log in at.
systemctl mask --quiet systemd-udevd.service systemd-udev-trigger.service getty.target console-getty.service \
    dev-hugepages.mount sys-kernel-debug.mount sys-kernel-tracing.mount sys-fs-fuse-connections.mount e2scrub_reap.service

# Each host makes its own identity when it first starts.
rm -f /etc/ssh/ssh_host_* /var/lib/dbus/machine-id
: > /etc/machine-id
: > /etc/hostname
: > /etc/hosts
: > /etc/resolv.conf

# The account that Ansible uses. No root login, as on a host that an installer has left behind.
useradd --create-home --shell /bin/bash ansible
passwd --lock root > /dev/null
install -d -m 0700 -o ansible -g ansible /home/ansible/.ssh
echo 'ansible ALL=(ALL) NOPASSWD:ALL' > /etc/sudoers.d/ansible
chmod 0440 /etc/sudoers.d/ansible

# podman binds files of its own over these three, which then can be written but not replaced, as roles do.
cat > /usr/local/sbin/rig-start <<'SCRIPT'
#!/bin/sh
for file in /etc/hostname /etc/hosts /etc/resolv.conf; do
    if mountpoint -q "$file"; then
        cp "$file" /run/rig-file
        umount "$file"
        [ -s "$file" ] || cat /run/rig-file > "$file"
    fi
done
hostname -F /etc/hostname
[ -e /etc/ssh/ssh_host_ed25519_key ] || ssh-keygen -q -t ed25519 -N "" -C "$(hostname)" -f /etc/ssh/ssh_host_ed25519_key
SCRIPT
chmod 0755 /usr/local/sbin/rig-start
cat > /etc/systemd/system/rig-start.service <<'UNIT'
[Unit]
Description=Make a container pass as a machine
DefaultDependencies=no
Before=sysinit.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/sbin/rig-start
[Install]
WantedBy=sysinit.target
UNIT
systemctl enable --quiet rig-start.service

# The clock belongs to the machine: chrony runs, and leaves it alone.
mkdir -p /etc/systemd/system/chrony.service.d
cat > /etc/systemd/system/chrony.service.d/rig.conf <<'UNIT'
[Unit]
ConditionCapability=
[Service]
ExecStart=
ExecStart=!/usr/sbin/chronyd -F 1 -x
UNIT

# Nothing here has to survive a power cut.
echo force-unsafe-io > /etc/dpkg/dpkg.cfg.d/rig
