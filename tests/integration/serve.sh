#!/usr/bin/env bash
# The life of `ioasis serve`: starting, refusing, ending, and what is left behind.
. "$TOP/tests/integration/tap.sh"
. "$TOP/tests/integration/serve_lib.sh"
serve_needs
cd "${TEST_DIR:-$(mktemp -d)}" || exit 1

mounted() {
	grep -q " $serve_path " /proc/self/mountinfo
}

# NAME PATTERN COMMAND...: one line on standard error with PATTERN, status 3.
check_refused() {
	local name=$1 pattern=$2 status
	shift 2
	"$@" >refused.out 2>refused.err
	status=$?
	if [ $status = 3 ] && [ "$(wc -l <refused.err)" = 1 ] && grep -q -- "$pattern" refused.err; then
		ok "$name"
	else
		not_ok "$name"
		echo "# status $status"
		sed 's/^/# /' refused.err
	fi
}

serve_start
check_output "it says where it is ready" "ready $serve_path" cat serve.out
check "it is mounted" mounted
check_refused "a second serve at the same path" "another 'ioasis serve'" \
	"$BUILD/ioasis" serve --at "$serve_path"
ln -s iommu link
check_refused "a second serve through a relative path" "another 'ioasis serve'" \
	"$BUILD/ioasis" serve --at iommu
serve_stop TERM
check_output "SIGTERM ends it with 0" 0 echo "$serve_status"
check "nothing is mounted then" eval '! mounted'
check "the file that it made is gone" test ! -e "$serve_path"

: >"$serve_path"
serve_start
serve_stop INT
check_output "SIGINT ends it with 0" 0 echo "$serve_status"
check "a file that was there stays" test -f "$serve_path"
rm -f "$serve_path"

check_refused "a directory" "is a directory" "$BUILD/ioasis" serve --at "$PWD"
mkdir folder
check_refused "a directory by its name" "is a directory" "$BUILD/ioasis" serve --at folder
check_refused "a character device" "is a character device" "$BUILD/ioasis" serve --at /dev/null
check_refused "a folder that is not there" "No such file" "$BUILD/ioasis" serve --at /nowhere/iommu
mkfifo pipe
check_refused "a pipe" "is a pipe" "$BUILD/ioasis" serve --at pipe
ln -s nothing dangling
check_refused "a link to nothing" "a link to nothing" "$BUILD/ioasis" serve --at dangling
echo text >full
check_refused "a file with something in it" "something in it" "$BUILD/ioasis" serve --at full
check_output "which stays as it was" text cat full
check "nobody hears that it is ready" eval \
	'timeout 20 "$BUILD/ioasis" serve --at unheard >/dev/full 2>unheard.err; [ $? = 3 ] &&
	grep -q "cannot say" unheard.err && [ ! -e unheard ]'
: >taken
mount --bind /dev/null taken
check_refused "a path where something is mounted" "is mounted there" "$BUILD/ioasis" serve --at taken
umount taken

check_refused "an argument" "takes no argument" "$BUILD/ioasis" serve /dev/iommu
check_refused "a bad --fail" "no errno" "$BUILD/ioasis" serve --fail map:EFOO
check_refused "a bad --linux" "6.2 to 7.3" "$BUILD/ioasis" serve --linux 6.1
check_refused "an unknown option" "unknown option" "$BUILD/ioasis" serve --nope

# Without /dev/fuse: in a namespace where /dev is empty.
check_refused "no /dev/fuse" "no /dev/fuse" unshare -m --propagation private sh -c \
	'mount -t tmpfs none /dev && exec "$0" serve --at "$1"' "$BUILD/ioasis" "$serve_path"
check "nothing is left of that" test ! -e "$serve_path"

# Killed, it leaves a dead mount; the next one clears it away.
serve_start
serve_stop KILL
check "a killed serve leaves its mount" mounted
serve_start
check "the next one clears it away and serves" test -f "$serve_path"
serve_stop
check "and leaves nothing" eval '! mounted'
rm -f "$serve_path"

# Unmounted by someone else.
serve_start
umount "$serve_path"
wait "$serve_pid"
serve_status=$?
serve_pid=
check_output "unmounted by someone else, it ends" "0 ioasis serve: the device was unmounted by someone else" \
	echo "$serve_status $(cat serve.err)"
done_testing
