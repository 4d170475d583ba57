#!/usr/bin/env python3
"""What sharing fits is worth: one grid, grown as one family a fold and as separate fits.

usage: bench/shared_fits.py [--runs N] [--ranks N] [--data CSV --target NAME]

Grid: RandomForestClassifier, n_estimators {25, 50, 100} x max_depth {4, 8, 16, none} x
min_samples_split {2, 10}, 5 folds. Both ways run in turn, N times each, on the same ranks; printed
are the seconds of the search phase, minimum and median, their ratio, and whether both gave the same
results (they must, bit for bit). The ceiling of the ratio is the work in trees and levels that the
24 points have in common.
"""
import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROGRAM = os.path.join(ROOT, "build", "release", "orchard")

JOB = """[job]
name = shared-fits
random_state = 1
[data]
train = {data}
target = {target}
[cv]
n_splits = 5
shuffle = true
[search]
scoring = accuracy
refit = accuracy
[grid.forest]
estimator = RandomForestClassifier
n_estimators = 25, 50, 100
max_depth = 4, 8, 16, none
min_samples_split = 2, 10
"""


def run(ranks, job, out, shares):
    """Seconds of the search phase of one run."""
    env = dict(os.environ, OMP_WAIT_POLICY="passive", OMPI_ALLOW_RUN_AS_ROOT="1",
               OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    command = ["mpirun", "--oversubscribe", "--bind-to", "none", "-n", str(ranks), PROGRAM, "search",
               job, "--output-dir", out, "--n-jobs=1", "--resume=none",
               f"--search.share_fits={'true' if shares else 'false'}"]
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)
    return float(re.search(r"search phase: ([0-9.]+) s", done.stderr).group(1))


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--runs", type=int, default=5)
    arguments.add_argument("--ranks", type=int, default=2)
    arguments.add_argument("--data", default=os.path.join(ROOT, "tests", "data", "letter.csv"))
    arguments.add_argument("--target", default="lettr")
    options = arguments.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        job = os.path.join(folder, "job.cfg")
        with open(job, "w") as file:
            file.write(JOB.format(data=os.path.abspath(options.data), target=options.target))
        seconds = {True: [], False: []}
        for _ in range(options.runs):
            for shares in (True, False):
                out = os.path.join(folder, "shared" if shares else "separate")
                seconds[shares].append(run(options.ranks, job, out, shares))
        same = subprocess.run([PROGRAM, "compare", os.path.join(folder, "shared"),
                               os.path.join(folder, "separate")]).returncode == 0

    print(f"{os.path.basename(options.data)}, {options.ranks} ranks x 1 thread, "
          f"{options.runs} interleaved runs")
    print("search phase        min s   median s")
    for shares, name in ((True, "shared fits"), (False, "separate fits")):
        print(f"{name:<18}{min(seconds[shares]):7.2f}{statistics.median(seconds[shares]):11.2f}")
    print(f"ratio             {min(seconds[False]) / min(seconds[True]):7.2f}"
          f"{statistics.median(seconds[False]) / statistics.median(seconds[True]):11.2f}")
    print("results           " + ("equal" if same else "DIFFERENT"))
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
