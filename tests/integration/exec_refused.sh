#!/usr/bin/env bash
# `ioasis exec` where something is missing: one clear line and status 125.
. "$TOP/tests/integration/tap.sh"
. "$TOP/tests/integration/exec_lib.sh"

# refused NAME PATTERN COMMAND...: status 125 and one line that matches.
refused() {
	local name=$1 pattern=$2 got status
	shift 2
	got=$("$@" 2>&1)
	status=$?
	if [ "$status" = 125 ] && [ "$(echo "$got" | wc -l)" = 1 ] && [[ $got =~ $pattern ]]; then
		ok "$name"
	else
		not_ok "$name"
		printf 'status %s: %s\n' "$status" "$got" | sed 's/^/# /'
	fi
}

if [ "$(id -u)" != 0 ] || ! unshare -m true 2>/dev/null; then
	skip_all "only root can take things away from a program"
fi
make_public

refused "no /dev/fuse" "^ioasis exec: cannot open /dev/fuse: " \
	unshare -m sh -c 'mount -t tmpfs none /dev && exec "$0" exec -- true' "$ioasis"
refused "/dev/fuse not for this user" "^ioasis exec: cannot open /dev/fuse: Permission denied" \
	unshare -m sh -c 'mkdir -p $1 && mount -t tmpfs none $1 && mknod -m 600 $1/fuse c 10 229 &&
		mount --bind $1/fuse /dev/fuse &&
		exec setpriv --reuid=65534 --clear-groups "$0" exec -- true' "$public/ioasis" "$TEST_DIR/dev"
for other in /dev/null /etc/hostname; do
	refused "$other in the place of /dev/fuse" \
		"^ioasis exec: /dev/fuse is not the device of FUSE, which is the character device 10:229: " \
		unshare -m sh -c 'mount --bind "$1" /dev/fuse && exec "$0" exec -- true' "$ioasis" "$other"
done
check_output "so says serve" "3 ioasis serve: /dev/fuse is not the device of FUSE" \
	unshare -m sh -c 'mount --bind /dev/null /dev/fuse
		why=$("$0" serve --at "$1/iommu" 2>&1)
		echo $? "${why%%,*}"' "$ioasis" "$TEST_DIR"

# A user namespace that allows none below itself.
if unshare -U -r sh -c 'echo 0 >/proc/sys/user/max_user_namespaces' 2>/dev/null; then
	refused "no user namespaces" "^ioasis exec: cannot make a user namespace: " \
		as_user unshare -U -r sh -c 'echo 0 >/proc/sys/user/max_user_namespaces &&
			exec setpriv --bounding-set=-all --inh-caps=-all "$0" exec -- true' "$public/ioasis"
	none='echo 0 >/proc/sys/user/max_user_namespaces && exec setpriv'
	check_output "root with all capabilities needs none" ok unshare -U -r sh -c \
		"$none --nnp $exec -- $client ioas"
	check_output "root that lacks one is told what it misses" \
		"ok no user namespace (No space left on device)" sh -c "unshare -U -r sh -c '
			$none --bounding-set=-sys_resource $exec -- $client ioas' 2>&1 |
			sed 's/^ioasis exec: //; s/:.*//' | paste -s -d ' '"
else
	skip "no user namespaces" "the limit cannot be set here"
fi

if can_be_user; then
	check_output "an ordinary user" "ok" as_user "$public/ioasis" exec --leak-check no -- "$public/exec_client" ioas
	check_output "an ordinary user with a static program" "ok" \
		as_user "$public/ioasis" exec --leak-check no -- "$public/exec_client_static" ioas
	check_output "an ordinary user's fault queue" "busy 1" \
		grep busy <(as_user "$public/ioasis" exec --leak-check no -- "$public/exec_client" queue)
	check_output "who keeps its ids" "65534 65534" \
		as_user "$public/ioasis" exec --leak-check no -- sh -c 'echo $(id -u) $(id -g)'
	check_status "whose exit status passes" 3 as_user "$public/ioasis" exec --leak-check no -- sh -c 'exit 3'
	check_status "exec in exec" 4 \
		as_user "$public/ioasis" exec --leak-check no -- "$public/ioasis" exec --leak-check no -- sh -c 'exit 4'
else
	skip "an ordinary user" "cannot become nobody with /dev/fuse here"
fi
done_testing
