#!/usr/bin/env bash
# Sees to it that the project can be built and tested here: Go at the version
# that go.mod asks for, and a C compiler for the race detector. What Debian has
# is installed; the rest is named.
set -euo pipefail
cd "$(dirname "$0")/../.."

install() {
	if [ "$(id -u)" -ne 0 ]; then
		echo "tools: missing: $*. Install them, or run this as root." >&2
		exit 1
	fi
	echo "tools: installing $*" >&2
	apt-get install -y --no-install-recommends "$@" >/dev/null 2>&1 ||
		{ apt-get update >/dev/null && apt-get install -y --no-install-recommends "$@" >/dev/null; }
}

wanted=$(awk '$1 == "go" { print $2 }' go.mod)
if ! command -v go >/dev/null; then
	echo "tools: Go is missing: install Go $wanted or newer from https://go.dev/dl and put it on the PATH." >&2
	exit 1
fi
# An older Go fetches the wanted one by itself, or says why it can't.
go version >/dev/null || {
	echo "tools: this Go can't become Go $wanted: install that version from https://go.dev/dl." >&2
	exit 1
}
command -v "$(go env CC)" >/dev/null || install gcc libc6-dev
