#!/usr/bin/env bash
# The shipped batch script under a real Slurm of three nodes: a job that was requeued, and one that
# was preempted, end with the same bytes as an undisturbed run on one rank; a cancelled job stays
# cancelled; a job that has used up its restarts stops asking for more.
#   tests/slurm/run.sh [CASE[:LAUNCHER]...]    default: all cases, see the end
#   PROGRAM=PATH                               default build/release/orchard
# Prints PASS or FAIL a case. Exit 0: all passed; 1: something failed; 77: cannot run here.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

export PROGRAM=${PROGRAM:-build/release/orchard}
job_file=tests/slurm/job.cfg

if [ -z "${CLUSTER_DIR:-}" ]; then
  [ -x "$PROGRAM" ] || { echo "error: no program at $PROGRAM: run 'make -f Makefile.hpc build'" >&2; exit 1; }
  exec tests/slurm/cluster.sh --nodes 3 --cpus 2 -- bash tests/slurm/run.sh "$@"
fi

# --- from here on inside the cluster ----------------------------------------------------------------

# Three ranks share two cores or so.
export OMP_WAIT_POLICY=passive
program_options=(--parallel.n_jobs=1)

say() { printf '[slurm test %3d s] %s\n' "$SECONDS" "$*"; }
# Every failed expectation ends the case's subshell.
fail() { echo "  $*" >&2; exit 1; }

# wait_until SECONDS WHAT COMMAND...
wait_until() {
  local seconds=$1 what=$2 deadline=$((SECONDS + $1))
  shift 2
  until "$@"; do
    [ "$SECONDS" -lt "$deadline" ] || fail "no $what within $seconds s (job $(describe_job))"
    sleep 0.2
  done
}

submit() { # sets job_id; the script is $script, the log and the results go to $directory
  mkdir -p "$directory"
  job_id=$(sbatch --parsable --nodes=3 --ntasks-per-node=1 --time=20 --output="$directory/job.log" \
             "$script" "$job_file" --output-dir "$directory/out" "${program_options[@]}")
}
submit_preempting_job() {
  sbatch --partition=high --nodes=3 --exclusive --time=1 --output=/dev/null --wrap "sleep 2" >/dev/null
}
job_field() { scontrol -o show job "$job_id" | tr ' ' '\n' | sed -n "s/^$1=//p" | head -n 1; }
describe_job() { echo "$job_id, state $(job_field JobState), reason $(job_field Reason)"; }
has_state() { [ "$(job_field JobState)" = "$1" ]; }
# By the final states: there are many others on the way (COMPLETING, SIGNALING, REQUEUED, ...).
has_ended() {
  case $(job_field JobState) in
    COMPLETED | FAILED | CANCELLED | TIMEOUT | NODE_FAIL | OUT_OF_MEMORY | BOOT_FAIL | DEADLINE) ;;
    *) return 1 ;;
  esac
}
has_checkpoint() { compgen -G "$directory/out/checkpoints/*.h5" >/dev/null; }
has_logged() { grep -q -- "$1" "$directory/job.log" 2>/dev/null; }

expect_completed_after_one_restart() {
  wait_until 600 "end" has_ended
  has_state COMPLETED || fail "job $(describe_job)"
  has_logged "start, restart count 0" || fail "the log has lost the first run"
  has_logged "start, restart count 1" || fail "SLURM_RESTART_COUNT was not 1"
  ! has_logged "start, restart count 2" || fail "there was a second restart"
  "$PROGRAM" compare "$CLUSTER_DIR/undisturbed" "$directory/out" || fail "other results than undisturbed"
}

# By an administrator, or by Slurm after a node has failed: the ranks get TERM and seconds to live.
case_requeued() {
  submit
  wait_until 120 "checkpoint" has_checkpoint
  scontrol requeue "$job_id"
  expect_completed_after_one_restart
}

# A job of the other partition needs the nodes: the script gets USR1 and requeues itself.
case_preempted() {
  submit
  wait_until 120 "checkpoint" has_checkpoint
  submit_preempting_job
  expect_completed_after_one_restart
  has_logged "the program ended with 75" || fail "the program did not stop in order"
}

# The same where the site has not asked for the signal on preemption: the steps get TERM, mpirun falls,
# and only the periodic checkpoints are left.
case_preempted_rudely() {
  script=$CLUSTER_DIR/without_signal.sbatch
  sed '/^#SBATCH --signal/d' jobs/slurm.sbatch >"$script"
  submit
  wait_until 120 "checkpoint" has_checkpoint
  submit_preempting_job
  expect_completed_after_one_restart
}

# Cancelling ends the ranks with the same TERM, but the job must not come back.
case_cancelled() {
  submit
  wait_until 120 "checkpoint" has_checkpoint
  scancel "$job_id"
  wait_until 60 "end" has_ended
  sleep 8 # a requeued job is back within this time
  has_state CANCELLED || fail "job $(describe_job)"
  ! has_logged "restart count 1" || fail "the cancelled job was started again"
}

# The signal that announces the time limit, sent by hand, to a job that may not restart any more.
case_exhausted() {
  MAX_REQUEUES=0 submit
  wait_until 120 "checkpoint" has_checkpoint
  scancel --batch --signal=USR1 "$job_id"
  wait_until 60 "end" has_ended
  has_state FAILED || fail "job $(describe_job)"
  [ "$(job_field ExitCode)" = 75:0 ] || fail "exit code $(job_field ExitCode) instead of 75"
  has_logged "not requeued" || fail "the log does not say why it stopped"
}

say "the undisturbed run"
mpirun --bind-to none -n 1 "$PROGRAM" search "$job_file" --output-dir "$CLUSTER_DIR/undisturbed" \
  </dev/null >"$CLUSTER_DIR/undisturbed.log" 2>&1 ||
  { tail -n 20 "$CLUSTER_DIR/undisturbed.log" >&2; say "FAIL undisturbed"; exit 1; }

cases=("$@")
if [ "${#cases[@]}" = 0 ]; then
  # Cancelling is tested with srun: there the ranks have time to end with 75.
  cases=(requeued preempted preempted_rudely preempted:srun cancelled:srun exhausted)
fi
n_failed=0
for name in "${cases[@]}"; do
  directory=$CLUSTER_DIR/$name
  script=jobs/slurm.sbatch
  export LAUNCHER=mpirun
  [ "$name" = "${name#*:}" ] || LAUNCHER=${name#*:}
  # Not `if (...)`: that would switch off `set -e` inside the case.
  set +e
  (set -e; "case_${name%%:*}")
  code=$?
  set -e
  if [ "$code" = 0 ]; then
    say "PASS $name"
  else
    say "FAIL $name"
    n_failed=$((n_failed + 1))
    sed 's/^/  | /' "$directory/job.log" 2>/dev/null | tail -n 30 || true
    scancel --user root --full || true
  fi
done
say "$((${#cases[@]} - n_failed)) passed, $n_failed failed"
[ "$n_failed" = 0 ]
