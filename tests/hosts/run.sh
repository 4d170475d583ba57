#!/usr/bin/env bash
# One job over three hosts of two ranks: the bytes of one rank, one copy of the data a host, and an
# end within seconds when a host dies or falls silent, from where the job goes on with the same bytes.
#   tests/hosts/run.sh
#   PROGRAM=PATH    default build/release/orchard
# Prints PASS or FAIL a case. Exit 0: all passed; 1: something failed; 77: cannot run here.
#
# The hosts are network and UTS namespaces of this machine, joined by a bridge, all inside one PID,
# mount and network namespace that ends with this script and takes everything with it. mpirun reaches
# them through an agent that stands in for ssh; jobs/mpirun.sh, as shipped, starts the job.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

program=$(realpath "${PROGRAM:-build/release/orchard}")
subnet=10.78.0
skip() { echo "SKIP: $*" >&2; exit 77; }

if [ -z "${HOSTS_DIR:-}" ]; then
  [ "$(id -u)" = 0 ] || skip "hosts of their own need root"
  for tool in ip unshare nsenter mpirun; do
    command -v "$tool" >/dev/null || skip "$tool is missing"
  done
  [ -x "$program" ] || { echo "error: no program at $program" >&2; exit 1; }
  unshare --mount --net --uts --pid --fork true 2>/dev/null || skip "no namespaces on this machine"
  HOSTS_DIR=$(mktemp -d "${TMPDIR:-/tmp}/orchard-hosts.XXXXXX")
  export HOSTS_DIR
  trap 'rm -rf "$HOSTS_DIR"' EXIT
  code=0
  # --kill-child: if anything ends `unshare`, the kernel ends the hosts and all that is on them.
  unshare --mount --mount-proc --net --uts --pid --fork --kill-child \
    bash "${BASH_SOURCE[0]}" "$@" &
  inside_pid=$!
  trap 'kill -KILL "$inside_pid" 2>/dev/null' INT TERM HUP
  wait "$inside_pid" || code=$?
  exit "$code"
fi

# --- from here on inside the namespaces -------------------------------------------------------------

say() { printf '[hosts test %3d s] %s\n' "$SECONDS" "$*"; }

