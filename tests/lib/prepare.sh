# SPDX-License-Identifier: MIT
# shellcheck shell=bash

# Shared by tests/try, tests/run and tests/lab: packages, and a cache for what is slow to make.

# Outside the checkout, so that it outlives it.
export CACHE=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/led-socket

die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# Installs the Debian packages that are missing. Needs root only when some are.
need() {
	local missing=() package log
	for package; do
		dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
			missing+=("$package")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	[ "$(id -u)" = 0 ] || die "not root, and these packages are missing: ${missing[*]}"
	printf 'installing %s\n' "${missing[*]}" >&2
	log=$(mktemp)
	export DEBIAN_FRONTEND=noninteractive # tzdata asks where we are
	local install=(apt-get install -y -o DPkg::Lock::Timeout=600 --no-install-recommends)
	if ! { "${install[@]}" "${missing[@]}" ||
		{ apt-get update && "${install[@]}" "${missing[@]}"; }; } \
		>"$log" 2>&1 </dev/null; then
		tail -n 20 "$log" >&2
		rm -f "$log"
		die "apt-get could not install: ${missing[*]}"
	fi
	rm -f "$log"
}

# Fetches a package without installing it and prints the folder with its files: for
# daemons that would start on installation, or that cannot be installed together.
unpacked() {
	local package=$1 version folder
	version=$(apt-cache policy "$package" | sed -n 's/^ *Candidate: *//p')
	if [ -z "$version" ] || [ "$version" = "(none)" ]; then
		apt-get update >/dev/null 2>&1
		version=$(apt-cache policy "$package" | sed -n 's/^ *Candidate: *//p')
	fi
	folder=$CACHE/$package-${version//:/_}-$(dpkg --print-architecture) # no colon in PATH
	mkdir -p "$CACHE"
	(
		flock 9 # another part of the tests may be doing the same
		[ ! -d "$folder" ] || exit 0
		rm -rf "$folder.new" && mkdir "$folder.new" && cd "$folder.new" &&
			apt-get download "$package" >/dev/null 2>&1 &&
			dpkg-deb -x ./*.deb . && rm -f ./*.deb && mv "$folder.new" "$folder"
	) 9>"$CACHE/$package.lock" || return 1
	printf '%s\n' "$folder"
}

# What a build needs. libsystemd-dev brings libsystemd.
need_build() {
	need gcc libc6-dev meson ninja-build pkg-config libsystemd-dev libgpiod-dev libevdev-dev \
		libmosquitto-dev
}

# What the lab needs: tests/lab/README.md.
need_lab() {
	need python3 mandoc mmdebstrap systemd-container iproute2 util-linux netcat-openbsd e2fsprogs \
		cpio xz-utils kmod arch-test openssl openssh-client tcpdump qemu-system-x86 qemu-system-arm qemu-user-static binfmt-support
}

# Sets up (or reuses) a build folder and builds: build DIR [MESON-OPTION]...
build() {
	local dir=$1 log
	shift
	log=$(mktemp)
	if ! { { [ -f "$dir/build.ninja" ] && meson configure "$dir" "$@" ||
		meson setup "$dir" "$SOURCE" "$@"; } && ninja -C "$dir"; } >"$log" 2>&1; then
		tail -n 40 "$log" >&2
		rm -f "$log"
		return 1
	fi
	rm -f "$log"
}
