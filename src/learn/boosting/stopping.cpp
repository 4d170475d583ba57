#include "boosting/stopping.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "orchard/base/error.hpp"
#include "orchard/base/text.hpp"
#include "orchard/random/stream.hpp"
#include "peers.hpp"

namespace orchard::learn::boosting {
namespace {

constexpr RowIndex kAutoRows = 10'000;
constexpr std::size_t kScoreChunk = 4096;

/// How many of each class's rows stay in training, `n_kept` in all.
std::vector<std::size_t> stratify(const std::vector<std::vector<RowIndex>>& rows_of_class,
                                  std::size_t n_rows, std::size_t n_kept) {
  // count * n_kept / n_rows is exact in integers: quotient and remainder.
  std::vector<std::size_t> kept, remainder, order(rows_of_class.size());
  for (const auto& rows : rows_of_class) {
    kept.push_back(rows.size() * n_kept / n_rows);
    remainder.push_back(rows.size() * n_kept % n_rows);
  }
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return remainder[a] > remainder[b]; });
  const std::size_t n_missing = n_kept - std::accumulate(kept.begin(), kept.end(), std::size_t{0});
  for (std::size_t i = 0; i < n_missing; ++i) ++kept[order[i]];
  return kept;
}

}  // namespace

bool stops_early(options::EarlyStopping setting, RowIndex n_train) {
  if (setting == options::EarlyStopping::kAuto) return n_train > kAutoRows;
  return setting == options::EarlyStopping::kOn;
}

