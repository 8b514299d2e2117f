#!/usr/bin/env bash
# SIGKILL of a client, of a VMM or of the daemon, at ROUNDS random moments (SEED= repeats
# them) of work with a device: nothing is left mounted, running or bound, and what is to end
# ends within a second.
. "$TOP/tests/integration/tap.sh"
. "$TOP/tests/integration/exec_lib.sh"
cd "${TEST_DIR:-$(mktemp -d)}" || exit 1
rounds=${ROUNDS:-12}
seed=${SEED:-$(($(date +%s) % 100000))}
RANDOM=$seed
echo "# SEED=$seed ROUNDS=$rounds"
vfio_client=$BUILD/tests/vfio_client probe=$BUILD/tests/group_probe
[ -x "$vfio_client" ] && [ -x "$probe" ] || skip_all "the clients are not built"
bdf=0000:00:02.0

# Works with the device without end, by its own file and by its group: a line for each answer.
cat >work.sh <<'WORK'
while :; do
	"$1" /dev/iommu /dev/vfio/devices/vfio0
	"$2" /dev/vfio/vfio /dev/vfio/2 0000:00:02.0 </dev/null
done
WORK

now_ms() { echo $(($(date +%s%N) / 1000000)); }

# await_gone WORD: until nothing of a run is left; prints how long that took, in ms.
await_gone() {
	local start
	start=$(now_ms)
	while [ -n "$(left_behind "$1")" ]; do
		[ $(($(now_ms) - start)) -lt 5000 ] || break
		read -rt 0.01 <> <(:)
	done
	echo $(($(now_ms) - start))
}

# The process that exec started, and what that became.
client_of() {
	local p comm
	for p in $(cat "/proc/$1/task/$1/children" 2>/dev/null); do
		read -r comm <"/proc/$p/comm" && [ "$comm" != ioasis-guard ] && echo "$p"
	done 2>/dev/null
}

slowest=0 late= left=
after_kill() { # WORD WHAT
	local ms look_ms
	ms=$(await_gone "$1")
	# A machine that is busy elsewhere is slow to look, too.
	look_ms=$(now_ms)
	left_behind "$1" >/dev/null
	look_ms=$(($(now_ms) - look_ms))
	[ "$ms" -le "$slowest" ] || slowest=$ms
	[ "$ms" -lt $((1000 + 10 * look_ms)) ] || late="$late $2: $ms ms"
	[ -z "$(left_behind "$1")" ] || left="$left $2"
}

# kill_in_work WHAT: lets it give a random number of answers, then kills the client or daemon.
kill_in_work() {
	local word=ioasis-exec-kill-$$-$RANDOM pid lines=$((RANDOM % 300 + 1))
	rm -f pipe
	mkfifo pipe
	$exec --device "edu,addr=$bdf,group=2" -- bash work.sh "$vfio_client" "$probe" "$word" \
		>pipe 2>/dev/null &
	pid=$!
	exec 9<pipe
	head -n "$lines" <&9 >/dev/null
	case $1 in
	daemon) kill -KILL "$pid" ;;
	client) kill -KILL $(client_of "$pid") 2>/dev/null ;;
	esac
	exec 9<&-
	wait "$pid" 2>/dev/null
	after_kill "$word" "$1 after $lines answers"
}

# A VMM as far as a random number of open files; then it, or the daemon, is killed.
kill_in_vmm() {
	local word=ioasis-exec-kill-$$-$RANDOM pid vmm fds files=$((RANDOM % 20 + 4)) i
	$exec --device "edu,addr=$bdf,group=2" -- qemu-system-x86_64 -name "$word" -S -accel tcg \
		-m 64M -nodefaults -display none -machine q35 -object iommufd,id=i \
		-device "vfio-pci,host=$bdf,iommufd=i" >/dev/null 2>&1 </dev/null &
	pid=$!
	for ((i = 0; i < 200; i++)); do
		vmm=$(client_of "$pid")
		fds=(/proc/${vmm:-none}/fd/*)
		[ "${#fds[@]}" -lt "$files" ] || break
		read -rt 0.002 <> <(:)
	done
	case $1 in
	daemon) kill -KILL "$pid" ;;
	vmm) kill -KILL $vmm 2>/dev/null ;;
	esac
	wait "$pid" 2>/dev/null
	after_kill "$word" "$1 with $files files"
}

has_qemu=
qemu-system-x86_64 -device vfio-pci,help 2>/dev/null | grep -q 'iommufd=' && has_qemu=yes
for ((round = 0; round < rounds; round++)); do
	case $((round % 4)) in
	0) kill_in_work client ;;
	1) kill_in_work daemon ;;
	2) if [ "$has_qemu" ]; then kill_in_vmm vmm; else kill_in_work client; fi ;;
	3) if [ "$has_qemu" ]; then kill_in_vmm daemon; else kill_in_work daemon; fi ;;
	esac
done
echo "# the slowest end took $slowest ms"
check_output "nothing is left" "" echo "$left"
check_output "all ends within a second" "" echo "$late"
done_testing
