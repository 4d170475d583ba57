#!/usr/bin/env bash
# Runs a command against a real Slurm cluster that exists only for that command: munged, slurmctld
# and one slurmd per node, on this one machine, as root, without systemd.
#   tests/slurm/cluster.sh [--nodes N] [--cpus N] [--keep DIR] -- COMMAND [ARGUMENT...]
# The exit code is the command's; 77 if such a cluster cannot run here.
#
# Everything lives in one PID, mount, network and UTS namespace, the "head", which ends with the
# command and takes every process, address and mount with it. Each node is a slurmd in a network
# and UTS namespace of its own, joined to a bridge in the head by a pair of virtual interfaces. No
# interface of the machine is touched, so the addresses below cannot collide with anything.
#
# COMMAND runs in the head with SLURM_CONF set. CLUSTER_NODES is the number of nodes and
# CLUSTER_DIR a directory for scratch files; the logs are in CLUSTER_DIR/log. Two partitions: `low`,
# the default, is preempted and requeued by `high`.
set -euo pipefail

subnet=10.77.0
nodes=3
cpus=2
keep=
inside=no
while [ $# -gt 0 ]; do
  case $1 in
    --nodes) nodes=$2; shift 2 ;;
    --cpus) cpus=$2; shift 2 ;;
    --keep) keep=$2; shift 2 ;;
    --inside) inside=yes; scratch=$2; shift 2 ;;
    --) shift; break ;;
    *) break ;;
  esac
