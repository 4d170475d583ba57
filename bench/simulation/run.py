#!/usr/bin/env python3
"""How handing out tasks scales: recorded durations on real and on simulated ranks.

usage: bench/simulation/run.py [--real 1,2,4] [--simulated 1,2,4,...] [--joined 4,64,...] [--render]

Runs `scaling` under mpirun and `scaling_simulated.so` under SimGrid's smpirun, writes the tables and
the figure of docs/scaling.md. Skips what is not installed, with a word.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HERE = os.path.join(ROOT, "bench", "simulation")
sys.path.insert(0, os.path.join(ROOT, "bench"))

import figure  # noqa: E402
import report  # noqa: E402

DURATIONS = os.path.join(HERE, "durations.txt")
SIMULATION = ["smpirun", "-platform", os.path.join(HERE, "cluster.xml"),
              # The ranks share globals: there are none that differ. A test for a message takes a
              # microsecond; other computing of the program takes no time, for SMPI's own cost grows with
              # the square of how often that is measured.
              "--cfg=smpi/privatization:no", "--cfg=smpi/host-speed:1Gf", "--cfg=smpi/test:1e-6",
              "--cfg=smpi/iprobe:0", "--cfg=smpi/grow-injected-times:no",
              "--cfg=smpi/simulate-computation:no", "--log=root.thres:warning"]


# Beyond so many ranks the simulation itself would take too long with polls as frequent as a fit's.
MOST_RANKS_OF_SHORT_SLICES = 256
LONG_SLICE_S = 0.1
# Tasks a rank where idle ranks join fits, and what each of them is then worth.
FEW_TASKS = [1, 2, 5, 20]
WORTH_OF_JOINED = 0.9
# The most of --real that have their tail looked at as well.
MOST_REAL_JOINED = 4


def counts(text):
    return [int(part) for part in text.split(",") if part]


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--real", type=counts, default=[1, 2, 4])
    add("--simulated", type=counts, default=[1, 2, 4, 16, 64, 256, 1024])
    add("--joined", type=counts, default=[4, 64, 256], help="simulated ranks that join fits")
    add("--slices", default="0.02", help="seconds between two polls of a rank at work")
    add("--build", default=f"{ROOT}/build/release")
    add("--records", default=f"{ROOT}/build/scaling.jsonl")
    add("--document", default=f"{ROOT}/docs/scaling.md")
    add("--render", action="store_true", help="run nothing")
    return parser.parse_args()


def run(options, kind, ranks, slice_s, tasks=20, join=0):
    if kind == "real":
        command = ["mpirun", "--oversubscribe", "--bind-to", "none", "-n", str(ranks),
                   os.path.join(options.build, "scaling")]
    else:
        command = SIMULATION + ["-np", str(ranks),
                                os.path.join(options.build, "scaling_simulated.so")]
    settings = [f"slice={slice_s}", f"tasks={tasks}", f"join={join}"]
    done = subprocess.run(command + [DURATIONS] + settings, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode != 0 or not lines:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    record = dict(json.loads(lines[-1]), kind=kind, tasks_a_rank=tasks)
    os.makedirs(os.path.dirname(os.path.abspath(options.records)), exist_ok=True)
    with open(options.records, "a") as file:
        file.write(json.dumps(record) + "\n")
    print(f"{kind}, {ranks} ranks, {tasks} tasks a rank, polls {slice_s} s apart"
          f"{', joining' if join else ''}: efficiency {record['efficiency']:.3f}", flush=True)


def run_tails(options, kind, ranks, slice_s):
    for tasks in FEW_TASKS:
        for join in (0, WORTH_OF_JOINED):
            run(options, kind, ranks, slice_s, tasks, join)


def render(options):
    found, tails = {}, {}
    for record in report.read_records([options.records]):
        if record["tasks_a_rank"] == 20 and not record["join"]:
            found[record["kind"], record["slice_s"], record["ranks"]] = record
        tails[record["kind"], record["ranks"], record["tasks_a_rank"], bool(record["join"])] = record
    text = report.header("ranks", "kind", "polls apart, s", "tasks", "phase, s", "efficiency",
                         "mean wait, ms", "longest wait, ms")
    lines = {}
    for (kind, slice_s, ranks), record in sorted(found.items(), key=lambda item: (
            item[0][0] != "real", item[0][1], item[0][2])):
        text.append(report.row([f"{ranks:,}", kind, f"{slice_s:g}", f"{record['tasks']:,}",
                                f"{record['wall_s']:.2f}", f"{record['efficiency']:.3f}",
                                f"{record['mean_wait_ms']:.3f}",
                                f"{record['longest_wait_ms']:.2f}"]))
        lines.setdefault(kind, []).append((ranks, record["efficiency"]))
    path = os.path.join(os.path.dirname(os.path.abspath(options.document)), "figures", "scaling.svg")
    with open(path, "w") as file:
        file.write(figure.chart("20 tasks a rank (more than 4 ranks: simulated)", "ranks",
                                "efficiency", lines))
    report.write_into(options.document, "\n".join(text), "scaling")
    render_tails(options, tails)


def render_tails(options, tails):
    """What is gained where ranks without a task join the fits that are left."""
    text = report.header("ranks", "kind", "tasks a rank", "phase, s", "joined, s", "ratio",
                         "efficiency", "joined")
    for (kind, ranks, tasks, joins), joined in sorted(
            tails.items(), key=lambda item: (item[0][0] != "real",) + item[0][1:]):
        alone = tails.get((kind, ranks, tasks, False))
        if not joins or alone is None:
            continue
        text.append(report.row([f"{ranks:,}", kind, str(tasks), f"{alone['wall_s']:.2f}",
                                f"{joined['wall_s']:.2f}",
                                f"{joined['wall_s'] / alone['wall_s']:.2f}",
                                f"{alone['efficiency']:.3f}", f"{joined['efficiency']:.3f}"]))
    report.write_into(options.document, "\n".join(text), "joining")


def main():
    options = parse_options()
    if not options.render:
        slices = [float(part) for part in options.slices.split(",")]
        for ranks in options.real:
            run(options, "real", ranks, slices[0])
        if options.joined and MOST_REAL_JOINED in options.real:
            run_tails(options, "real", MOST_REAL_JOINED, slices[0])
        if shutil.which("smpirun") is None or \
                not os.path.exists(os.path.join(options.build, "scaling_simulated.so")):
            print("skipped: no ranks are simulated, because SimGrid is not installed (Debian: "
                  "simgrid, libsimgrid-dev)")
            return 0
        for slice_s in slices:
            for ranks in options.simulated:
                is_large = ranks > MOST_RANKS_OF_SHORT_SLICES
                run(options, "simulated", ranks, max(slice_s, LONG_SLICE_S) if is_large else slice_s)
        for ranks in options.joined:
            run_tails(options, "simulated", ranks, slices[0])
    render(options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
