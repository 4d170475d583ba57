"""From records to the tables of docs/performance.md."""
import json
import os
import statistics

from workloads import LINES, RUNS, SAMPLES

BEGIN = "<!-- {}: written by bench/, do not edit -->"
END = "<!-- end of {} -->"


def read_records(paths):
    """All records of the files that exist, in order."""
    records = []
    for path in paths:
        if os.path.exists(path):
            with open(path) as file:
                records += [json.loads(line) for line in file if line.strip()]
    return records


class Results:
    """Records by run and contestant; of orchard only those of its newest build in a run."""

    def __init__(self, records):
        self.machine = {}
        self.by = {}
        for record in records:
            if "machine" in record:     # a busy machine's bandwidth is no limit: keep the best
                best = max(self.machine.get("read_gb_per_s", 0),
                           record["machine"].get("read_gb_per_s", 0))
                self.machine.update(record["machine"], read_gb_per_s=best)
        newest = {}
        for record in records:
            if "build" in record:
                newest[record["run"], record["contestant"]] = record["build"]
        self.failures = {}
        for record in records:
            if "run" not in record:
                continue
            key = record["run"], record["contestant"]
            if "failure" in record:
                self.failures[key] = record["failure"]
            elif record.get("build") == newest.get(key):
                self.by.setdefault(key, []).append(record)
        for key in self.by:     # it has succeeded since, or before
            self.failures.pop(key, None)

    def values(self, run, contestant, measure):
        """The measured numbers, one a run of the contestant."""
        out = []
        for record in self.by.get((run, contestant), []):
            value = record["seconds"].get(measure) if measure != "peak_mb" \
                else record.get("peak_mb")
            if value is not None:
                out.append(value)
        return out

    def contestants(self, run):
        return [who for name, who in self.by if name == run]


def show(value):
    """Three significant digits."""
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}" if value >= 0.1 else f"{value:.2g}"


def times(value):
    return f"{value:.1f}" if value < 20 else f"{value:.0f}"


def row(cells):
    return "| " + " | ".join(cells) + " |"


def header(*titles):
    return [row(titles), "|" + "---|" * len(titles)]


def goal_table(results):
    lines = header("workload", "orchard min (median)", "against", "its min (median)",
                   "times, of minima", "of medians", "goal, stretch", "runs")
    for line in LINES:
        own = results.values(line.run, "orchard", line.measure)
        if not own:
            continue
        own_text = f"{show(min(own))} ({show(statistics.median(own))})"
        peer_run = line.peer_run or line.run
        rivals = list(line.goals) + [who for who in results.contestants(peer_run)
                                     if who not in line.goals and not who.startswith("orchard")]
        n_shown = 0
        for rival in rivals:
            theirs = results.values(peer_run, rival, line.measure)
            if not theirs:
                continue
            goal = line.goals.get(rival)
            lines.append(row([
                line.title if n_shown == 0 else "", own_text if n_shown == 0 else "", rival,
                f"{show(min(theirs))} ({show(statistics.median(theirs))})",
                times(min(theirs) / min(own)),
                times(statistics.median(theirs) / statistics.median(own)),
                f"{goal[0]} x, {goal[1]} x" if goal else "", f"{len(own)}, {len(theirs)}"]))
            n_shown += 1
        if line.limit or n_shown == 0:
            limit = f"at most {line.limit[0]}, {line.limit[1]}" if line.limit else ""
            lines.append(row([line.title if n_shown == 0 else "",
                              own_text if n_shown == 0 else "", "", "", "", "", limit,
                              f"{len(own)}"]))
    return lines


def narrow_table(results):
    """What narrower instruction sets give, where that was measured."""
    sets = ("orchard", "orchard-avx2", "orchard-baseline")
    lines = header("workload, minima, s (times faster than the first peer)",
                   results.machine.get("instruction_set", "widest"), "AVX2", "x86-64-v2")
    for line in LINES:
        values = [results.values(line.run, who, line.measure) for who in sets]
        if not any(values[1:]):
            continue
        rival = next(iter(line.goals), None)
        theirs = results.values(line.peer_run or line.run, rival, line.measure) if rival else []
        cells = [line.title + (f" ({rival})" if theirs else "")]
        for own in values:
            cells.append(show(min(own)) if own else "")
            if own and theirs:
                cells[-1] += f" ({times(min(theirs) / min(own))})"
        lines.append(row(cells))
    return lines if len(lines) > 2 else []


