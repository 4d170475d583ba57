#!/usr/bin/env bash
# Runs a job with mpirun on this machine, or on the hosts of a host file.
#   jobs/mpirun.sh jobs/wine-quality.cfg [OPTION...]
# After an interruption run the same line again, with as many ranks as you like: the job goes on from
# its latest checkpoint and ends with the same bytes. Options go to the program and override the job
# file, for example --output-dir out/again or --parallel.n_jobs=4.
#
# From the environment:
#   COMMAND         search (default), train, predict, ...
#   RANKS           default 2
#   MPIRUN_OPTIONS  more options of mpirun, for example "--hostfile hosts"
#   PROGRAM         default build/release/orchard
# Exit code: the program's. 75 means: stopped in order, checkpoint written, run the same line again.
set -uo pipefail
[ $# -gt 0 ] || { echo "usage: $0 JOB [OPTION...]" >&2; exit 2; }

# Threads that wait should soon sleep, not spin: ranks often share cores. The OpenMP runtime reads
# this before the program begins, so it must be set here.
export OMP_WAIT_POLICY=passive GOMP_SPINCOUNT=10000

# In a container one is often root, which Open MPI refuses unless told twice.
if [ "$(id -u)" = 0 ]; then
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi

options=(
  -n "${RANKS:-2}"
  # With one or two ranks mpirun would bind each to a single core. Unbound, a rank finds its share of
  # the cores it may use. On large nodes bind each rank to N cores instead: --map-by slot:PE=N
  --bind-to none
  # Notice a host that has gone silent within seconds; Open MPI's default is about eight minutes.
  --mca oob_tcp_keepalive_time 3
  --mca oob_tcp_keepalive_intvl 1
  --mca oob_tcp_keepalive_probes 3
)
read -r -a more_options <<<"${MPIRUN_OPTIONS:-}"

# In a session of its own mpirun does not see the terminal's Ctrl-C. All signals come to this script,
# and the first one asks the program for a checkpoint and an orderly end; mpirun itself, given TERM or
# INT, would end the ranks within a second or two. The second one ends the job at once.
setsid mpirun "${options[@]}" "${more_options[@]}" \
  "${PROGRAM:-build/release/orchard}" "${COMMAND:-search}" "$@" </dev/null &
mpirun_pid=$!

interrupted=no
n_stops=0
forward() { interrupted=yes; kill "-$1" "$mpirun_pid" 2>/dev/null; }
stop() {
  n_stops=$((n_stops + 1))
  if [ "$n_stops" = 1 ]; then forward USR1; else forward TERM; fi
}
trap stop USR1 TERM INT HUP
trap 'forward USR2' USR2 # write a checkpoint and go on

# A signal ends `wait` early: wait again until mpirun itself has ended.
while :; do
  interrupted=no
  wait "$mpirun_pid"
  code=$?
  [ "$interrupted" = yes ] || break
done
[ "$code" != 75 ] || echo "stopped in order; run the same line again to go on" >&2
exit "$code"
