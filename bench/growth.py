#!/usr/bin/env python3
"""Costs as the work grows: one size at a time, the others fixed, on tables drawn from a seed.

usage: bench/growth.py [options]

Times orchard's fits over rows, features, leaves, trees and threads, and a whole search over ranks.
Writes figures into docs/figures and a table into docs/performance.md. Results are kept in a file of
records: an interrupted measurement goes on where it was.
"""
import argparse
import json
import os
import shlex
import sys
import time

import figure
import programs
import report
from workloads import Run

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# task, what grows, its values, the fixed sizes, title
SERIES = {
    "boost-rows": ("boost", "rows", [10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000,
                                     10_000_000],
                   dict(features=28, leaves=31, trees=20), "Boosting, 28 features, 31 leaves"),
    "boost-features": ("boost", "features", [10, 30, 100, 300, 1000],
                       dict(rows=100_000, leaves=31, trees=20), "Boosting, 100,000 rows, 31 leaves"),
    "boost-leaves": ("boost", "leaves", [7, 15, 31, 63, 127, 255, 511, 1023],
                     dict(rows=300_000, features=28, trees=20), "Boosting, 300,000 x 28"),
    "boost-trees": ("boost", "trees", [10, 30, 100, 300, 1000],
                    dict(rows=100_000, features=28, leaves=31), "Boosting, 100,000 x 28"),
    "forest-rows": ("forest", "rows", [10_000, 30_000, 100_000, 300_000, 1_000_000],
                    dict(features=28, trees=20), "Forest, 28 features, no depth limit"),
    "forest-features": ("forest", "features", [10, 30, 100, 300, 1000],
                        dict(rows=30_000, trees=20), "Forest, 30,000 rows"),
    "forest-depth": ("forest", "depth", [2, 4, 8, 16, 32],
                     dict(rows=100_000, features=28, trees=20), "Forest, 100,000 x 28"),
    "forest-trees": ("forest", "trees", [10, 30, 100, 300],
                     dict(rows=30_000, features=28), "Forest, 30,000 x 28"),
}
RANKS = [1, 2]


def parse_options(arguments):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--only", default="", help="series, by comma: " + ", ".join(SERIES) + ", search-ranks")
    add("--runs", type=int, default=3)
    add("--max-threads", type=int, default=2)
    add("--max-seconds", type=float, default=30, help="larger sizes are left out after this")
    add("--max-gb", type=float, default=6, help="memory that a fit may take")
    add("--budget", type=float, default=float("inf"), help="seconds after which no run begins")
    add("--build", default=f"{ROOT}/build/release")
    add("--data", default=os.environ.get("BENCH_DATA", f"{ROOT}/build/bench-data"))
    add("--records", default=f"{ROOT}/build/growth.jsonl")
    add("--document", default=f"{ROOT}/docs/performance.md")
    add("--prefix", type=shlex.split, default=[])
    add("--render", action="store_true", help="run nothing")
    add("--no-render", action="store_true")
    options = parser.parse_args(arguments)
    options.only = options.only.split(",") if options.only else list(SERIES) + ["search-ranks"]
    unknown = set(options.only) - set(SERIES) - {"search-ranks"}
    if unknown:
        parser.error(f"no series {', '.join(sorted(unknown))}")
    options.limit, options.smoke, options.overrides = 20 * options.max_seconds, False, {}
    return options


def gigabytes(sizes):
    """Of the drawn floats and the bins, about."""
    return sizes["rows"] * sizes["features"] * (4 + 2.2) / 1e9


def fit_once(options, name, value, threads):
    task, grows, _, fixed, _ = SERIES[name]
    sizes = dict(fixed, **{grows: value})
    command = [os.path.join(options.build, "one_fit"), task, "drawn", "-", "test=0",
               f"threads={threads}"] + [f"{key}={size}" for key, size in sizes.items()]
    env = programs.environment(options, "orchard")
    out, _, _ = programs.run_command(options, command, env)
    record = json.loads(out.strip().splitlines()[-1])
    return record["seconds"]["total"], record["peak_mb"]


def search_once(options, ranks):
    """The forest grid on G, one thread a rank."""
    options.ranks, options.threads = ranks, ranks
    record = programs.run_orchard_job(options, Run("search-job", "G", (), dict(grid="forest")),
                                      programs.environment(options, "orchard"))
    return record["seconds"]["total"], record["peak_mb"]