def sample_line(results):
    """Median test score over several training samples of one law."""
    scores = {}
    for run in SAMPLES:
        for who in results.contestants(run):
            if not who.startswith("orchard-"):
                scores.setdefault(who, []).append(results.by[run, who][-1]["score"]["rmse"])
    scores = {who: values for who, values in scores.items() if len(values) == len(SAMPLES)}
    if not scores:
        return []
    return [f"Set D, median test RMSE over {len(SAMPLES)} training samples (least, greatest): " +
            ", ".join(f"{who} {statistics.median(values):.3f} ({min(values):.3f}, "
                      f"{max(values):.3f})" for who, values in scores.items()) + ".", ""]


def score_text(records):
    scores = {}
    for record in records:
        for name, value in record.get("score", {}).items():
            scores.setdefault(name, []).append(value)
    return ", ".join(f"{name.replace('_', ' ')} {statistics.median(values):.4f}"
                     for name, values in scores.items())


def detail_table(results):
    """Everything that was measured, minima."""
    bandwidth = results.machine.get("read_gb_per_s")
    lines = header("run", "program", "bin s", "fit s", "total s", "predict s", "test scores",
                   "peak MB (before)", "ns a (row, feature)", "GB moved", "s at full bandwidth")
    for name in RUNS:
        for who in results.contestants(name):
            records = results.by[name, who]
            cells = [name, who]
            for part in ("bin", "fit", "total", "predict"):
                values = results.values(name, who, part)
                cells.append(show(min(values)) if values else "")
            cells.append(score_text(records))
            peak = min(record.get("peak_mb", 0) for record in records)
            before = min(record.get("before_mb", 0) for record in records)
            cells.append(f"{peak:.0f} ({before:.0f})" if before else f"{peak:.0f}")
            work = records[-1].get("work")
            if work:
                cells.append(show(min(r["work"]["ns_per_row_feature"] for r in records)))
                cells.append(show(work["gigabytes"]))
                cells.append(show(work["gigabytes"] / bandwidth) if bandwidth else "")
            else:
                cells += ["", "", ""]
            lines.append(row(cells))
    return lines


def versions(results):
    found = {}
    for (_, who), records in results.by.items():
        for record in records:
            if record.get("version"):
                found[who.split("-")[0]] = record["version"]
    return ", ".join(f"{who} {version}" for who, version in sorted(found.items()))


def table(records):
    results = Results(records)
    machine = results.machine
    text = []
    if machine:
        text += [f"Machine: {machine.get('processor')}, {machine.get('cores')} cores "
                 f"({machine.get('caches')}), {machine.get('memory')}, {machine.get('system')}; "
                 f"{machine.get('compiler')}; {machine.get('mpi')}. orchard used "
                 f"{machine.get('instruction_set')}. {machine.get('threads')} threads read memory "
                 f"at {machine.get('read_gb_per_s')} GB/s.", ""]
    text += [f"Peers: {versions(results) or 'none'}.", ""]
    missing = {peer.strip("()") for run in RUNS.values() for peer in run.peers} - \
        {who for _, who in results.by}
    if missing:
        text += [f"Not measured here: {', '.join(sorted(missing))}.", ""]
    text += ["Seconds, but where said otherwise.", ""] + goal_table(results) + [""]
    text += sample_line(results)
    narrow = narrow_table(results)
    if narrow:
        text += ["With narrower instruction sets:", ""] + narrow + [""]
    text += ["Every run, minima:", ""] + detail_table(results)
    if results.failures:
        text += ["", "Runs without a result:", ""]
        text += [f"- {run}, {who}: {why}" for (run, who), why in sorted(results.failures.items())]
    return "\n".join(text) + "\n"


def write_into(path, text, name="bench"):
    """Replaces what stands between the marks of `name`; without marks it goes to the end."""
    begin, end = BEGIN.format(name), END.format(name)
    with open(path) as file:
        document = file.read()
    block = f"{begin}\n{text.rstrip()}\n{end}"
    if begin in document:
        head, rest = document.split(begin, 1)
        document = head + block + rest.split(end, 1)[1]
    else:
        document = document.rstrip() + "\n\n" + block + "\n"
    with open(path, "w") as file:
        file.write(document)
