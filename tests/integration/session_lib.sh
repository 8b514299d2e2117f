# A session daemon of our own for a test script: `. tests/integration/session_lib.sh` behind
# tap.sh, then session_private "$@". Its folders are not those of the machine; it ends with the
# script, whose folder is $dir.

# Starts the script again in a mount namespace of its own, or goes on as a user with a folder.
session_private() {
	command -v lttng-sessiond >/dev/null || skip_all "lttng-tools is not installed"
	if [ "$(id -u)" -eq 0 ] && [ -z "${SESSION_PRIVATE:-}" ]; then
		mkdir -p /run/lttng
		unshare -m true 2>/dev/null || skip_all "no mount namespaces"
		SESSION_PRIVATE=1 exec unshare -m --propagation private "$0" "$@"
	fi
	dir=$(mktemp -d)
	export LTTNG_HOME=$dir # where lttng keeps the name of its session
	if [ "$(id -u)" -eq 0 ]; then
		for folder in /run/lttng /dev/shm; do
			mount -t tmpfs tmpfs $folder ||
				skip_all "no private $folder for a session daemon"
		done
	fi
	trap 'session_daemon_kill TERM; rm -rf "$dir"' EXIT
	session_daemon_start || skip_all "the session daemon does not start"
}

session_pid_file() {
	if [ "$(id -u)" -eq 0 ]; then echo /run/lttng/lttng-sessiond.pid
	else echo "$LTTNG_HOME/.lttng/lttng-sessiond.pid"; fi
}

session_daemon_start() {
	lttng-sessiond --daemonize --quiet --no-kernel
}

# session_wait_gone PID: at most ten seconds.
session_wait_gone() {
	for _ in $(seq 1000); do
		kill -0 "$1" 2>/dev/null || return 0
		read -rt 0.01 <> <(:)
	done
	return 1
}

# session_wait_for NAME N: until the session has written N MiB; at most ten seconds.
session_wait_for() {
	for _ in $(seq 1000); do
		[ "$(du -sm "$dir/$1" | cut -f1)" -lt "$2" ] || return 0
		read -rt 0.01 <> <(:)
	done
	return 1
}

# session_daemon_kill SIGNAL: sends it and waits until the daemon is gone.
session_daemon_kill() {
	local pid
	pid=$(cat "$(session_pid_file)" 2>/dev/null) || return 0
	kill -"$1" "$pid" 2>/dev/null
	session_wait_gone "$pid"
}

# session_start NAME CONTEXT...: a session that writes to $dir/NAME, with room for everything.
# SESSION_CREATE and SESSION_CHANNEL: more arguments of lttng create and enable-channel.
session_start() {
	local name=$1 context types=()
	shift
	for context; do types+=(-t "$context"); done
	# shellcheck disable=SC2086
	lttng create "$name" --output="$dir/$name" ${SESSION_CREATE:-} >/dev/null &&
		lttng enable-channel -u -s "$name" ${SESSION_CHANNEL:-} --subbuf-size=1M \
			--num-subbuf=8 c >/dev/null &&
		lttng enable-event -u -s "$name" -c c 'iommufd_*' >/dev/null &&
		lttng add-context -u -s "$name" -c c "${types[@]}" >/dev/null &&
		lttng start "$name" >/dev/null
}

session_end() {
	lttng destroy "$1" >/dev/null
}
