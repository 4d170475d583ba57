#!/usr/bin/env python3
"""Seeded synthetic tables for the benchmarks. Nothing is downloaded.

usage: bench/make_data.py FOLDER [NAME ...]      (default: all that are missing)

A      binary, 1,000,000 + 200,000 test rows, 28 columns of mixed laws, 7 of them derived
B      binary, 100,000 + 20,000, 500 columns, 40 of them informative
C      7 classes, 500,000 + 100,000, 10 numeric columns and 44 that are one-hot (4 + 40)
D      regression, 500,000 + 100,000, 20 columns, 5 % of the cells missing
D1..D4 as D, from other seeds: training samples only, tested on D's test rows
G      the first 100,000 training rows of A, and A's test rows
R      regression, 100,000 + 100,000, the columns of A
letter 26 classes, 20,000 x 16: tests/data/letter.csv and its folds (letter_folds.npy)
small  3 classes, 150 rows, 4 columns, as CSV only

NAME_train.npy, NAME_test.npy: float32 [n_rows][1 + n_columns], the label in column 0. A and G also
as CSV, label first, "%.6g": NAME.csv without a header line (some readers take none), and
NAME_header.csv with names. A and G also as HDF5: x, y, x_test, y_test.
"""
import os
import shutil
import sys

import numpy as np

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def mixed_columns(n, rng):
    """28 columns, and the score that their label follows."""
    x = np.empty((n, 28), np.float32)
    x[:, :7] = rng.standard_normal((n, 7))
    x[:, 7:14] = rng.gamma(2.0, 0.5, (n, 7))
    x[:, 14:18] = rng.uniform(-1, 1, (n, 4))
    x[:, 18:21] = rng.integers(0, 3, (n, 3))
    a = x.astype(np.float64)
    x[:, 21] = np.sqrt(a[:, 7] ** 2 + a[:, 8] ** 2 + 2 * a[:, 7] * a[:, 8] * np.cos(a[:, 0]))
    x[:, 22] = np.abs(a[:, 9] - a[:, 10]) + 0.1 * rng.standard_normal(n)
    x[:, 23] = a[:, 11] * np.exp(0.3 * a[:, 1])
    x[:, 24] = a[:, 2] * a[:, 3] + 0.3 * rng.standard_normal(n)
    x[:, 25] = np.log1p(a[:, 12] + a[:, 13])
    x[:, 26] = np.hypot(a[:, 4], a[:, 5])
    x[:, 27] = a[:, 14] * a[:, 15] + 0.2 * rng.standard_normal(n)
    b = x.astype(np.float64)
    z = (0.9 * np.sin(1.5 * b[:, 0]) * b[:, 1] + 0.8 * b[:, 21] - 0.7 * b[:, 22]
         + 0.5 * b[:, 23] * (b[:, 18] > 0) - 0.6 * b[:, 24] * b[:, 6]
         + 1.2 * (b[:, 26] > 1.3) * b[:, 16] + 0.8 * np.tanh(2 * b[:, 27])
         - 0.5 * b[:, 25] * (b[:, 19] == 2) + 0.4 * np.abs(b[:, 17]) * b[:, 5])
    return x, 1.1 * (z - 0.6)


def binary_tall(n, rng):
    x, z = mixed_columns(n, rng)
    return x, rng.random(n) < sigmoid(z)


def regression_tall(n, rng):
    x, z = mixed_columns(n, rng)
    return x, z + 0.5 * rng.standard_normal(n)


def binary_wide(n, rng):
    x = rng.standard_normal((n, 500), dtype=np.float32)
    w = np.random.default_rng(77).standard_normal(20)
    z = x[:, :20] @ w * 0.35
    for k in range(20, 40, 2):
        z = z + 0.6 * x[:, k] * (x[:, k + 1] > 0.3)
    return x, rng.random(n) < sigmoid(z)


def seven_classes(n, rng):
    numbers = np.empty((n, 10))
    numbers[:, :4] = rng.standard_normal((n, 4))
    numbers[:, 4:7] = rng.gamma(2.0, 1.0, (n, 3))
    numbers[:, 7:10] = rng.uniform(0, 255, (n, 3))
    area = rng.integers(0, 4, n)
    soil = np.minimum(rng.geometric(0.08, n) - 1, 39)
    fixed = np.random.default_rng(78)
    of_area, of_soil = fixed.standard_normal((4, 7)), fixed.standard_normal((40, 7)) * 0.8
    of_numbers = fixed.standard_normal((10, 7)) * 0.5
    f = numbers.copy()
    f[:, 7:10] = (f[:, 7:10] - 127) / 80
    f[:, 4] = np.log(f[:, 4] + 0.05)
    f[:, 0] = np.sin(2 * f[:, 0]) + f[:, 1] * f[:, 2]
    prior = np.log(np.array([.36, .48, .06, .01, .02, .03, .04]))
    z = f @ of_numbers + of_area[area] + of_soil[soil] + prior + rng.gumbel(size=(n, 7)) * 0.5
    x = np.zeros((n, 54), np.float32)
    x[:, :10] = numbers
    x[np.arange(n), 10 + area] = 1
    x[np.arange(n), 14 + soil] = 1
    return x, z.argmax(1)


def regression_missing(n, rng):
    x = rng.standard_normal((n, 20), dtype=np.float32)
    y = (10 * np.sin(np.pi * x[:, 0] * x[:, 1] / 4) + 5 * (x[:, 2] - 0.5) ** 2
         + 4 * x[:, 3] + 3 * np.abs(x[:, 4]) * (x[:, 5] > 0) - 2 * x[:, 6] * x[:, 7]
         + np.exp(0.5 * x[:, 8]) + rng.standard_normal(n) * 2)
    x[rng.random(x.shape) < 0.05] = np.nan
    return x, y


