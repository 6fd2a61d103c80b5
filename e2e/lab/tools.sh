#!/usr/bin/env bash
# Sees to it that the project can be built and tested here: Go, which gets the
# version that go.mod asks for by itself, a C compiler for the race detector, and
# the programs that convert recordings.
# What is missing is installed from Debian's packages.
set -euo pipefail
cd "$(dirname "$0")/../.."

fail() {
	echo "tools: $*" >&2
	exit 1
}

# may_install says what is about to be installed, or why it can't be.
may_install() {
	[ "$(id -u)" -eq 0 ] || fail "missing: $*. Install it, or run this as root."
	command -v apt-get >/dev/null || fail "missing: $*. There is no apt-get to install it with."
	echo "tools: installing $*" >&2
}

install() {
	may_install "$@"
	apt-get install -y --no-install-recommends "$@" >/dev/null 2>&1 ||
		{ apt-get update >/dev/null && apt-get install -y --no-install-recommends "$@" >/dev/null; }
}

# install_go takes Go from the backports of this Debian, since its own is too old
# to fetch a newer one, without changing where apt looks from now on.
install_go() {
	may_install "Go from Debian's backports"
	local sources codename mirror
	apt-get update >/dev/null
	# shellcheck source=/dev/null
	codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
	# shellcheck disable=SC2016 # apt-get is to see these as they stand
	mirror=$(apt-get indextargets --format '$(SITE) $(RELEASE) $(COMPONENT)' |
		awk -v release="$codename" '$2 == release && $3 == "main" && !found { print $1; found = 1 }')
	sources=$(mktemp)
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${mirror:-http://deb.debian.org/debian} $codename-backports main" >"$sources"
	local there=(-o "Dir::Etc::sourcelist=$sources" -o "Dir::Etc::sourceparts=-")
	apt-get "${there[@]}" update >/dev/null
	# What Go itself needs comes from this Debian, so both are looked at.
	apt-get -o "Dir::Etc::sourcelist=$sources" -t "$codename-backports" install -y --no-install-recommends golang-go ca-certificates >/dev/null
	rm -f "$sources"
}

# fits succeeds if Go is, or fetches, the version that go.mod asks for.
fits() { command -v go >/dev/null && go list -m >/dev/null 2>&1; }

fits || install_go
fits || fail "this Go can't become the one that go.mod asks for: $(go list -m 2>&1 | head -n 1)"
# Recordings are converted by these.
command -v ffmpeg >/dev/null || install ffmpeg
command -v lame >/dev/null || install lame
echo '#include <stdlib.h>' | "$(go env CC)" -fsyntax-only -x c - 2>/dev/null || install gcc libc6-dev
