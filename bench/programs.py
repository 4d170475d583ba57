"""Starts one contestant on one run, in processes of its own, and returns its record."""
import csv
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

from workloads import GRIDS, RUNS

HERE = os.path.dirname(os.path.abspath(__file__))
MPIRUN = ["mpirun", "--oversubscribe", "--bind-to", "none", "-n"]
# orchard's instruction sets as contestants of their own.
INSTRUCTION_SETS = {"orchard": None, "orchard-avx2": "avx2", "orchard-baseline": "baseline"}


class Failed(Exception):
    pass


def environment(options, contestant):
    out = dict(os.environ)
    if contestant in INSTRUCTION_SETS:
        out.update(OMP_WAIT_POLICY="passive", GOMP_SPINCOUNT="10000", OMPI_ALLOW_RUN_AS_ROOT="1",
                   OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
                   OMPI_MCA_btl_vader_single_copy_mechanism="none")
        if INSTRUCTION_SETS[contestant]:
            out["ORCHARD_INSTRUCTION_SET"] = INSTRUCTION_SETS[contestant]
    else:
        if not options.smoke:
            out.pop("OMP_WAIT_POLICY", None)    # peers as they come
        out["OMP_NUM_THREADS"] = str(options.threads)
    return out


def run_command(options, command, env):
    """(standard output, wall seconds, highest resident MB of one process) of one command."""
    with tempfile.TemporaryDirectory() as folder:
        measured = os.path.join(folder, "measured.json")
        clock = [sys.executable, os.path.join(HERE, "timed_command.py"), measured]
        try:
            done = subprocess.run(options.prefix + clock + command, env=env, capture_output=True,
                                  text=True, timeout=options.limit, check=False)
        except subprocess.TimeoutExpired:
            raise Failed(f"no result within {options.limit:g} s") from None
        except OSError as error:
            raise Failed(str(error)) from None
        if done.returncode != 0:
            lines = (done.stderr or done.stdout).strip().splitlines() or ["no message"]
            raise Failed(f"exit code {done.returncode}: {lines[-1]}")
        with open(measured) as file:
            record = json.load(file)
    return done.stdout, record["seconds"], record["peak_mb"]


def name_of_package(peer):
    return peer.removesuffix("-q").removesuffix("-estimate")


def is_installed(peer):
    if peer == "ranger":
        return shutil.which("Rscript") is not None and subprocess.run(
            ["Rscript", "-e", "library(ranger)"], capture_output=True, check=False).returncode == 0
    return importlib.util.find_spec(name_of_package(peer)) is not None


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()[:12]


def write_job(folder, data, settings, out):
    """A job file for `orchard train` or `orchard search`."""
    lines = ["[job]", "name = bench", "random_state = 1", f"output_dir = {out}", "[data]",
             f"train = {data}", f"target = {'y' if data.endswith('.h5') else 'label'}"]
    if "grid" in settings:
        name = settings["grid"]
        scorer = "accuracy" if name == "small" else "roc_auc"
        lines += ["[cv]", "n_splits = 5", "[search]", f"scoring = {scorer}",
                  f"refit = {scorer if name == 'small' else 'none'}"]
        is_boosting = name == "boost"
        keys = {key: ", ".join("none" if v is None else str(v) for v in values)
                for key, values in GRIDS[name].items()}
        if is_boosting:
            keys.update(max_leaf_nodes="none", early_stopping="false")
    else:
        is_boosting = "leaves" in settings
        keys = dict(max_iter=settings["trees"], max_leaf_nodes=settings["leaves"],
                    early_stopping="false") if is_boosting else \
            dict(n_estimators=settings["trees"], max_depth=settings["depth"] or "none")
    lines += ["[grid.one]", "estimator = " +
              ("HistGradientBoostingClassifier" if is_boosting else "RandomForestClassifier")]
    lines += [f"{key} = {value}" for key, value in keys.items()]
    path = os.path.join(folder, "job.cfg")
    with open(path, "w") as file:
        file.write("\n".join(lines) + "\n")
    return path


def best_score(folder):
    with open(os.path.join(folder, "cv_results.csv"), newline="") as file:
        return max(float(row["mean_test_score"]) for row in csv.DictReader(file))


def run_orchard_job(options, run, env):
    """A whole job, start to end, as a user starts it."""
    is_search = run.task == "search-job"
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "out")
        program = os.path.join(options.build, "orchard")
        data = os.path.join(options.data, run.table + ("_header.csv" if is_search else ".h5"))
        job = write_job(folder, data, dict(run.settings, **options.overrides), out)
        command = [program, "search" if is_search else "train", job, "--resume=none"]
        if is_search:
            command = MPIRUN + [str(options.ranks)] + command + \
                [f"--n-jobs={max(1, options.threads // options.ranks)}"]
        else:
            command += [f"--n-jobs={options.threads}"]
        _, seconds, peak_mb = run_command(options, command, env)
        record = dict(seconds=dict(total=seconds), peak_mb=peak_mb,
                      ranks=options.ranks if is_search else 1, input=os.path.basename(data))
        if is_search:
            record["score"] = dict(best=best_score(out))
        return record


def run_orchard(options, run, env):
    if run.task.endswith("-job"):
        return run_orchard_job(options, run, env)
    words = [f"{key}={value}" for key, value in dict(run.settings, **options.overrides).items()]
    command = [os.path.join(options.build, "one_fit"), run.task, run.table, options.data,
               f"kind={run.kind}"] + words
    command += [f"threads={options.threads}"]
    out, _, _ = run_command(options, command, env)
    return json.loads(out.strip().splitlines()[-1])


def run_peer(options, name, run, peer, env):
    if peer == "ranger":
        command = ["Rscript", os.path.join(HERE, "ranger_forest.R"),
                   f"{options.data}/{run.table}", str(options.threads),
                   str(run.settings["trees"]), str(run.settings["depth"])]
    else:
        command = [sys.executable, os.path.join(HERE, "peers.py"), options.data, name, peer,
                   str(options.threads)]
        command += [f"{key}={value}" for key, value in options.overrides.items()]
    out, seconds, peak_mb = run_command(options, command, env)
    record = json.loads(out.strip().splitlines()[-1])
    if name == "small":     # a script, from its start to its end
        record["seconds"]["total"] = seconds
    record.setdefault("peak_mb", peak_mb)
    return record


def run_once(options, name, contestant):
    """One record: contestant, run, seconds, score, peak_mb, version or build, ..."""
    run = RUNS[name]
    env = environment(options, contestant)
    if contestant in INSTRUCTION_SETS:
        record = run_orchard(options, run, env)
        program = "orchard" if run.task.endswith("-job") else "one_fit"
        record["build"] = digest(os.path.join(options.build, program))
    else:
        record = run_peer(options, name, run, contestant, env)
    record.update(run=name, contestant=contestant, threads=options.threads,
                  at=time.strftime("%Y-%m-%dT%H:%M:%S"))
    return record
