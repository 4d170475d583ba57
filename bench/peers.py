#!/usr/bin/env python3
"""One timed task of one peer, in one process; prints one line of JSON.

usage: bench/peers.py DATA_FOLDER RUN PEER [THREADS] [key=value ...]

RUN is one of bench/workloads.py, PEER sklearn, xgboost, lightgbm, lightgbm-q (quantised gradients)
or pandas; keys override settings of the run (trees, leaves, depth, rows). Times begin with a
float32 matrix in memory, row by row, the peers' native form. `bin` lasts until a binned data set
stands, `fit` is training proper; prediction is the best of three calls. peak_mb is the process's
highest resident memory, before_mb what it held when the timing began: interpreter and matrix.
"""
import json
import os
import sys
import time

from workloads import GRIDS, RUNS

FOLDER, RUN_NAME, PEER = sys.argv[1:4]
REST = sys.argv[4:]
THREADS = int(REST.pop(0)) if REST and "=" not in REST[0] else 2
os.environ["OMP_NUM_THREADS"] = str(THREADS)
import numpy as np  # noqa: E402  (reads the number of threads)

RUN = RUNS[RUN_NAME]
SETTINGS = dict(RUN.settings, **{key: int(value)
                                 for key, value in (word.split("=") for word in REST)})
TREES, LEAVES = SETTINGS.get("trees", 100), SETTINGS.get("leaves", 31)
DEPTH, ROWS = SETTINGS.get("depth", 0), SETTINGS.get("rows", 0)


def forget_peak():
    """Lets the highest resident memory count from here on, where the kernel allows it."""
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    except OSError:
        pass