done
if [ $# -eq 0 ]; then
  echo "usage: $0 [--nodes N] [--cpus N] [--keep DIR] -- COMMAND [ARGUMENT...]" >&2
  exit 2
fi

say() { printf '[cluster %3d s] %s\n' "$SECONDS" "$*" >&2; }
fail() { say "$*"; tail -n 8 "$scratch"/log/*.err >&2; exit 1; }
skip() { echo "SKIP: $*" >&2; exit 77; }

# --- outside: make the namespaces, wait, remove the scratch directory -----------------------------

check_machine() {
  local tool
  [ "$(id -u)" = 0 ] || skip "a Slurm cluster needs root"
  for tool in munged munge slurmctld slurmd sinfo scontrol ip unshare nsenter; do
    command -v "$tool" >/dev/null || skip "$tool is missing"
  done
  unshare --mount --net --uts --pid --fork true 2>/dev/null || skip "no namespaces on this machine"
}

run_outside() {
  local code=0 head_pid
  check_machine
  scratch=${keep:-$(mktemp -d "${TMPDIR:-/tmp}/slurm-cluster.XXXXXX")}
  mkdir -p "$scratch"
  scratch=$(cd "$scratch" && pwd)
  # --kill-child: if anything ends `unshare`, the kernel ends the head and all that is in it.
  unshare --mount --mount-proc --net --uts --pid --fork --kill-child \
    bash "${BASH_SOURCE[0]}" --nodes "$nodes" --cpus "$cpus" --inside "$scratch" -- "$@" &
  head_pid=$!
  trap 'kill -KILL "$head_pid" 2>/dev/null' INT TERM HUP
  wait "$head_pid" || code=$?
  if [ -n "$keep" ]; then
    say "logs are in $scratch/log"
  else
    [ "$code" = 0 ] || tail -n 8 "$scratch"/log/*.log >&2 || true
    rm -rf "$scratch"
  fi
  exit "$code"
}

# --- inside: network, configuration, daemons ------------------------------------------------------

make_head() {
  hostname head
  mkdir -p "$scratch"/{log,munge,state,run}
  {
    echo "127.0.0.1 localhost"
    echo "$subnet.1 head"
    for node in $(seq "$nodes"); do echo "$subnet.$((10 + node)) n$node"; done
  } >"$scratch/hosts"
  mount --bind "$scratch/hosts" /etc/hosts
  mount -t tmpfs -o mode=1777 shm /dev/shm
  ip link set lo up
  ip link add cluster type bridge
  ip addr add "$subnet.1/24" dev cluster
  ip link set cluster up
}

# Three lines are less obvious than they look. cred_expire: a requeued job does not start before the
# credential of its first run has expired (default two minutes). TmpFS: with a /tmp that the nodes
# share, `srun --mpi=pmix` fails on more than one. CgroupPlugin: slurmd looks for a mounted cgroup
# hierarchy, which there may not be, unless told which kind to assume; nothing then uses it.
write_configuration() {
  cat >"$scratch/slurm.conf" <<CONFIGURATION
ClusterName=orchard
SlurmctldHost=head($subnet.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket=$scratch/munge/socket,cred_expire=5
StateSaveLocation=$scratch/state
SlurmdSpoolDir=$scratch/%n/spool
TmpFS=$scratch/%n/tmp
SlurmctldPidFile=$scratch/run/slurmctld.pid
SlurmdPidFile=$scratch/run/slurmd-%n.pid
SlurmctldLogFile=$scratch/log/slurmctld.log
SlurmdLogFile=$scratch/log/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
MpiDefault=none
MailProg=/bin/true
ReturnToService=2
SlurmctldTimeout=30
SlurmdTimeout=20
KillWait=3
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=1,sched_interval=2,sched_min_interval=0,batch_sched_delay=0
SlurmctldParameters=preempt_send_user_signal
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
JobRequeue=1
NodeName=DEFAULT CPUs=$cpus Boards=1 SocketsPerBoard=1 CoresPerSocket=$cpus ThreadsPerCore=1 RealMemory=1000
CONFIGURATION
  for node in $(seq "$nodes"); do
    echo "NodeName=n$node NodeHostname=n$node NodeAddr=$subnet.$((10 + node))"
  done >>"$scratch/slurm.conf"
  cat >>"$scratch/slurm.conf" <<CONFIGURATION
PartitionName=low Nodes=n[1-$nodes] Default=YES PriorityTier=1 PreemptMode=REQUEUE GraceTime=5 MaxTime=60
PartitionName=high Nodes=n[1-$nodes] PriorityTier=10 PreemptMode=OFF MaxTime=60
CONFIGURATION
  echo "CgroupPlugin=cgroup/v1" >"$scratch/cgroup.conf"
}

# wait_until SECONDS COMMAND...: false if the command has not succeeded by then.
wait_until() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$deadline" ] || return 1
    sleep 0.1
  done
}

# One munged serves all nodes: a socket in the file system does not care about network namespaces.
start_munge() {
  local directory=$scratch/munge
  chmod 755 "$scratch" "$directory"
  (umask 077 && head -c 128 /dev/urandom >"$directory/key")
  munged --foreground --force --key-file="$directory/key" --socket="$directory/socket" \
    --pid-file="$directory/pid" --seed-file="$directory/seed" \
    --log-file="$scratch/log/munged.log" >"$scratch/log/munged.err" 2>&1 &
  wait_until 30 munge -n -S "$directory/socket" || fail "munged does not answer"
}

controller_is_up() { scontrol ping | grep -q 'is UP'; }
all_nodes_are_idle() { [ "$(sinfo -h -N -p low -t idle -o %N | sort -u | wc -l)" = "$nodes" ]; }

start_controller() {
  slurmctld -D -c -f "$SLURM_CONF" >"$scratch/log/slurmctld.err" 2>&1 &
  wait_until 60 controller_is_up || fail "slurmctld does not answer"
}

# The node waits for the interface that the head puts into its namespace, then becomes slurmd.
start_node() {
  local name=n$1 address=$subnet.$((10 + $1)) pid
  mkdir -p "$scratch/$name/spool" "$scratch/$name/tmp"
  unshare --mount --net --uts sh -c '
    mount -t tmpfs -o mode=1777 shm /dev/shm
    hostname "$1"
    until ip link show eth0 >/dev/null 2>&1; do sleep 0.05; done
    ip link set lo up
    ip addr add "$2/24" dev eth0
    ip link set eth0 up
    exec slurmd -D -N "$1" -f "$3"' node "$name" "$address" "$SLURM_CONF" \
    >"$scratch/log/slurmd-$name.err" 2>&1 &
  pid=$!
  # `unshare` leaves the head's network before it executes the shell; only then may it be given eth0.
  wait_until 20 is_in_own_network "$pid" || fail "node $name has no network namespace"
  ip link add "port$1" type veth peer name eth0 netns "$pid"
  ip link set "port$1" master cluster up
}

is_in_own_network() {
  [ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ]
}

run_inside() {
  local code=0
  export SLURM_CONF=$scratch/slurm.conf
  make_head
  write_configuration
  start_munge
  start_controller
  for node in $(seq "$nodes"); do start_node "$node"; done
  if ! wait_until 120 all_nodes_are_idle; then
    sinfo -N -l >&2 || true
    fail "not all nodes became idle"
  fi
  say "$nodes nodes are idle"
  export CLUSTER_NODES=$nodes CLUSTER_DIR=$scratch
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  export OMPI_MCA_btl_tcp_if_include=$subnet.0/24 OMPI_MCA_oob_tcp_if_include=$subnet.0/24
  "$@" || code=$?
  say "the command ended with $code"
  exit "$code"
}

if [ "$inside" = yes ]; then run_inside "$@"; else run_outside "$@"; fi
