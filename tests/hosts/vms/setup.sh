#!/bin/sh
# Copyright (c) 2026, k8s.self_provisioning contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Runs once inside the disk of a virtual machine.
set -eu

# What tells one machine from another comes with its second disk, a tar archive, when it first starts.
rm -f /etc/ssh/ssh_host_* /var/lib/dbus/machine-id
: > /etc/machine-id
cat > /usr/local/sbin/rig-start <<'SCRIPT'
#!/bin/sh
set -eu
tar --extract --no-overwrite-dir --directory=/ --file=/dev/vdb
hostname -F /etc/hostname
chown -R ansible: /home/ansible/.ssh
systemctl disable --quiet rig-start.service
SCRIPT
chmod 0755 /usr/local/sbin/rig-start
cat > /etc/systemd/system/rig-start.service <<'UNIT'
[Unit]
Description=Take the identity from the second disk
DefaultDependencies=no
Wants=dev-vdb.device
After=dev-vdb.device systemd-remount-fs.service
Before=sysinit.target systemd-networkd.service ssh.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/local/sbin/rig-start
[Install]
WantedBy=sysinit.target
UNIT
systemctl enable --quiet rig-start.service systemd-networkd.service

# The account that Ansible uses. No root login, as on a host that an installer has left behind.
useradd --create-home --shell /bin/bash ansible
passwd --lock root > /dev/null
install -d -m 0700 -o ansible -g ansible /home/ansible/.ssh
echo 'ansible ALL=(ALL) NOPASSWD:ALL' > /etc/sudoers.d/ansible
chmod 0440 /etc/sudoers.d/ansible

# Swap, as an installer makes it; noise, because the file may have no holes.
dd if=/dev/urandom of=/swapfile bs=1M count=16 status=none
chmod 0600 /swapfile
mkswap /swapfile > /dev/null
cat > /etc/fstab <<'FSTAB'
/dev/vda1 / ext4 errors=remount-ro 0 1
/swapfile none swap sw 0 0
FSTAB

# The boot loader, without a device to install it on: the two images go to the start of the disk as they are. Debian keeps
# /vmlinuz and /initrd.img pointing at the newest kernel, so that a kernel's upgrade and a new initramfs take effect.
mkdir -p /boot/grub
cat > /boot/grub/grub.cfg <<'GRUB'
linux /vmlinuz root=/dev/vda1 ro console=ttyS0 net.ifnames=0
initrd /initrd.img
boot
GRUB
cp -R /usr/lib/grub/i386-pc /boot/grub/
cp /usr/lib/grub/i386-pc/boot.img /boot/grub/boot.img
echo 'GRUB_CMDLINE_LINUX="console=ttyS0 net.ifnames=0"' >> /etc/default/grub
grub-mkimage --format=i386-pc --prefix='(hd0,msdos1)/boot/grub' --output=/boot/grub/core.img \
    biosdisk part_msdos ext2 normal linux configfile

# A small initramfs, the installer's choice "targeted": to make one takes long where the processor is emulated.
echo MODULES=dep > /etc/initramfs-tools/conf.d/driver-policy

# Nothing here has to survive a power cut, and no timer starts to upgrade packages in the middle of a test.
echo force-unsafe-io > /etc/dpkg/dpkg.cfg.d/rig
systemctl mask --quiet apt-daily.timer apt-daily-upgrade.timer e2scrub_reap.service e2scrub_all.timer
apt-get clean
