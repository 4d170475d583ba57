"""What a table must say of the machine it was made on."""
import json
import os
import platform
import subprocess


def output_of(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def first_line(path, prefix):
    try:
        with open(path) as file:
            return next((line.split(":", 1)[1].strip() for line in file
                         if line.startswith(prefix)), "")
    except OSError:
        return ""


def describe(options):
    caches = dict(line.split(":", 1) for line in output_of("lscpu").splitlines() if "cache" in line)
    system = output_of("sh", "-c", ". /etc/os-release && echo $PRETTY_NAME")
    out = dict(
        processor=first_line("/proc/cpuinfo", "model name") or platform.machine(),
        cores=len(os.sched_getaffinity(0)),
        caches=", ".join(f"{name.split()[0]} {size.strip()}" for name, size in caches.items()),
        memory=first_line("/proc/meminfo", "MemTotal"),
        system=f"{system}, Linux {platform.release()}",
        compiler=output_of("c++", "--version").split("\n")[0],
        mpi=output_of("mpirun", "--version").split("\n")[0],
        threads=options.threads,
    )
    program = os.path.join(options.build, "one_fit")
    try:
        record = json.loads(output_of(*options.prefix, program, "bandwidth", "-", "-",
                                      f"threads={options.threads}"))
        out.update(instruction_set=record["instruction_set"],
                   read_gb_per_s=round(record["read_gb_per_s"], 1))
    except (ValueError, KeyError):
        pass
    return out
