# One timed forest of ranger; prints one line of JSON.
# usage: Rscript bench/ranger_forest.R DATA_FOLDER/NAME THREADS TREES DEPTH (0: no limit)
# Reads NAME_train.npy and NAME_test.npy: float32 matrices in C order, the label in column 0.
arguments <- commandArgs(TRUE)
suppressMessages(library(ranger))
read_npy <- function(path) {
  file <- file(path, "rb")
  on.exit(close(file))
  readBin(file, "raw", 8)
  header <- rawToChar(readBin(file, "raw", readBin(file, "integer", 1, 2, FALSE, "little")))
  shape <- as.integer(regmatches(header, regexec("\\(([0-9]+), *([0-9]+)\\)", header))[[1]][2:3])
  matrix(readBin(file, "numeric", prod(shape), 4, endian = "little"), shape[1], shape[2],
         byrow = TRUE)
}
train <- read_npy(paste0(arguments[1], "_train.npy"))
test <- read_npy(paste0(arguments[1], "_test.npy"))
threads <- as.integer(arguments[2])
x <- train[, -1]
colnames(x) <- paste0("x", seq_len(ncol(x)))
y <- factor(train[, 1])
x_test <- test[, -1]
colnames(x_test) <- colnames(x)
invisible(gc())
status_mb <- function(name) {
  line <- grep(name, readLines("/proc/self/status"), value = TRUE)
  as.numeric(gsub("[^0-9]", "", line)) / 1024
}
# The peak counts from here on, where the kernel allows it.
try(cat("5", file = "/proc/self/clear_refs"), silent = TRUE)
before <- status_mb("VmHWM")
start <- proc.time()[["elapsed"]]
model <- ranger(x = x, y = y, num.trees = as.integer(arguments[3]),
                mtry = floor(sqrt(ncol(x))), max.depth = as.integer(arguments[4]),
                num.threads = threads, probability = TRUE, min.node.size = 1, oob.error = FALSE,
                seed = 1)
total <- proc.time()[["elapsed"]] - start
peak <- status_mb("VmHWM")
start <- proc.time()[["elapsed"]]
p <- predict(model, data = x_test, num.threads = threads)$predictions[, "1"]
predict_s <- proc.time()[["elapsed"]] - start
positive <- test[, 1] == 1
n_positive <- as.double(sum(positive))
auc <- (sum(rank(p)[positive]) - n_positive * (n_positive + 1) / 2) /
  (n_positive * sum(!positive))
q <- pmin(pmax(p, 1e-15), 1 - 1e-15)
log_loss <- -mean(ifelse(positive, log(q), log(1 - q)))
cat(sprintf(paste0('{"version": "%s", "seconds": {"total": %.4f, "predict": %.4f}, ',
                   '"score": {"roc_auc": %.6f, "log_loss": %.6f}, "peak_mb": %.1f, ',
                   '"before_mb": %.1f}\n'),
            as.character(packageVersion("ranger")), total, predict_s, auc, log_loss, peak,
            before))
