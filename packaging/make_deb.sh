#!/bin/sh
# make_deb.sh OUT VERSION: builds Debian packages of the sources as committed and changed here,
# in OUT: source and binary packages. packages.txt says what they need.
set -eu
cd "$(dirname "$0")/.."
out=$1 version=$2
source=$out/ioasis-$version

of_kind() { # KIND: ", PACKAGE" each
	awk -v kind="$1" '!/^#/ && $2 == kind && $1 != "build-essential" { printf ", %s", $1 }' packages.txt
}

rm -rf "$out"
mkdir -p "$source"
if git rev-parse --git-dir >/dev/null 2>&1; then
	git ls-files --cached --others --exclude-standard
else
	find . -path ./build -prune -o -path ./.git -prune -o -type f -print
fi | while read -r file; do
	[ ! -e "$file" ] || echo "$file"
done >"$out/files"
tar -cf - -T "$out/files" | tar -xf - -C "$source"
rm "$out/files"
cp -r packaging/debian "$source/debian"
sed -e "s/@build@/$(of_kind build)/" -e "s/@run@/$(of_kind run | sed 's/^, //')/" \
	packaging/debian/control.in >"$source/debian/control"
rm "$source/debian/control.in"
# The date of what is packaged, so that building again gives the same files.
date=$(git log -1 --format=%cD 2>/dev/null || date -R -r CHANGELOG.md)
cat >"$source/debian/changelog" <<END
ioasis ($version) unstable; urgency=medium

  * See /usr/share/doc/ioasis/changelog.gz.

 -- ioasis maintainers <ioasis@users.noreply.github.com>  $date
END
cd "$source"
unset MAKEFLAGS MFLAGS MAKELEVEL
dpkg-buildpackage -us -uc "${DEB_BUILD_FLAGS:--b}" >"../build.log" 2>&1 || {
	tail -n 30 ../build.log >&2
	exit 1
}
cd ..
rm -rf "ioasis-$version"
ls ./*.deb
if command -v lintian >/dev/null; then
	lintian --allow-root --fail-on error,warning ./*.changes
fi
