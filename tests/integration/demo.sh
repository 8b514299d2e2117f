#!/usr/bin/env bash
# make demo: as it is, without FUSE, and without LTTng.
. "$TOP/tests/integration/tap.sh"
cd "$TOP" || exit 1

export BUILD=${BUILD:-build}
dir=$(mktemp -d)
export OUT=$dir/demo
trap 'rm -rf "$dir"' EXIT

demo() { sim/vmm/demo.sh >"$dir/out" 2>&1; }
says() {
	grep -qF -- "$1" "$dir/out" || {
		cat "$dir/out"
		return 1
	}
}
fits_a_screen() { [ "$(wc -l <"$dir/out")" -le 50 ]; }

# All programs but LTTng's.
mkdir "$dir/bin"
ln -s /usr/bin/* "$dir/bin/" 2>/dev/null
rm -f "$dir"/bin/lttng*
PATH=$dir/bin check "it passes without LTTng" demo
check "it says what it skipped" says "2 skipped"

if [ ! -e /dev/fuse ]; then
	PATH=$dir/bin check "it passes without FUSE" demo
	check "it says that it runs inside the process" says "the fake device inside its own process"
elif unshare -rm mount --bind /dev/null /dev/fuse 2>/dev/null; then
	no_fuse() { unshare -rm sh -c 'mount --bind /dev/null /dev/fuse && exec sim/vmm/demo.sh' >"$dir/out" 2>&1; }
	PATH=$dir/bin check "it passes without FUSE" no_fuse
	check "it says that it runs inside the process" says "the fake device inside its own process"
else
	skip "it passes without FUSE" "no user namespaces to hide /dev/fuse in"
fi

if ! command -v lttng-sessiond >/dev/null; then
	skip "the whole demo" "lttng-tools is not installed"
	done_testing
fi
check "it passes" demo
check "the good run's verdict is ok" says "verdict: ok"
check "the mistake is found and explained" says "violation: use-after-free: map_dma names id"
check "nothing is skipped where nothing is missing" says ", 0 skipped"
check "its output fits a screen" fits_a_screen
done_testing
