#!/usr/bin/env bash
# Sweeps on many machines: `make check-cluster`. A Slurm of its own on this machine (as root) and
# GNU parallel each make 1,000 runs from the script that `ioasis sweep` prints; three results are
# taken away or damaged; `ioasis merge` names them, and goes on without them when told.
#
# RUNS=N makes so many runs (default 1000).
. "$TOP/tests/integration/tap.sh"
runs=${RUNS:-1000}
tasks=20
dir=$(mktemp -d)
daemons=
trap '[ -z "$daemons" ] || kill $daemons 2>/dev/null; wait; rm -rf "$dir"' EXIT
chmod 755 "$dir"
cd "$dir" || exit 1
ioasis=$BUILD/ioasis
cat >s.yaml <<'END'
name: small
duration: 2ms
guest: {memory: 64MiB, page: 2MiB}
nvme: {depth: 8, block: 4KiB}
END
seeds=1..$((runs / 2))
sweep() { # FOLDER WORDS...
	local folder=$1
	shift
	"$ioasis" sweep s.yaml --vary nvme.depth=2,16 --seeds "$seeds" -o "$folder" "$@"
}

# merged FOLDER: all runs are there, and the table says so.
merged() {
	"$ioasis" merge "$1" --metric nvme.commands --json >"$1.json" &&
		python3 - "$1.json" "$runs" <<'END'
import json, sys
got = json.load(open(sys.argv[1]))
assert got["runs"] == int(sys.argv[2]), got["runs"]
assert got["missing"] == [] and len(got["results"]) == 2
assert all(r["runs"] == got["runs"] // 2 for r in got["results"])
END
}

# lost FOLDER: three results go, in three ways.
lost() {
	rm "$1/run-000007.json"
	truncate -s 40 "$1/run-000100.json"
	cp "$1/run-000003.json" "$1/run-000200.json"
	! "$ioasis" merge "$1" >out 2>why || return 1
	for name in 000007 000100 000200; do
		grep -q "run-$name.json: " why || return 1
	done
	[ "$(grep -c 'run-' why)" = 3 ] &&
		"$ioasis" merge "$1" --partial --metric nvme.commands >out 2>/dev/null &&
		grep -q "^small: $((runs - 3)) runs, 2 settings; 3 results are missing" out
}

# mended FOLDER WORDS...: what is missing is made, and nothing else.
mended() {
	local folder=$1
	shift
	rm "$folder/run-000100.json" "$folder/run-000200.json"
	touch stamp
	"$@" && merged "$folder" &&
		[ "$(find "$folder" -name 'run-*.json' -newer stamp | wc -l)" = 3 ]
}

# ---- GNU parallel ---------------------------------------------------------------
if command -v parallel >/dev/null && parallel --version 2>/dev/null | grep -q '^GNU parallel'; then
	sweep parallel --parallel --tasks $tasks >parallel.sh
	check "GNU parallel makes $runs runs" env -C / PATH=/usr/bin:/bin \
		sh "$dir/parallel.sh" --jobs 2
	check "they are merged" merged parallel
	check "three that are lost are named, and done without" lost parallel
	check "the same script makes those three" mended parallel sh parallel.sh --jobs 2
else
	skip "GNU parallel" "it is not installed (package parallel)"
fi

# ---- Slurm ----------------------------------------------------------------------
slurm_start() {
	local node port=$((20000 + $$ % 20000))
	node=$(hostname -s)
	mkdir -m 755 munge state spool
	dd if=/dev/urandom of=munge/key bs=1024 count=1 status=none
	chmod 600 munge/key
	munged --foreground --force --key-file="$dir/munge/key" --socket="$dir/munge/socket" \
		--pid-file="$dir/munge/pid" --log-file="$dir/munge/log" \
		--seed-file="$dir/munge/seed" >munge.log 2>&1 &
	daemons="$daemons $!"
	cat >slurm.conf <<-END
	ClusterName=ioasis
	SlurmctldHost=$node(127.0.0.1)
	SlurmUser=root
	SlurmdUser=root
	AuthType=auth/munge
	CredType=cred/munge
	AuthInfo=socket=$dir/munge/socket
	SlurmctldPort=$port
	SlurmdPort=$((port + 1))
	StateSaveLocation=$dir/state
	SlurmdSpoolDir=$dir/spool
	SlurmctldPidFile=$dir/slurmctld.pid
	SlurmdPidFile=$dir/slurmd.pid
	SlurmctldLogFile=$dir/slurmctld.log
	SlurmdLogFile=$dir/slurmd.log
	ProctrackType=proctrack/linuxproc
	TaskPlugin=task/none
	JobAcctGatherType=jobacct_gather/none
	SelectType=select/cons_tres
	SelectTypeParameters=CR_CPU
	SchedulerParameters=defer,batch_sched_delay=1,sched_interval=2
	SwitchType=switch/none
	MpiDefault=none
	ReturnToService=2
	NodeName=$node NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
	PartitionName=all Nodes=$node Default=YES State=UP
	END
	# Without a systemd to ask for a cgroup; Slurm 22.05 has no such word, and needs none.
	case $(slurmd -V) in
	*" 22."*) ;;
	*) echo CgroupPlugin=disabled >cgroup.conf ;;
	esac
	export SLURM_CONF=$dir/slurm.conf
	slurmctld -D >ctld.out 2>&1 &
	daemons="$daemons $!"
	slurmd -D >slurmd.out 2>&1 &
	daemons="$daemons $!"
	for _ in $(seq 300); do
		sinfo -h -o %T 2>/dev/null | grep -q idle && return 0
		read -rt 0.1 <> <(:)
	done
	return 1
}

for tool in slurmctld slurmd sbatch munged; do
	command -v $tool >/dev/null || missing=$tool
done
if [ "${missing:-}" ]; then
	skip "Slurm" "no $missing (packages slurm-wlm and munge)"
elif [ "$(id -u)" != 0 ]; then
	skip "Slurm" "only root starts slurmd"
elif ! slurm_start; then
	not_ok "a Slurm of one node starts"
	tail -n 5 munge.log ctld.out slurmd.out slurmctld.log slurmd.log 2>/dev/null | sed 's/^/# /'
else
	sweep slurm --slurm --tasks $tasks >job.sh
	# From another folder, with nothing of ours in the environment.
	check "Slurm makes $runs runs in an array of $tasks" env -i -C / PATH=/usr/bin:/bin \
		SLURM_CONF="$SLURM_CONF" sbatch --wait "$dir/job.sh"
	check "each task has a log" [ "$(ls slurm/slurm-*.log | wc -l)" = $tasks ]
	check "they are merged" merged slurm
	check "three that are lost are named, and done without" lost slurm
	check "the same job makes those three" mended slurm sbatch --wait job.sh
	if [ -s parallel.json ]; then
		check "both ways give the same results" cmp parallel.json slurm.json
	fi
fi
done_testing
