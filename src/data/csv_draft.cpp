#include <algorithm>

#include "class_labels.hpp"
#include "column_role.hpp"
#include "csv_text.hpp"
#include "orchard/data/csv.hpp"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace orchard::data {
namespace {

using model::FeatureKind;

std::int64_t count_feeds(const char* at, const char* end) {
  return at < end ? std::count(at, end, '\n') : 0;
}

/// Adds the marks at [at, end), of which `marks.n_rows` counts line feeds. One more byte of text
/// follows.
void add_marks(const char* at, const char* end, Marks& marks) {
#if defined(__SSE2__)
  constexpr std::ptrdiff_t kStep = 16, kMaxSteps = 255;  // counters of one byte
  const auto load = [](const char* from) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  };
  const auto sum = [](__m128i counts) {
    const __m128i halves = _mm_sad_epu8(counts, _mm_setzero_si128());
    return _mm_cvtsi128_si64(halves) + _mm_cvtsi128_si64(_mm_unpackhi_epi64(halves, halves));
  };
  const __m128i quote = _mm_set1_epi8('"'), feed = _mm_set1_epi8('\n'),
                carriage_return = _mm_set1_epi8('\r');
  while (end - at >= kStep) {
    const char* const stop = at + std::min(kMaxSteps, (end - at) / kStep) * kStep;
    __m128i quotes = _mm_setzero_si128(), feeds = quotes, returns = quotes;
    for (; at < stop; at += kStep) {
      const __m128i text = load(at), next = load(at + 1);
      quotes = _mm_sub_epi8(quotes, _mm_cmpeq_epi8(text, quote));
      feeds = _mm_sub_epi8(feeds, _mm_cmpeq_epi8(text, feed));
      returns = _mm_sub_epi8(returns, _mm_andnot_si128(_mm_cmpeq_epi8(next, feed),
                                                       _mm_cmpeq_epi8(text, carriage_return)));
    }
    marks.n_quotes += sum(quotes);
    marks.n_rows += sum(feeds);
    marks.n_lone_returns += sum(returns);
  }
#endif
  for (; at < end; ++at) {
    marks.n_quotes += *at == '"' ? 1 : 0;
    marks.n_rows += *at == '\n' ? 1 : 0;
    marks.n_lone_returns += *at == '\r' && at[1] != '\n' ? 1 : 0;
  }
}

}  // namespace

Marks count_marks(const MappedFile& file, const Slice& slice) {
  const CsvText csv = open_csv(file);
  const char* const begin = csv.text.data() + slice.begin;
  const char* const end = csv.text.data() + slice.end;
  const char* const last = csv.text.data() + csv.text.size() - 1;
  Marks marks;
  add_marks(begin, std::min(end, last), marks);
  if (begin <= last && last < end) {
    marks.n_quotes += *last == '"' ? 1 : 0;
    marks.n_rows += *last == '\n' ? 1 : 0;
    marks.n_lone_returns += *last == '\r' ? 1 : 0;
  }
  // A row begins at the first byte after the header, and wherever a line feed stands before a byte
  // of the rows.
  const char* const rows_begin = std::max(csv.rows_begin, begin);
  const char* const rows_end = std::min(csv.rows_end, end);
  if (rows_begin >= rows_end) {
    marks.n_rows = 0;
    return marks;
  }
  marks.n_rows -= count_feeds(begin, rows_begin) + count_feeds(rows_end - 1, end);
  marks.n_rows += rows_begin == csv.rows_begin || rows_begin[-1] == '\n' ? 1 : 0;
  return marks;
}

std::optional<Layout> make_draft(const MappedFile& file, const ReadRequest& request,
                                 RowIndex n_rows) {
  const CsvText csv = open_csv(file);
  check_names(file.path(), csv.header, request);
  Layout layout;
  layout.n_rows = n_rows;
  const auto add = [&](std::size_t column) {
    layout.column_of_feature.push_back(static_cast<std::int32_t>(column));
    layout.schema.features.push_back({csv.header[column], FeatureKind::kNumeric, {}});
  };
  if (request.schema != nullptr) {
    for (const auto& feature : request.schema->features) {
      if (feature.kind != FeatureKind::kNumeric) return std::nullopt;
      add(static_cast<std::size_t>(column_index(csv.header, feature.name)));
    }
  } else {
    const auto roles = roles_of(csv.header, request);
    for (std::size_t column = 0; column < roles.size(); ++column) {
      if (roles[column] == ColumnRole::kCategorical) return std::nullopt;
      if (roles[column] == ColumnRole::kUndeclared) add(column);
    }
  }
  const auto find = [&](const std::string& name) {
    return name.empty() ? -1 : column_index(csv.header, name);
  };
  layout.target_column = find(request.target);
  layout.weight_column = find(request.weight);
  layout.fold_column = find(request.fold_column);
  return layout;
}

bool is_draft_of(const Layout& draft, const Layout& layout) {
  const auto& features = layout.schema.features;
  return draft.n_rows == layout.n_rows && draft.column_of_feature == layout.column_of_feature &&
         std::all_of(features.begin(), features.end(), [](const model::Feature& feature) {
           return feature.kind == FeatureKind::kNumeric;
         });
}

bool settle_labels(const DraftSlice& draft, const Layout& layout) {
  if (layout.schema.task != Task::kClassification || draft.out->target == nullptr) {
    return true;
  }
  const ClassIndex classes(layout.schema.classes);
  std::vector<double> class_of_label;
  for (const auto& label : draft.labels) class_of_label.push_back(classes.find(label));
  if (std::count(class_of_label.begin(), class_of_label.end(), -1.0) > 0) return false;
  for (std::uint64_t row = draft.first_row; row < std::uint64_t{draft.first_row} + draft.n_rows;
       ++row) {
    double& target = draft.out->target[row];
    target = class_of_label[static_cast<std::size_t>(target)];
  }
  return true;
}

}  // namespace orchard::data