def plan(options):
    """(series, size, threads) in the order of measuring."""
    for name in options.only:
        if name == "search-ranks":
            for ranks in RANKS:
                yield name, ranks, 1
            continue
        _, grows, values, fixed, _ = SERIES[name]
        for value in values:
            if gigabytes(dict(fixed, **{grows: value})) <= options.max_gb:
                for threads in range(1, options.max_threads + 1):
                    yield name, value, threads


def measure(options, records):
    started = time.monotonic()
    build = programs.digest(os.path.join(options.build, "one_fit"))
    slow = set()
    for name, value, threads in list(plan(options)):
        runs = 1 if name == "search-ranks" else options.runs
        done = [r for r in records if r["build"] == build and
                (r["series"], r["x"], r["threads"]) == (name, value, threads)]
        for _ in range(runs - len(done)):
            if (name, threads) in slow:
                break
            if time.monotonic() - started > options.budget:
                print("the time is used up; the same command goes on from here", flush=True)
                return
            seconds, peak_mb = search_once(options, value) if name == "search-ranks" else \
                fit_once(options, name, value, threads)
            record = dict(series=name, x=value, threads=threads, seconds=seconds, peak_mb=peak_mb,
                          build=build)
            records.append(record)
            os.makedirs(os.path.dirname(os.path.abspath(options.records)), exist_ok=True)
            with open(options.records, "a") as file:
                file.write(json.dumps(record) + "\n")
            print(f"{name} {value}, {threads} threads: {seconds:.3f} s, {peak_mb:.0f} MB",
                  flush=True)
            if seconds > options.max_seconds:
                slow.add((name, threads))


def minima(records):
    """{series: {threads: {x: (seconds, peak_mb)}}} of the newest build of each series."""
    newest = {record["series"]: record["build"] for record in records}
    out = {}
    for record in records:
        if record["build"] != newest[record["series"]]:
            continue
        line = out.setdefault(record["series"], {}).setdefault(record["threads"], {})
        pair = record["seconds"], record["peak_mb"]
        line[record["x"]] = min(line.get(record["x"], pair), pair)
    return out


def render(options, records):
    found = minima(records)
    text = []
    folder = os.path.join(os.path.dirname(os.path.abspath(options.document)), "figures")
    os.makedirs(folder, exist_ok=True)
    for name, (_, grows, _, _, title) in SERIES.items():
        if name not in found:
            continue
        lines = {f"{threads} thread{'s' if threads > 1 else ''}":
                 [(x, seconds) for x, (seconds, _) in line.items()]
                 for threads, line in sorted(found[name].items())}
        with open(os.path.join(folder, f"{name}.svg"), "w") as file:
            file.write(figure.chart(title, grows, "seconds", lines))
        text += [f"![{title}, over {grows}](figures/{name}.svg)"]
    if text:
        text.append("")
    text += report.header("what grows", "size", "1 thread, s", "2 threads, s", "threads gain",
                          "s a unit, against the size before", "peak MB")
    for name, (_, grows, _, _, title) in SERIES.items():
        before = None
        for x in sorted(found.get(name, {}).get(1, {})):
            one, peak_mb = found[name][1][x]
            two = found[name].get(2, {}).get(x, (None, 0))[0]
            growth = f"{(one / x) / before:.2f}" if before else ""
            before = one / x
            text.append(report.row([f"{title}: {grows}", f"{x:,}", report.show(one),
                                    report.show(two) if two else "",
                                    f"{one / two:.2f}" if two else "", growth,
                                    f"{peak_mb:.0f}"]))
    ranks = found.get("search-ranks", {}).get(1, {})
    for n_ranks, (seconds, peak_mb) in sorted(ranks.items()):
        text.append(report.row(["Search of 36 forests, 5 folds: ranks of 1 thread", f"{n_ranks}",
                                report.show(seconds), "", "",
                                f"{seconds * n_ranks / ranks[1][0]:.2f}" if 1 in ranks and
                                n_ranks > 1 else "", f"{peak_mb:.0f}"]))
    report.write_into(options.document, "\n".join(text), "growth")


def main():
    options = parse_options(sys.argv[1:])
    records = report.read_records([options.records])
    if not options.render:
        measure(options, records)
    if not options.no_render and records:
        render(options, records)
    return 0


if __name__ == "__main__":
    sys.exit(main())
