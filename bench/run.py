#!/usr/bin/env python3
"""Times orchard and the peers that are installed, and writes the table of docs/performance.md.

usage: bench/run.py [options]

Contestants of a run take turns, each in a process of its own. Every result is appended to a file of
records at once: an interrupted benchmark goes on where it was, and a table can be made of several
partial ones. A peer that is not installed is left out, and the table says so.
"""
import argparse
import json
import os
import shlex
import sys
import time

import make_data
import machine
import programs
import report
from workloads import RUNS, SAMPLES

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def parse_options(arguments):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--only", default="", help="runs, by comma: " + ", ".join(RUNS))
    add("--contestants", default="", help="orchard, lightgbm, sklearn, ...; default: all")
    add("--runs", type=int, default=5, help="of each contestant (grid searches: 1)")
    add("--slow-runs", type=int, default=2, help="of peers that take long in a run")
    add("--all", action="store_true", help="also the slowest peers")
    add("--whole-grids", action="store_true", help="also GridSearchCV on the large grids: an hour")
    add("--sets", action="store_true", help="also orchard with AVX2 and without vectors")
    add("--quick", action="store_true", help="one run each, fast peers only")
    add("--smoke", action="store_true", help="seconds: tiny data, is everything in order?")
    add("--budget", type=float, default=float("inf"), help="seconds after which no run begins")
    add("--limit", type=float, default=1800, help="seconds that one run may take")
    add("--data", default=os.environ.get("BENCH_DATA", f"{ROOT}/build/bench-data"))
    add("--build", default=f"{ROOT}/build/release", help="folder of orchard and one_fit")
    add("--records", default=f"{ROOT}/build/bench.jsonl", help="file of records")
    add("--more-records", action="append", default=[], help="records to show beside them")
    add("--document", default=f"{ROOT}/docs/performance.md", help="where the table goes")
    add("--prefix", type=shlex.split, default=[], help="command put before each timed one")
    add("--threads", type=int, default=2)
    add("--ranks", type=int, default=2, help="of whole searches and of reading CSV")
    add("--render", action="store_true", help="run nothing, write the table from the records")
    add("--no-render", action="store_true", help="leave the document alone")
    options = parser.parse_args(arguments)
    options.overrides = {}
    options.is_default_choice = not options.only
    options.only = options.only.split(",") if options.only else list(RUNS)
    unknown = set(options.only) - set(RUNS)
    if unknown:
        parser.error(f"no run {', '.join(sorted(unknown))}")
    return options


def contestants_of(options, name):
    run = RUNS[name]
    out = ["orchard"]
    if options.sets and not run.task.endswith("-job"):
        out += ["orchard-avx2", "orchard-baseline"]
    wanted = options.contestants.split(",") if options.contestants else None
    for peer in run.peers:
        is_extra = peer.startswith("(")
        peer = peer.strip("()")
        if is_extra and run.task == "search-job":
            is_taken = options.whole_grids
        elif wanted is not None:
            is_taken = peer in wanted
        elif is_extra:
            is_taken = options.all
        else:
            is_taken = not (options.quick and peer in run.slow)
        if is_taken:
            out.append(peer)
    return [who for who in out if wanted is None or who in wanted]


def n_runs(options, name, contestant):
    run = RUNS[name]
    is_grid = run.task == "search-job" and name != "small"
    if options.quick or is_grid or name in SAMPLES[1:]:
        return 1
    return min(options.runs, options.slow_runs) if contestant in run.slow else options.runs


class Records:
    """The file of records; those of other builds of orchard do not count as done."""

    def __init__(self, options):
        self.path = options.records
        self.lines = report.read_records([self.path])
        self.builds = {}
        for task, program in (("job", "orchard"), ("fit", "one_fit")):
            path = os.path.join(options.build, program)
            self.builds[task] = programs.digest(path) if os.path.exists(path) else None

    def n_done(self, name, contestant):
        build = self.builds["job" if RUNS[name].task.endswith("-job") else "fit"]
        return sum(1 for line in self.lines
                   if line.get("run") == name and line.get("contestant") == contestant
                   and line.get("build", build) == build)

    def add(self, record):
        self.lines.append(record)
        folder = os.path.dirname(self.path)
        if folder:
            os.makedirs(folder, exist_ok=True)
        with open(self.path, "a") as file:
            file.write(json.dumps(record) + "\n")


def describe(record):
    seconds = ", ".join(f"{part} {value:.3f}" for part, value in record["seconds"].items())
    scores = ", ".join(f"{name} {value:.5f}" for name, value in record.get("score", {}).items())
    return f"{seconds}; {scores or 'no score'}; {record.get('peak_mb', 0):.0f} MB"


def measure(options, records):
    started = time.monotonic()
    absent = set()
    failed = set()
    for name in options.only:
        contestants = contestants_of(options, name)
        most = max((n_runs(options, name, who) for who in contestants), default=0)
        for turn in range(1, most + 1):
            for who in contestants:
                if who in absent or (name, who) in failed:
                    continue
                if turn > n_runs(options, name, who) or records.n_done(name, who) >= turn:
                    continue
                if who not in programs.INSTRUCTION_SETS and not programs.is_installed(who):
                    print(f"{who} is not installed: left out", flush=True)
                    absent.add(who)
                    continue
                if time.monotonic() - started > options.budget:
                    print("the time is used up; the same command goes on from here", flush=True)
                    return not failed
                try:
                    record = programs.run_once(options, name, who)
                except programs.Failed as failure:
                    print(f"{name} {who}: {failure}", flush=True)
                    records.add(dict(run=name, contestant=who, failure=str(failure)))
                    failed.add((name, who))
                    continue
                records.add(record)
                print(f"{name} {who} {turn}: {describe(record)}", flush=True)
    return not failed


def smoke(options):
    """Every run of orchard, with --all of every installed peer, on a few rows; no table."""
    options.data = f"{ROOT}/build/bench-smoke"
    os.environ["OMP_WAIT_POLICY"] = "passive"   # whoever else is at work here comes first
    make_data.ensure_smoke(options.data)
    n_failed = 0
    for name, run in RUNS.items():
        if name == "search-boost":  # 3,000 rounds, however few the rows
            continue
        peers = [peer.strip("()") for peer in run.peers] if options.all else []
        if name == "search-forest":
            peers = []
        for who in ["orchard"] + [peer for peer in peers if programs.is_installed(peer)]:
            try:
                options.overrides = dict(trees=5) if run.task != "search-job" else {}
                record = programs.run_once(options, name, who)
                print(f"{name} {who}: {describe(record)}", flush=True)
            except programs.Failed as failure:
                print(f"{name} {who}: {failure}", flush=True)
                n_failed += 1
    return n_failed == 0


def main():
    options = parse_options(sys.argv[1:])
    if options.smoke:
        return 0 if smoke(options) else 1
    is_good = True
    if not options.render:
        make_data.ensure(options.data, {RUNS[name].table for name in options.only})
        records = Records(options)
        records.add(dict(machine=machine.describe(options)))
        is_good = measure(options, records)
    lines = report.read_records([options.records] + options.more_records)
    text = report.table(lines)
    print("\n" + text)
    if not options.no_render:
        report.write_into(options.document, text)
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