def peak_mb():
    """Of this process alone: getrusage would include the parent's before exec."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) / 1024 for line in file if line.startswith("VmHWM:"))


def load(part):
    rows = np.load(f"{FOLDER}/{RUN.table}_{part}.npy", mmap_mode="r")
    if ROWS and part == "train":
        rows = rows[:ROWS]
    return np.ascontiguousarray(rows[:, 1:]), np.ascontiguousarray(rows[:, 0])


def score(predicted, y):
    """Of class probabilities (binary: of class 1) or values."""
    if RUN.kind == "regression":
        return dict(rmse=float(np.sqrt(np.mean((predicted - y) ** 2))))
    if RUN.kind == "classes":
        own = np.clip(predicted[np.arange(len(y)), y.astype(int)], 1e-15, 1)
        return dict(accuracy=float((predicted.argmax(1) == y).mean()),
                    log_loss=float(-np.log(own).mean()))
    from scipy.stats import rankdata
    ranks = rankdata(predicted)
    n_pos = float((y == 1).sum())
    auc = (ranks[y == 1].sum() - n_pos * (n_pos + 1) / 2) / (n_pos * (len(y) - n_pos))
    q = np.clip(predicted, 1e-15, 1 - 1e-15)
    return dict(roc_auc=float(auc),
                log_loss=float(-np.mean(np.where(y == 1, np.log(q), np.log(1 - q)))))


# Each returns (seconds of binning, seconds in all, function from rows to scores, version).

def sklearn_boost(x, y):
    import sklearn
    from sklearn import ensemble
    from sklearn.ensemble._hist_gradient_boosting import binning
    spent = [0.0]
    own = binning._BinMapper.fit_transform

    def timed(self, *args, **kwargs):
        start = time.perf_counter()
        result = own(self, *args, **kwargs)
        spent[0] += time.perf_counter() - start
        return result
    binning._BinMapper.fit_transform = timed
    kind = "Regressor" if RUN.kind == "regression" else "Classifier"
    model = getattr(ensemble, f"HistGradientBoosting{kind}")(
        max_iter=TREES, max_leaf_nodes=LEAVES, learning_rate=0.1, early_stopping=False,
        max_bins=255, random_state=1)
    start = time.perf_counter()
    model.fit(x, y)
    return spent[0], time.perf_counter() - start, read_sklearn(model), sklearn.__version__


def read_sklearn(model):
    if RUN.kind == "regression":
        return model.predict
    if RUN.kind == "binary":
        return lambda rows: model.predict_proba(rows)[:, 1]
    return model.predict_proba


def sklearn_forest(x, y):
    import sklearn
    from sklearn import ensemble
    kind = "Regressor" if RUN.kind == "regression" else "Classifier"
    model = getattr(ensemble, f"RandomForest{kind}")(TREES, max_depth=DEPTH or None,
                                                     n_jobs=THREADS, random_state=1)
    start = time.perf_counter()
    model.fit(x, y)
    return None, time.perf_counter() - start, read_sklearn(model), sklearn.__version__


def xgboost_any(x, y):
    import xgboost
    objective = {"binary": dict(objective="binary:logistic"),
                 "classes": dict(objective="multi:softprob", num_class=int(y.max()) + 1),
                 "regression": dict(objective="reg:squarederror")}[RUN.kind]
    settings = dict(objective, tree_method="hist", nthread=THREADS, verbosity=0, max_bin=255,
                    grow_policy="lossguide", max_leaves=LEAVES, max_depth=0, eta=0.1)
    rounds = TREES
    if RUN.task == "forest":
        settings.update(num_parallel_tree=TREES, subsample=0.632, learning_rate=1, reg_lambda=0,
                        colsample_bynode=x.shape[1] ** .5 / x.shape[1], max_leaves=0,
                        max_depth=DEPTH, grow_policy="depthwise" if DEPTH else "lossguide")
        rounds = 1
    start = time.perf_counter()
    data = xgboost.QuantileDMatrix(x, y, nthread=THREADS, max_bin=255)
    bin_s = time.perf_counter() - start
    model = xgboost.train(settings, data, rounds)
    return bin_s, time.perf_counter() - start, model.inplace_predict, xgboost.__version__


def lightgbm_any(x, y):
    import lightgbm
    objective = {"binary": dict(objective="binary"),
                 "classes": dict(objective="multiclass", num_class=int(y.max()) + 1),
                 "regression": dict(objective="regression")}[RUN.kind]
    settings = dict(objective, num_threads=THREADS, verbosity=-1, max_bin=255, num_leaves=LEAVES,
                    learning_rate=0.1)
    if PEER == "lightgbm-q":
        settings.update(use_quantized_grad=True, num_grad_quant_bins=4,
                        quant_train_renew_leaf=True)
    if RUN.task == "forest":
        settings.update(boosting="rf", bagging_fraction=0.632, bagging_freq=1,
                        feature_fraction_bynode=x.shape[1] ** .5 / x.shape[1],
                        num_leaves=2 ** DEPTH if DEPTH else 131_072, max_depth=DEPTH or -1,
                        min_data_in_leaf=1, min_sum_hessian_in_leaf=0)
    start = time.perf_counter()
    data = lightgbm.Dataset(x, y, params=settings)
    data.construct()
    bin_s = time.perf_counter() - start
    model = lightgbm.train(settings, data, TREES)
    total_s = time.perf_counter() - start
    return bin_s, total_s, lambda rows: model.predict(rows, num_threads=THREADS), \
        lightgbm.__version__


def fit_function():
    if PEER == "xgboost":
        return xgboost_any
    if PEER.startswith("lightgbm"):
        return lightgbm_any
    return sklearn_forest if RUN.task in ("forest", "letter") else sklearn_boost


def best_of_three(work):
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        result = work()
        seconds.append(time.perf_counter() - start)
        if seconds[0] > 20:
            break
    return min(seconds), result


def run_fit():
    x, y = load("train")
    x_test, y_test = load("test")
    forget_peak()
    before_mb = peak_mb()
    bin_s, total_s, predict, version = fit_function()(x, y)
    result = dict(version=version, before_mb=before_mb, peak_mb=peak_mb())
    predict_s, predicted = best_of_three(lambda: predict(x_test))
    result["seconds"] = dict(total=total_s, predict=predict_s)
    if bin_s is not None:
        result["seconds"].update(bin=bin_s, fit=total_s - bin_s)
    result["score"] = score(predicted, y_test)
    return result


def run_predict():
    """One million raw rows through a model fitted to the first of them."""
    x, y = load("train")
    _, _, predict, version = fit_function()(x, y)
    rows = np.ascontiguousarray(
        np.load(f"{FOLDER}/{RUN.table}_train.npy", mmap_mode="r")[:, 1:])
    forget_peak()
    before_mb = peak_mb()
    predict_s, _ = best_of_three(lambda: predict(rows))
    return dict(version=version, seconds=dict(predict=predict_s), before_mb=before_mb,
                peak_mb=peak_mb(), rows=len(rows))


def run_letter():
    x, y = load("train")
    folds = np.load(f"{FOLDER}/letter_folds.npy")[:, 0]
    forget_peak()
    before_mb = peak_mb()
    seconds, hits, losses = 0.0, 0, 0.0
    for fold in np.unique(folds[folds >= 0]):
        train, test = folds != fold, folds == fold
        x_train, y_train, x_test = x[train], y[train], x[test]
        start = time.perf_counter()
        _, _, predict, version = fit_function()(x_train, y_train)
        predicted = predict(x_test)
        seconds += time.perf_counter() - start
        hits += (predicted.argmax(1) == y[test]).sum()
        own = predicted[np.arange(test.sum()), y[test].astype(int)]
        losses -= np.log(np.clip(own, 1e-15, 1)).sum()
    n_tested = float((folds >= 0).sum())
    return dict(version=version, seconds=dict(total=seconds), before_mb=before_mb,
                peak_mb=peak_mb(),
                score=dict(accuracy=hits / n_tested, log_loss=losses / n_tested))


def run_csv():
    path = f"{FOLDER}/{RUN.table}.csv"
    if PEER == "pandas":
        import pandas as module
        work = lambda: module.read_csv(path, header=None, dtype=np.float32)  # noqa: E731
    elif PEER == "xgboost":
        import xgboost as module
        module.set_config(verbosity=0)
        work = lambda: module.DMatrix(path + "?format=csv&label_column=0",  # noqa: E731
                                      nthread=THREADS)
    else:
        import lightgbm as module
        work = lambda: module.Dataset(path, params=dict(  # noqa: E731
            label_column=0, header=False, num_threads=THREADS, verbosity=-1)).construct()
    forget_peak()
    before_mb = peak_mb()
    start = time.perf_counter()
    work()
    return dict(version=module.__version__, seconds=dict(total=time.perf_counter() - start),
                before_mb=before_mb, peak_mb=peak_mb(), file_bytes=os.path.getsize(path))


def estimate_search():
    """GridSearchCV over the forest grid, from one small forest for each kind of tree in it.

    A forest costs in proportion to its trees: each (depth, leaf size) is timed with 20 trees on the
    rows of four folds, prediction of the fifth included.
    """
    import sklearn
    from sklearn.ensemble import RandomForestClassifier
    x, y = load("train")
    grid = GRIDS[SETTINGS["grid"]]
    n_trees, n_train = 20, len(x) * 4 // 5
    seconds = 0.0
    for depth in grid["max_depth"]:
        for leaf in grid["min_samples_leaf"]:
            start = time.perf_counter()
            model = RandomForestClassifier(n_trees, max_depth=depth, min_samples_leaf=leaf,
                                           n_jobs=THREADS, random_state=1)
            model.fit(x[:n_train], y[:n_train]).predict_proba(x[n_train:])
            seconds += time.perf_counter() - start
    total = seconds / n_trees * sum(grid["n_estimators"]) * 5
    return dict(version=sklearn.__version__, seconds=dict(total=total, measured=seconds))


def run_search():
    """The grid as a user of GridSearchCV runs it; of `small` the imports count too."""
    grid = SETTINGS["grid"]
    start = time.perf_counter()
    import sklearn
    from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
    from sklearn.model_selection import GridSearchCV
    if grid == "small":
        rows = np.loadtxt(f"{FOLDER}/small_header.csv", delimiter=",", skiprows=1, dtype=np.float32)
        x, y = rows[:, 1:], rows[:, 0]
    else:
        x, y = load("train")
    estimator = RandomForestClassifier(random_state=1)
    if grid == "boost":
        estimator = HistGradientBoostingClassifier(early_stopping=False, max_leaf_nodes=None,
                                                   random_state=1)
    if grid != "small":
        start = time.perf_counter()
    search = GridSearchCV(estimator, GRIDS[grid], cv=5, n_jobs=THREADS, refit=grid == "small",
                          scoring="accuracy" if grid == "small" else "roc_auc")
    search.fit(x, y)
    return dict(version=sklearn.__version__, seconds=dict(total=time.perf_counter() - start),
                score=dict(best=float(search.best_score_)))


def main():
    if PEER == "sklearn-estimate":
        print(json.dumps(dict(estimate_search(), run=RUN_NAME, contestant=PEER, threads=THREADS)))
        return
    work = {"boost": run_fit, "forest": run_fit, "predict": run_predict, "letter": run_letter,
            "csv": run_csv, "search-job": run_search}[RUN.task]
    print(json.dumps(dict(work(), run=RUN_NAME, contestant=PEER, threads=THREADS)))


if __name__ == "__main__":
    main()