# law, training rows, test rows, seed
SETS = {
    "A": (binary_tall, 1_000_000, 200_000, 11),
    "B": (binary_wide, 100_000, 20_000, 12),
    "C": (seven_classes, 500_000, 100_000, 13),
    "D": (regression_missing, 500_000, 100_000, 14),
    "R": (regression_tall, 100_000, 100_000, 15),
    "D1": (regression_missing, 500_000, 0, 141),
    "D2": (regression_missing, 500_000, 0, 142),
    "D3": (regression_missing, 500_000, 0, 143),
    "D4": (regression_missing, 500_000, 0, 144),
}
NAMES = list(SETS) + ["G", "letter", "small"]


def draw(name, share=1):
    """(training, test) rows of a set, the label in column 0; fewer of both with a `share`."""
    law, n_train, n_test, seed = SETS[name]
    n_train, n_test = n_train // share, n_test // share
    x, y = law(n_train + n_test, np.random.default_rng(seed))
    rows = np.concatenate([np.asarray(y, np.float32)[:, None], x], 1)
    return rows[:n_train], rows[n_train:]


def write_csv(folder, name, rows):
    header = ",".join(["label"] + [f"x{i}" for i in range(rows.shape[1] - 1)])
    plain = f"{folder}/{name}.csv"
    try:
        import pandas
        pandas.DataFrame(rows).to_csv(plain, header=False, index=False, float_format="%.6g")
    except ImportError:
        np.savetxt(plain, rows, fmt="%.6g", delimiter=",")
    with open(f"{folder}/{name}_header.csv", "wb") as out, open(plain, "rb") as rest:
        out.write((header + "\n").encode())
        shutil.copyfileobj(rest, out, 1 << 24)


def write_hdf5(folder, name, train, test):
    try:
        import h5py
    except ImportError:
        print("no h5py: HDF5 files are left out", flush=True)
        return
    with h5py.File(f"{folder}/{name}.h5", "w") as file:
        file["x"], file["y"] = train[:, 1:], train[:, 0]
        file["x_test"], file["y_test"] = test[:, 1:], test[:, 0]


def make_letter(folder):
    """Class numbers in column 0; the test fold of each row beside it."""
    lines = open(f"{ROOT}/tests/data/letter.csv").read().split()
    target = lines[0].split(",").index("lettr")
    cells = [line.split(",") for line in lines[1:]]
    labels = [cell.pop(target) for cell in cells]
    classes = sorted(set(labels))
    x = np.asarray(cells, np.float32)
    y = np.asarray([classes.index(label) for label in labels], np.float32)
    np.save(f"{folder}/letter_folds.npy",
            np.loadtxt(f"{ROOT}/tests/data/letter.folds", dtype=np.float32)[:, None])
    np.save(f"{folder}/letter_train.npy", np.concatenate([y[:, None], x], 1))


def make_small(folder):
    rng = np.random.default_rng(16)
    y = np.arange(150) % 3
    x = rng.standard_normal((150, 4)) + 1.5 * np.stack([y, y == 1, -y, 0 * y], 1)
    rows = np.concatenate([y[:, None], x], 1).astype(np.float32)
    header = "label," + ",".join(f"x{i}" for i in range(4))
    np.savetxt(f"{folder}/small_header.csv", rows, fmt="%.6g", delimiter=",", header=header,
               comments="")


def make(folder, name, share=1):
    if name == "letter":
        make_letter(folder)
        return
    if name == "small":
        make_small(folder)
        return
    if name == "G":
        train = np.load(f"{folder}/A_train.npy", mmap_mode="r")[:100_000 // share]
        test = np.load(f"{folder}/A_test.npy", mmap_mode="r")
    else:
        train, test = draw(name, share)
    if name in "AG":
        write_csv(folder, name, train)
        write_hdf5(folder, name, train, test)
    if len(test):
        np.save(f"{folder}/{name}_test.npy", test)
    elif not os.path.lexists(f"{folder}/{name}_test.npy"):
        os.symlink(f"{name[0]}_test.npy", f"{folder}/{name}_test.npy")
    np.save(f"{folder}/{name}_train.npy", train)


def ensure_smoke(folder):
    """All sets with a two-hundredth of the rows."""
    os.makedirs(folder, exist_ok=True)
    for name in NAMES:
        if not os.path.exists(last_file(folder, name)):
            make(folder, name, 200)


def last_file(folder, name):
    """What `make` writes last: the set is there when this is."""
    return f"{folder}/{name}_header.csv" if name == "small" else f"{folder}/{name}_train.npy"


def ensure(folder, names):
    os.makedirs(folder, exist_ok=True)
    names = set(names) | {"A" for name in names if name == "G"} | \
        {"D" for name in names if name in ("D1", "D2", "D3", "D4")}     # what these are made of
    for name in [name for name in NAMES if name in names]:
        complete = os.path.exists(last_file(folder, name))
        if name in ("A", "G"):
            complete = complete and os.path.exists(f"{folder}/{name}_header.csv")
        if not complete:
            print(f"making {name} in {folder}", flush=True)
            make(folder, name)


def main():
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    unknown = set(sys.argv[2:]) - set(NAMES)
    if unknown:
        sys.exit(f"no set {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    ensure(sys.argv[1], sys.argv[2:] or NAMES)


if __name__ == "__main__":
    main()
