#!/usr/bin/env bash
# Puts a real Asterisk 22 into a folder of its own, where the e2e tests start it
# by chroot. Nothing of it is installed on the host. When it is there already,
# this takes a moment; an interrupted run leaves nothing that counts as done.
#
#     KONTUR_ARI_LAB_DIR   where to keep it (default /var/cache/kontur-ari-lab)
set -euo pipefail

lab=${KONTUR_ARI_LAB_DIR:-/var/cache/kontur-ari-lab}
root=$lab/root
marker=$root/etc/kontur-ari-lab
# The marker holds the recipe. If the recipe changes, this script replaces the folder.
suite=forky
packages=asterisk,asterisk-modules,ca-certificates
recipe="2 $suite $packages"

complete() { [ "$(head -n 1 "$marker" 2>/dev/null)" = "$recipe" ]; }

fail() {
	echo "provision: $*" >&2
	exit 1
}

# The mirror that apt uses for Debian itself, so that a site's own is honoured.
mirror() {
	local codename
	# shellcheck source=/dev/null
	codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
	# shellcheck disable=SC2016 # apt-get is to see these as they stand
	apt-get indextargets --format '$(SITE) $(RELEASE) $(COMPONENT)' 2>/dev/null |
		awk -v release="$codename" '$2 == release && $3 == "main" { print $1; exit }'
}

# Debian's tool for making such a folder, and the keys it checks packages with.
tools() {
	command -v debootstrap >/dev/null && [ -e /usr/share/keyrings/debian-archive-keyring.gpg ] && return
	command -v apt-get >/dev/null || fail "debootstrap is missing and there is no apt-get: install debootstrap and debian-archive-keyring."
	echo "provision: installing debootstrap" >&2
	local wanted=(debootstrap debian-archive-keyring)
	apt-get install -y --no-install-recommends "${wanted[@]}" >/dev/null 2>&1 ||
		{ apt-get update >/dev/null && apt-get install -y --no-install-recommends "${wanted[@]}" >/dev/null; } ||
		fail "debootstrap can't be installed: see what apt-get said above."
}

# Removes a folder in which debootstrap may have been killed: it mounts below it.
discard() {
	local mounted
	while read -r _ mounted _; do
		case $mounted in "$1"/*) umount "$mounted" ;; esac
	done < <(tac /proc/mounts)
	rm -rf --one-file-system "$1"
}

bootstrap() {
	local into=$1 from=$2 log=$lab/debootstrap.log
	discard "$into" || return 1
	echo "provision: installing Asterisk from $from into $root (a minute or two, 500 MB)" >&2
	# The script is named because an older debootstrap has none for this suite;
	# sid's fits them all.
	if ! debootstrap --variant=minbase --include="$packages" "$suite" "$into" "$from" sid >"$log" 2>&1; then
		tail -n 20 "$log" >&2
		return 1
	fi
	# The downloaded packages have done their work and are half of the size.
	rm -rf "$into"/var/cache/apt/archives/*.deb
	# Asterisk looks up the host's name now and then, in the middle of a call;
	# with DNS servers that can't be reached that takes 5 seconds each time.
	printf 'hosts: files\n' >"$into/etc/nsswitch.conf"
	printf '127.0.0.1 localhost a.root-servers.net\n' >"$into/etc/hosts"
	: >"$into/etc/resolv.conf"
}

complete && exit 0
[ "$(id -u)" -eq 0 ] || fail "installing Asterisk into $root needs root: sudo $0"
mkdir -p "$lab"
exec 9>"$lab/lock"
flock 9
complete && exit 0 # another run did it while this one waited

tools
fresh=$lab/root.incomplete
trap 'discard "$fresh"' EXIT
site=$(mirror) || site= # no apt here, or nothing known to it
default=http://deb.debian.org/debian
bootstrap "$fresh" "${site:-$default}" ||
	{ [ "${site:-$default}" != "$default" ] && bootstrap "$fresh" "$default"; } ||
	fail "debootstrap failed; its whole output is in $lab/debootstrap.log"
version=$(chroot "$fresh" asterisk -V) || fail "the installed Asterisk doesn't start"
printf '%s\n%s\n' "$recipe" "$version" >"$fresh/etc/kontur-ari-lab"

if [ -e "$root" ]; then
	mv "$root" "$lab/root.old.$$"
	rm -rf "$lab/root.old.$$"
fi
mv "$fresh" "$root"
echo "provision: $version is in $root" >&2
