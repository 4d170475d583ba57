"""What is measured: the runs, who takes part in each, and the lines of the table made of them.

A run is one timed task, done by each contestant in a process of its own. It gives seconds by part
(bin, fit, predict, ...), scores and peak memory. A line of the table compares one of these numbers
between contestants. Nothing here depends on a machine.
"""
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Run:
    task: str       # boost, forest, letter, predict, csv, readouts: bench/one_fit.cpp and peers.py
    table: str      # set of make_data.py
    peers: tuple    # besides orchard; those in brackets with --all or when named
    settings: dict = field(default_factory=dict)
    kind: str = "binary"        # binary, classes, regression
    slow: tuple = ()            # peers that get --slow-runs runs


RUNS = {
    "boost-a31": Run("boost", "A", ("lightgbm", "lightgbm-q", "xgboost", "sklearn"),
                     dict(trees=100, leaves=31)),
    "boost-a255": Run("boost", "A", ("lightgbm", "lightgbm-q", "xgboost", "(sklearn)"),
                      dict(trees=100, leaves=255)),
    "boost-b31": Run("boost", "B", ("lightgbm", "lightgbm-q", "(xgboost)", "(sklearn)"),
                     dict(trees=100, leaves=31), slow=("xgboost", "sklearn")),
    "boost-c31": Run("boost", "C", ("lightgbm", "(xgboost)", "(sklearn)"),
                     dict(trees=100, leaves=31), kind="classes",
                     slow=("lightgbm", "xgboost", "sklearn")),
    "boost-d31": Run("boost", "D", ("lightgbm", "xgboost", "sklearn"),
                     dict(trees=100, leaves=31), kind="regression"),
    **{f"boost-d31-{sample}": Run("boost", f"D{sample}", ("lightgbm", "xgboost", "sklearn"),
                                  dict(trees=100, leaves=31), kind="regression")
       for sample in (1, 2, 3, 4)},
    "forest-g": Run("forest", "G", ("sklearn", "(ranger)", "(xgboost)"),
                    dict(trees=100, depth=0), slow=("sklearn", "ranger", "xgboost")),
    "forest-g12": Run("forest", "G", ("sklearn", "xgboost", "(ranger)", "(lightgbm)"),
                      dict(trees=100, depth=12), slow=("sklearn", "ranger", "lightgbm")),
    "forest-letter": Run("letter", "letter", ("sklearn",), dict(trees=100), kind="classes"),
    "forest-r": Run("forest", "R", ("sklearn",), dict(trees=100, depth=0), kind="regression",
                    slow=("sklearn",)),
    "predict-a31": Run("predict", "A", ("xgboost", "lightgbm", "sklearn"),
                       dict(trees=100, leaves=31, rows=100_000)),
    "readouts-g": Run("readouts", "G", (), dict(trees=200)),
    "csv-a": Run("csv", "A", ("xgboost", "lightgbm", "pandas")),
    "memory-a31": Run("train-job", "A", (), dict(trees=100, leaves=31)),
    "memory-g": Run("train-job", "G", (), dict(trees=100, depth=0)),
    "search-forest": Run("search-job", "G", ("sklearn-estimate", "(sklearn)"), dict(grid="forest"), slow=("sklearn",)),
    "search-boost": Run("search-job", "G", ("(sklearn)",), dict(grid="boost"), slow=("sklearn",)),
    "small": Run("search-job", "small", ("sklearn",), dict(grid="small")),
}


# Training samples of one law: the score compared is the median over them.
SAMPLES = ("boost-d31", "boost-d31-1", "boost-d31-2", "boost-d31-3", "boost-d31-4")

# What GridSearchCV and `orchard search` are given.
GRIDS = {
    "forest": dict(n_estimators=[50, 100, 200], max_depth=[4, 8, 12, 16],
                   min_samples_leaf=[1, 5, 20]),
    "boost": dict(max_iter=[50, 100, 200, 400], max_depth=[4, 6, 8, 10],
                  learning_rate=[0.05, 0.1]),
    "small": dict(n_estimators=[50, 100], max_depth=[2, 4, None]),
}


@dataclass(frozen=True)
class Line:
    title: str
    run: str
    measure: str                # a key of the run's seconds, or "peak_mb"
    goals: dict = field(default_factory=dict)   # rival -> (goal, stretch), times faster
    peer_run: str = ""          # where the rivals' numbers come from, if not from `run`
    limit: tuple = ()           # (goal, stretch): the number itself must not exceed these


LINES = [
    Line("boosting A, 1,000,000 x 28, 31 leaves", "boost-a31", "total",
         {"lightgbm": (3, 3.7), "lightgbm-q": (2, 2.8)}),
    Line("boosting A, 255 leaves", "boost-a255", "total",
         {"lightgbm": (2.7, 3.6), "lightgbm-q": (2, 2.8)}),
    Line("boosting B, 100,000 x 500, 31 leaves", "boost-b31", "total", {"lightgbm": (3.5, 4.5)}),
    Line("boosting C, 500,000 x 54, 7 classes", "boost-c31", "total", {"lightgbm": (2, 3)}),
    Line("boosting D, regression, 500,000 x 20, missing values", "boost-d31", "total"),
    Line("binning alone, A", "boost-a31", "bin", {"lightgbm": (10, 18)}),
    Line("binning alone, B", "boost-b31", "bin", {"lightgbm": (10, 18)}),
    Line("forest G, 100,000 x 28, no depth limit", "forest-g", "total", {"sklearn": (30, 60)}),
    Line("forest G, depth 12", "forest-g12", "total", {"sklearn": (40, 80), "xgboost": (12, 24)}),
    Line("forest, letter, 26 classes, 5 folds", "forest-letter", "total", {"sklearn": (8, 15)}),
    Line("forest R, regression, 100,000 x 28", "forest-r", "total", {"sklearn": (15, 30)}),
    Line("search, forest grid, 36 points x 5 folds", "search-forest", "total",
         {"sklearn-estimate": (150, 400), "sklearn": (150, 400)}),
    Line("search, boosting grid, 32 points x 5 folds", "search-boost", "total",
         {"sklearn": (9, 13)}),
    Line("prediction, 1,000,000 rows, 100 trees of 31 leaves", "predict-a31", "predict",
         {"xgboost": (8, 15)}),
    Line("prediction, 200,000 rows, 100 unlimited trees", "forest-g", "predict",
         {"sklearn": (8, 13)}),
    Line("30 readouts of 200 trees, over one prediction", "readouts-g", "readouts_ratio",
         limit=(1.5, 1.2)),
    Line("peak memory, MB, `train`, boosting A", "memory-a31", "peak_mb",
         {"lightgbm": ()}, peer_run="boost-a31", limit=(130, 100)),
    Line("peak memory, MB, `train`, forest G", "memory-g", "peak_mb",
         {"sklearn": ()}, peer_run="forest-g", limit=(110, 70)),
    Line("CSV of numbers, 231 MB, to bins", "csv-a", "total", {"xgboost": (2.5, 4.2)},
         limit=(0.385, 0.231)),
    Line("job of 150 rows, mpirun -n 2, start to end", "small", "total", limit=(1.0, 0.6)),
]
