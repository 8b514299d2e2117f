#!/usr/bin/env bash
# packages.txt is well-formed, is the only list, and names packages that exist.
. "$TOP/tests/integration/tap.sh"
cd "$TOP" || exit 1

check_output "each line has a name, a kind and a purpose" "" \
	awk '!/^#/ && (NF < 3 || $2 !~ /^(build|run|test|kernel|kbuild|fresh|upstream|fuzz|deb|qemu|cluster|learn)$/)' packages.txt
check_output "no package is listed twice" "" \
	sh -c "awk '!/^#/ { print \$1 }' packages.txt | sort | uniq -d"
others=$(grep -rlE 'apt(-get)? +install|dpkg +-i' --exclude-dir=build --exclude-dir=.git . |
	grep -vE '^\./(install-packages|tests/fresh\.sh|tests/integration/packages\.sh|docs/|README\.md)')
check_output "nothing else installs packages" "" echo -n "$others"

names=$(awk '!/^#/ { print $1 }' packages.txt)
unknown=
for package in $names; do
	dpkg-query -W "$package" >/dev/null 2>&1 || apt-cache show "$package" >/dev/null 2>&1 ||
		unknown="$unknown $package"
done
if [ -z "$unknown" ]; then
	ok "Debian has every package"
elif ! apt-cache show bash >/dev/null 2>&1; then
	skip "Debian has every package" "no package lists here"
else
	not_ok "Debian has every package, but not:$unknown"
fi
check "what the tests need is installed" sh -c "
	awk '!/^#/ && \$2 ~ /^(build|run|test)\$/ { print \$1 }' packages.txt | xargs dpkg-query -W"
done_testing
