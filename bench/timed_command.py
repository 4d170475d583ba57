#!/usr/bin/env python3
"""Runs a command and writes its wall seconds and memory: what a user's clock would say.

usage: bench/timed_command.py RESULT_FILE COMMAND [ARGUMENT ...]

RESULT_FILE gets JSON: seconds from start to end, and peak_mb, the highest resident memory that any
one process of the command reached. The command's output and exit code are passed on. It is a
program of its own so that whatever stands before it on the command line, waiting for a quiet
machine for instance, is not timed.
"""
import json
import resource
import subprocess
import sys
import time


def main():
    start = time.perf_counter()
    code = subprocess.call(sys.argv[2:])
    seconds = time.perf_counter() - start
    peak_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    with open(sys.argv[1], "w") as file:
        json.dump(dict(seconds=seconds, peak_mb=peak_mb), file)
    return code


if __name__ == "__main__":
    sys.exit(main())