make_hosts() {
  local host pid
  ip link set lo up
  ip link add bridge0 type bridge
  ip link set bridge0 up
  { echo "127.0.0.1 localhost"; for host in 1 2 3; do echo "$subnet.1$host host$host"; done; } \
    >"$HOSTS_DIR/hosts"
  mount --bind "$HOSTS_DIR/hosts" /etc/hosts
  # A /dev/shm a host: segments of one host are no other host's.
  for host in 1 2 3; do
    # shellcheck disable=SC2016
    unshare --mount --net --uts sh -c '
      mount -t tmpfs -o mode=1777 shm /dev/shm
      hostname "$1"
      until ip link show eth0 >/dev/null 2>&1; do sleep 0.05; done
      ip link set lo up
      ip addr add "$3/24" dev eth0
      ip link set eth0 up
      : >"$2"
      exec sleep 1000000' host "host$host" "$HOSTS_DIR/host$host.ready" "$subnet.1$host" &
    pid=$!
    echo "$pid" >"$HOSTS_DIR/host$host.pid"
    until [ "$(readlink "/proc/$pid/ns/net")" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.05; done
    ip link add "port$host" type veth peer name eth0 netns "$pid"
    ip link set "port$host" master bridge0 up
  done
  for host in 1 2 3; do until [ -e "$HOSTS_DIR/host$host.ready" ]; do sleep 0.05; done; done
  printf 'host%d slots=2\n' 1 2 3 >"$HOSTS_DIR/hostfile"
  cat >"$HOSTS_DIR/agent" <<AGENT
#!/bin/sh
pid=\$(cat "$HOSTS_DIR/\$1.pid")
shift
exec nsenter --target "\$pid" --mount --net --uts sh -c "cd '$PWD' && \$*"
AGENT
  chmod +x "$HOSTS_DIR/agent"
}

# on HOST COMMAND...
on() {
  local pid
  pid=$(cat "$HOSTS_DIR/host$1.pid")
  shift
  nsenter --target "$pid" --mount --net --uts --wd="$PWD" "$@"
}

job_file=tests/hosts/job.cfg
export PROGRAM=$program OMP_WAIT_POLICY=passive
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_btl_tcp_if_include=$subnet.0/24 OMPI_MCA_oob_tcp_if_include=$subnet.0/24
export OMPI_MCA_plm_rsh_agent=$HOSTS_DIR/agent

# search NAME: all six ranks, from host 1, by the shipped script
search() {
  RANKS=6 MPIRUN_OPTIONS="--hostfile $HOSTS_DIR/hostfile --map-by slot" \
    on 1 jobs/mpirun.sh "$job_file" --output-dir "$HOSTS_DIR/$1" --parallel.n_jobs=1 \
    --parallel.oversubscribe=true >>"$HOSTS_DIR/$1.log" 2>&1
}
# pids_of HOST: its ranks
pids_of() {
  local pid network
  network=$(readlink "/proc/$(cat "$HOSTS_DIR/host$1.pid")/ns/net")
  for pid in $(pgrep -x orchard || true); do
    [ "$(readlink "/proc/$pid/ns/net" || true)" != "$network" ] || echo "$pid"
  done
}
# reaches HOST OTHER: a port that nobody listens at refuses.
reaches() { { on "$1" bash -c "exec 3<>/dev/tcp/$subnet.1$2/9" 2>&1 || true; } | grep -q refused; }
# A host that was away is taken for dead a little longer by those who asked for it meanwhile.
wait_for_host_3() {
  local host deadline=$((SECONDS + 30))
  for host in 1 2; do
    on "$host" ip neigh flush all
    on 3 ip neigh flush all
    until reaches 3 "$host" && reaches "$host" 3; do
      [ "$SECONDS" -lt "$deadline" ] || { echo "  host 3 does not come back"; return 1; }
      sleep 0.2
    done
  done
}
has_checkpoint() { compgen -G "$HOSTS_DIR/$1/checkpoints/*.h5" >/dev/null; }
wait_for_checkpoint() {
  local deadline=$((SECONDS + 180))
  until has_checkpoint "$1" && [ "$(pids_of 3 | wc -l)" = 2 ]; do
    [ "$SECONDS" -lt "$deadline" ] || { echo "  no checkpoint"; return 1; }
    sleep 0.1
  done
}
same_bytes() { "$program" compare "$HOSTS_DIR/alone" "$HOSTS_DIR/$1"; }

# Windows are mapped by both ranks of a host: what they hold of them together is one copy.
expect_one_copy() {
  local host files
  for host in 1 2 3; do
    mapfile -t files < <(pids_of "$host" | sed 's|.*|/proc/&/smaps|')
    [ "${#files[@]}" = 2 ] || { echo "  not two ranks on host $host"; return 1; }
    awk -v host="$host" '
      /^[0-9a-f]+-[0-9a-f]+ / {
        is_window = /\/dev\/shm/ && !/vader/
        is_new = is_window && !($5 in seen)
        if (is_window) seen[$5] = 1
      }
      is_new && $1 == "Size:" { size += $2 }
      is_window && $1 == "Pss:" { pss += $2 }
      END {
        printf "  host %d: windows of %d kB, both ranks hold %d kB of them\n", host, size, pss
        exit !(pss > 0 && pss <= 1.1 * size)
      }' "${files[@]}" || { echo "  this is not one copy"; return 1; }
  done
}

case_undisturbed() {
  search undisturbed &
  local job=$!
  wait_for_checkpoint undisturbed && expect_one_copy
  wait "$job"
  same_bytes undisturbed
}

# ends_within_10_s NAME JOB
ends_within_10_s() {
  local begun=$SECONDS code=0
  wait "$2" || code=$?
  echo "  ended with $code after $((SECONDS - begun)) s"
  [ "$code" != 0 ] && [ $((SECONDS - begun)) -le 10 ]
}

case_killed() {
  search killed &
  local job=$!
  wait_for_checkpoint killed
  local network pid
  network=$(readlink "/proc/$(cat "$HOSTS_DIR/host3.pid")/ns/net")
  for pid in $(pgrep -x 'orchard|orted'); do
    [ "$(readlink "/proc/$pid/ns/net" || true)" != "$network" ] || kill -KILL "$pid"
  done
  ends_within_10_s killed "$job"
  search killed
  same_bytes killed
}

case_silent() {
  search silent &
  local job=$!
  wait_for_checkpoint silent
  ip link set port3 down
  ends_within_10_s silent "$job"
  # What is left on the lost host knows of nobody: its keep-alive ends it as well.
  local deadline=$((SECONDS + 30))
  while [ -n "$(pids_of 3)" ] && [ "$SECONDS" -lt "$deadline" ]; do sleep 0.2; done
  [ -z "$(pids_of 3)" ] || { echo "  ranks are left on host 3"; return 1; }
  ip link set port3 up
  wait_for_host_3
  search silent
  same_bytes silent
}

make_hosts
say "three hosts are up"
"$program" search "$job_file" --output-dir "$HOSTS_DIR/alone" --parallel.n_jobs=1 \
  </dev/null >"$HOSTS_DIR/alone.log" 2>&1
n_failed=0
for name in "${@:-undisturbed killed silent}"; do
  for one in $name; do
    set +e
    (set -e; "case_$one")
    code=$?
    set -e
    if [ "$code" = 0 ]; then say "PASS $one"; else
      say "FAIL $one"
      n_failed=$((n_failed + 1))
      tail -n 20 "$HOSTS_DIR/$one.log" | sed 's/^/  | /'
    fi
  done
done
[ "$n_failed" = 0 ]
