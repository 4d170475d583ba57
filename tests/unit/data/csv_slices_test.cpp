#include <gmock/gmock.h>

#include <algorithm>

#include "orchard/base/error.hpp"
#include "orchard/base/text.hpp"
#include "orchard/data/csv.hpp"
#include "orchard/random/stream.hpp"
#include "scratch_file.hpp"

namespace orchard::data {
namespace {

using testing::ScratchFile;

/// Reads as several readers would, with summaries as bytes; returns digest, or the error's text.
std::string read_in_slices(const std::string& path, const ReadRequest& request, int n_slices) {
  try {
    const MappedFile file(path);
    auto slices = cut_into_slices(file.text(), n_slices);
    std::int64_t n_quotes = 0;
    std::vector<RowIndex> first_row;
    Survey whole;
    for (Slice& slice : slices) {
      slice.starts_in_quotes = n_quotes % 2 != 0;
      n_quotes += count_marks(file, slice).n_quotes;
      first_row.push_back(static_cast<RowIndex>(whole.n_rows));
      whole.merge(Survey::from_bytes(survey_slice(file, slice, request).to_bytes()));
    }
    const Layout layout = conclude(file, whole, request);
    std::vector<std::vector<float>> columns(layout.schema.n_features(),
                                            std::vector<float>(layout.n_rows, -1e30f));
    std::vector<double> target(layout.n_rows, -1e30), weight(layout.n_rows, -1e30);
    TableBuffers out;
    out.target = target.data();
    if (layout.weight_column >= 0) out.weight = weight.data();
    for (auto& column : columns) out.columns.push_back(column.data());
    for (std::size_t i = slices.size(); i-- > 0;) {  // any order
      read_slice(file, slices[i], layout, request, first_row[i], out);
    }
    Table table{layout.schema, layout.n_rows, {}, target, {}, {}};
    if (out.weight != nullptr) table.weight = weight;
    for (const auto& column : columns) table.columns.push_back(column.data());
    return table_digest(table).hex();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kData) << error.what();
    return error.what();
  }
}

void expect_same_for_all_slices(const std::string& text, const ReadRequest& request) {
  const ScratchFile file(text);
  const std::string expected = read_in_slices(file.path(), request, 1);
  for (const int n_slices :
       {2, 3, 7, 50, static_cast<int>(std::min<std::size_t>(text.size() + 3, 500))}) {
    ASSERT_EQ(read_in_slices(file.path(), request, n_slices), expected)
        << n_slices << " slices of\n"
        << text;
  }
}

ReadRequest target_y() {
  ReadRequest request;
  request.target = "y";
  return request;
}

TEST(Slices, NastyFilesReadTheSame) {
  for (const char* line_end : {"\n", "\r\n", "\r"}) {
    for (const char* begin : {"", "\xef\xbb\xbf"}) {
      for (const bool has_final_end : {false, true}) {
        const std::string e = line_end;
        std::string text = std::string(begin) + "\"first,\"\"name\"\"" + e + "\",n,y" + e;
        for (int i = 0; i < 6; ++i) {
          text += "\"a" + e + e + "\"\"\"," + std::to_string(i) + ",0" + e;
          text += ",\"" + std::to_string(i) + ".5\",\"1\"" + e;
          text += "\"\"\"" + e + "\"\"" + e + "\",,\"0\"" + e;
          text += "\",,,\",\"\",1" + e;
        }
        if (!has_final_end) text.resize(text.size() - e.size());
        const ScratchFile file(text);
        ASSERT_EQ(read_in_slices(file.path(), target_y(), 1).size(), 32u)
            << read_in_slices(file.path(), target_y(), 1);
        expect_same_for_all_slices(text, target_y());
      }
    }
  }
}

/// Random files from a small alphabet: most are faulty, and all faults must be the same ones.
TEST(Slices, RandomFilesReadOrFailTheSame) {
  const random::Stream stream(testing::test_seed(), random::Purpose::kBootstrap, 1);
  std::uint64_t draw = 0;
  const std::vector<std::string> pieces = {"1",    "2.5", "x",    "\"", ",",        "\n",
                                           "\r\n", "\r",  "\"\"", "",   "\"a\nb\"", "0"};
  int n_read = 0;
  for (int i = 0; i < 400; ++i) {
    std::string text = "a,b,y\n";
    for (int row = 0; row < 5; ++row) {
      const bool is_wild = stream.below(8, draw++) == 0;
      for (int column = 0; column < 2; ++column) {
        text += is_wild ? pieces[stream.below(pieces.size(), draw++)]
                        : std::vector<std::string>{
                              "1", "\"q\n\"", "x,",
                              "\"\""}[stream.below(2 + 2 * static_cast<unsigned>(column), draw++)];
        if (column == 0 || text.back() != ',') text += ",";
      }
      text += std::to_string(row % 2) + "\n";
    }
    const ScratchFile file(text);
    if (read_in_slices(file.path(), target_y(), 1).size() == 32) ++n_read;
    expect_same_for_all_slices(text, target_y());
  }
  EXPECT_GT(n_read, 20);
  EXPECT_LT(n_read, 380);
}

TEST(Slices, FaultsNameTheSameLine) {
  std::string rows;
  for (int i = 0; i < 30; ++i) rows += "\"two\nlines\",1," + std::to_string(i % 2) + "\n";
  for (const std::string bad : {"u,1\n", "u,1,0,5\n", "u,1\",0\n", "\"u\"v,1,0\n", "u,1,\n",
                                "u,text,0\n", "\n", "\"u,1,0\n", "u,1e39,0\n"}) {
    const std::string text = "a,b,y\n" + rows + bad + rows;
    const ScratchFile file(text);
    EXPECT_THAT(read_in_slices(file.path(), target_y(), 1), ::testing::HasSubstr(".csv:62: "))
        << bad;
    expect_same_for_all_slices(text, target_y());
  }
}

TEST(Slices, MixedColumnAndManyLevels) {
  std::string text = "a,b,y\n";
  for (int i = 0; i < 3000; ++i) {
    text += format("{}{},,{}\n", i % 2 == 0 ? "" : "t", i, i % 3);
  }
  expect_same_for_all_slices(text, target_y());
}

TEST(Slices, TooManyLevelsHoweverTheyAreSpread) {
  std::string text = "a,y\n";
  for (int i = 0; i < 65535; ++i) text += format("t{},{}\n", i, i % 2);
  const ScratchFile just(text), more(text + "one,1\n");
  for (const int n_slices : {1, 3}) {
    EXPECT_EQ(read_in_slices(just.path(), target_y(), n_slices).size(), 32u);
    EXPECT_THAT(read_in_slices(more.path(), target_y(), n_slices),
                ::testing::HasSubstr("more than 65535 different texts"));
  }
}

TEST(Slices, AFileThatShrankIsNoticed) {
  const ScratchFile file("a,y\n1,0\n2,1\n3,1\n");
  const MappedFile mapped(file.path());
  const auto slice = cut_into_slices(mapped.text(), 1).front();
  Layout layout = conclude(mapped, survey_slice(mapped, slice, target_y()), target_y());
  std::vector<float> column(4);
  std::vector<double> target(4);
  TableBuffers out{{column.data()}, target.data(), nullptr, nullptr};
  for (const RowIndex n_rows : {2u, 4u}) {
    layout.n_rows = n_rows;
    EXPECT_THROW(read_slice(mapped, slice, layout, target_y(), 0, out), Error) << n_rows;
  }
}

TEST(Survey, BytesOfAFaultlessSurvey) {
  const ScratchFile file("a,y\nu,0\n,1\n");
  const MappedFile mapped(file.path());
  const auto slice = cut_into_slices(mapped.text(), 1).front();
  const auto survey = survey_slice(mapped, slice, target_y());
  const auto copy = Survey::from_bytes(survey.to_bytes());
  EXPECT_FALSE(copy.fault.has_value());
  EXPECT_EQ(copy.to_bytes(), survey.to_bytes());
  EXPECT_EQ(copy.columns[0].first_missing_row, 1);
  auto cut = survey.to_bytes();
  cut.pop_back();
  EXPECT_THROW(Survey::from_bytes(cut), Error);
}

}  // namespace
}  // namespace orchard::data
