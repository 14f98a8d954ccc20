# SPDX-License-Identifier: MIT
# shellcheck shell=bash

# Shared by tests/try, tests/run and tests/lab: packages, and a cache for what is slow to make.

# Outside the checkout, so that it outlives it.
export CACHE=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/led-socket

die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# Ends a program that was called with wrong words.
wrong() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 2
}

# Installs the Debian packages that are missing, which only root can. Sets why if it fails.
get() {
	local missing=() package log installed
	why=
	installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "$@" 2>/dev/null)
	for package; do
		grep -Fqx "$package installed" <<<"$installed" || missing+=("$package")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	if [ "$(id -u)" != 0 ]; then
		why="not root, and these packages are missing: ${missing[*]}"
		return 1
	fi
	printf 'installing %s\n' "${missing[*]}" >&2
	log=$(mktemp)
	export DEBIAN_FRONTEND=noninteractive # tzdata asks where we are
	local install=(apt-get install -y -o DPkg::Lock::Timeout=600 --no-install-recommends)
	mkdir -p "$CACHE"
	if ! (
		flock 9 # another part of the tests may be installing, and "update" waits for nobody
		"${install[@]}" "${missing[@]}" || { apt-get update && "${install[@]}" "${missing[@]}"; }
	) 9>"$CACHE/apt.lock" >"$log" 2>&1 </dev/null; then
		tail -n 20 "$log" >&2
		why="apt-get could not install: ${missing[*]}"
	fi
	rm -f "$log"
	[ -z "$why" ]
}

need() {
	get "$@" || die "$why"
}

# Fetches packages without installing them, and prints the folders with the files of those that there
# are, a line each: for daemons that would start on installation, or cannot be installed together.
unpacked() {
	local package version versions folder
	versions=$(candidates "$@")
	if [ "$(grep -c . <<<"$versions")" -lt $# ]; then
		apt-get update >/dev/null 2>&1
		versions=$(candidates "$@")
	fi
	mkdir -p "$CACHE"
	for package; do
		version=$(sed -n "s/^$package //p" <<<"$versions")
		folder=$CACHE/$package-$version-$(dpkg --print-architecture)
		(
			flock 9 # another part of the tests may be doing the same
			[ ! -d "$folder" ] || exit 0
			rm -rf "$folder.new" && mkdir "$folder.new" && cd "$folder.new" &&
				apt-get download "$package" >/dev/null 2>&1 &&
				dpkg-deb -x ./*.deb . && rm -f ./*.deb && mv "$folder.new" "$folder"
		) 9>"$CACHE/$package.lock" || continue
		printf '%s\n' "$folder"
	done
}

# The versions that apt would take of packages that it has: NAME VERSION. They go into PATH, so there is
# no colon in them.
candidates() {
	apt-cache policy "$@" |
		awk '/^[^ ]/ { sub(":$", ""); name = $1 }
			/^ *Candidate:/ && $2 != "(none)" { gsub(":", "_", $2); print name, $2 }'
}

# This checkout's build folders, and what is built.
export BUILDS
BUILDS=$CACHE/build-$(printf '%s' "${SOURCE-}" | cksum | cut -d' ' -f1)
export PROGRAMS=(led led-handler led-line led-mqtt led-web button)

# What a build needs. libsystemd-dev brings libsystemd.
BUILD_PACKAGES=(gcc libc6-dev meson ninja-build pkg-config libsystemd-dev libgpiod-dev libevdev-dev
	libmosquitto-dev libcjson-dev libssl-dev libmicrohttpd-dev)
need_build() {
	need "${BUILD_PACKAGES[@]}"
}

# What the lab needs: tests/lab/README.md.
LAB_PACKAGES=(python3 mandoc mmdebstrap systemd-container iproute2 util-linux netcat-openbsd e2fsprogs
	cpio xz-utils kmod arch-test openssl openssh-client tcpdump qemu-system-x86 qemu-system-arm
	qemu-user-static binfmt-support apt-utils gnupg)
need_lab() {
	need "${LAB_PACKAGES[@]}"
}

# Sets up (or reuses) a build folder and builds, everything or these targets:
# build DIR [MESON-OPTION]... [-- TARGET]...
build() {
	local dir=$1 options=() log
	shift
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	[ $# -eq 0 ] || shift
	log=$(mktemp)
	mkdir -p "${dir%/*}"
	if ! (
		flock 9 # another part of the tests may want the same
		{ [ -f "$dir/build.ninja" ] && meson configure "$dir" "${options[@]}" ||
			meson setup "$dir" "$SOURCE" "${options[@]}"; } && ninja -C "$dir" "$@"
	) 9>"$dir.lock" >"$log" 2>&1; then
		tail -n 40 "$log" >&2
		rm -f "$log"
		return 1
	fi
	rm -f "$log"
}
