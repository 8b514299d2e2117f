#!/bin/sh
# Puts the source of libyaml into FOLDER, for who compiles it to WebAssembly: Debian's own, which
# apt fetches and whose signature it checks. Needs no root and changes nothing of the system.
#
#   libyaml.sh FOLDER
#
# LIBYAML_SOURCE=DIR: the unpacked source is there already; nothing is fetched.
set -eu
folder=$1

if [ -n "${LIBYAML_SOURCE:-}" ]; then
	if [ ! -e "$LIBYAML_SOURCE/src/scanner.c" ]; then
		echo "learn-site: LIBYAML_SOURCE=$LIBYAML_SOURCE has no src/scanner.c; name the unpacked source of libyaml" >&2
		exit 1
	fi
	mkdir -p "$folder"
	cp -r "$LIBYAML_SOURCE/src" "$LIBYAML_SOURCE/include" "$LIBYAML_SOURCE/License" "$folder"
	exit 0
fi
if ! command -v apt-get >/dev/null; then
	echo "learn-site: no apt-get here to fetch libyaml's source; name it with LIBYAML_SOURCE=DIR" >&2
	exit 1
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
# shellcheck source=/dev/null
suite=$(. /etc/os-release && echo "${VERSION_CODENAME:-sid}")
for keyring in /usr/share/keyrings/debian-archive-keyring.gpg /usr/share/keyrings/debian-archive-keyring.pgp; do
	[ -e "$keyring" ] && break
done
echo "deb-src [signed-by=$keyring] http://deb.debian.org/debian $suite main" >"$work/sources.list"
fetch() {
	apt-get -q -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=- \
		-o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" \
		-o APT::Sandbox::User= "$@"
}
if ! (cd "$work" && fetch update && fetch source --download-only libyaml) >"$work/log" 2>&1; then
	tail -n 5 "$work/log" >&2
	echo "learn-site: cannot fetch libyaml's source; name it with LIBYAML_SOURCE=DIR" >&2
	exit 1
fi
mkdir -p "$folder"
tar -xzf "$work"/libyaml_*.orig.tar.gz -C "$folder" --strip-components=1