std::vector<RowIndex> choose_validation(const FitContext& context, double fraction) {
  const std::size_t n_rows = context.data.train_share.n;
  const double wanted =
      fraction < 1 ? std::ceil(fraction * static_cast<double>(n_rows)) : std::floor(fraction);
  if (!(wanted >= 1) || !(wanted < static_cast<double>(n_rows))) {
    throw Error(ErrorKind::kData,
                format("validation_fraction {} of {} leaves {} to judge early "
                       "stopping and {} to train on; both need at least one",
                       print_double(fraction), counted(n_rows, "training row"),
                       counted(wanted, "row"), static_cast<double>(n_rows) - wanted));
  }
  const bool is_stratified = context.schema.task == Task::kClassification;
  std::vector<std::vector<RowIndex>> rows_of_class(is_stratified ? context.schema.n_classes() : 1);
  for (std::size_t row = 0; row < n_rows; ++row) {
    const auto c = is_stratified ? static_cast<std::size_t>(context.data.target[row]) : 0;
    rows_of_class[c].push_back(static_cast<RowIndex>(row));
  }
  const auto kept = stratify(rows_of_class, n_rows, n_rows - static_cast<std::size_t>(wanted));
  std::vector<RowIndex> chosen;
  for (std::size_t c = 0; c < rows_of_class.size(); ++c) {
    auto& rows = rows_of_class[c];
    const random::Stream stream(context.random_state, random::Purpose::kValidation, c);
    stream.shuffle(rows);
    chosen.insert(chosen.end(), rows.begin(), rows.end() - static_cast<std::ptrdiff_t>(kept[c]));
  }
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

bool should_stop(std::span<const double> scores, std::int64_t n_iter_no_change, double tol) {
  const auto n_recent = static_cast<std::size_t>(n_iter_no_change);
  if (scores.size() < n_recent + 1) return false;
  const double reference = scores[scores.size() - n_recent - 1] + tol;
  const auto recent = scores.last(n_recent);
  return std::none_of(recent.begin(), recent.end(),
                      [&](double score) { return score > reference; });
}

Judge::Judge(const FitContext& context, const std::string& scoring, const TrainingRows& rows,
             int value_exponent)
    : context_(context), scoring_(scoring), rows_(rows.validation) {
  if (rows_.empty()) {
    rows_.resize(context.data.train_share.n);
    std::iota(rows_.begin(), rows_.end(), RowIndex{0});
  }
  link_.task = context.schema.task;
  link_.combine = model::Combine::kSum;
  link_.n_outputs = n_outputs_of(context.schema);
  link_.value_exponent = value_exponent;
  link_.n_classes = context.schema.n_classes();
  for (const RowIndex row : rows_) {
    target_.push_back(context.data.target[row]);
    if (!rows.weight.empty()) weight_.push_back(rows.weight[row]);
  }
  const std::size_t width = link_.task == Task::kClassification ? link_.n_classes : 1;
  predictions_.resize(rows_.size() * width);
}

void Judge::collect(std::span<const std::int64_t> raw, std::size_t begin, std::size_t end,
                    std::int64_t* sums) const {
  const std::size_t n_train = context_.data.n_train();
  for (std::size_t i = begin; i < end; ++i) {
    const std::size_t row = rows_[i] - context_.data.train_share.begin;
    for (int k = 0; k < link_.n_outputs; ++k) {
      *sums++ = raw[static_cast<std::size_t>(k) * n_train + row];
    }
  }
}

std::vector<std::int64_t> Judge::collect_all(std::span<const std::int64_t> raw) const {
  const auto n_outputs = static_cast<std::size_t>(link_.n_outputs);
  const data::RowShare& share = context_.data.train_share;
  const auto place_of = [&](RowIndex row) {
    return static_cast<std::size_t>(std::lower_bound(rows_.begin(), rows_.end(), row) -
                                    rows_.begin());
  };
  const std::size_t begin = place_of(share.begin), end = place_of(share.end);
  std::vector<std::int64_t> own((end - begin) * n_outputs);
  collect(raw, begin, end, own.data());
  return Peers(context_.group).gather_items(own, begin * n_outputs, rows_.size() * n_outputs);
}

double Judge::score(std::span<const std::int64_t> raw, std::size_t n_rounds) {
  const auto n_outputs = static_cast<std::size_t>(link_.n_outputs);
  const std::size_t width = predictions_.size() / rows_.size();
  std::vector<std::int64_t> all;
  if (context_.group != nullptr) all = collect_all(raw);
  context_.pool.for_chunks(rows_.size(), kScoreChunk, [&](std::size_t begin, std::size_t end, int) {
    std::vector<std::int64_t> sums((end - begin) * n_outputs);
    if (all.empty()) {
      collect(raw, begin, end, sums.data());
    } else {
      std::copy_n(all.data() + begin * n_outputs, sums.size(), sums.data());
    }
    model::predictions_from_sums(
        link_, n_rounds * n_outputs, sums,
        std::span(predictions_).subspan(begin * width, (end - begin) * width));
  });
  const metric::Truth truth{link_.task, link_.n_classes, target_, weight_};
  const metric::Score score = scoring_ == "loss" ? metric::negative_loss(truth, predictions_)
                                                 : metric::score(scoring_, truth, predictions_);
  if (std::isnan(score.value)) {
    throw Error(ErrorKind::kData,
                format("early stopping cannot judge by '{}': {}", scoring_, score.reason), {},
                "Use scoring = loss, more validation rows, or early_stopping = false.");
  }
  return score.value;
}

Members::Members(std::vector<BoostingMember> members, bool stops_early)
    : members_(std::move(members)),
      stops_early_(stops_early),
      n_rounds_(members_.size(), -1),
      n_running_(members_.size()) {
  require(!members_.empty(), "a boosting fit has a member");
  for (const BoostingMember& member : members_) {
    require(member.max_iter >= 1 && member.max_iter <= std::numeric_limits<int>::max(),
            "max_iter is at least 1");
    require(!stops_early || member.n_iter_no_change >= 1, "n_iter_no_change is at least 1");
  }
}

std::vector<std::size_t> Members::finished_by(int n_rounds, std::span<const double> scores) const {
  std::vector<std::size_t> finished;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    const BoostingMember& member = members_[i];
    if (n_rounds_[i] >= 0) continue;
    const bool is_done = n_rounds >= member.max_iter ||
                         (stops_early_ && should_stop(scores, member.n_iter_no_change, member.tol));
    if (!is_done) continue;
    finished.push_back(i);
  }
  return finished;
}

void Members::finish(std::span<const std::size_t> members, int n_rounds) {
  for (const std::size_t member : members) n_rounds_[member] = n_rounds;
  n_running_ -= members.size();
}

int Members::n_rounds(std::size_t member) const {
  const int rounds = n_rounds_.at(member);
  require(rounds >= 0, "the member of a boosting fit has stopped");
  return rounds;
}

}  // namespace orchard::learn::boosting
