#include "orchard/run/table_loader.hpp"

#include <algorithm>
#include <atomic>
#include <limits>
#include <memory>
#include <optional>

#include "matrix_loader.hpp"
#include "orchard/base/pulse.hpp"
#include "orchard/base/text.hpp"
#include "orchard/h5/input.hpp"
#include "table_memory.hpp"

namespace orchard::run {
namespace {

// A thread's share of the text is read in pieces: between them it may be stopped.
constexpr std::size_t kPieceBytes = std::size_t{4} << 20;
constexpr std::size_t kMaxPieces = 1024;

/// A rank's reading of a CSV file, in pieces that its threads share.
class CsvReader {
 public:
  CsvReader(comm::Communicator& node, const std::string& path, const data::ReadRequest& request,
            parallel::Pool& pool)
      : node_(node), request_(request), pool_(pool) {
    node_.together([&] {
      file_ = std::make_unique<data::MappedFile>(path);
      const auto rank = static_cast<std::size_t>(node_.rank());
      const auto own = data::cut_into_slices(file_->text(), node_.size())[rank];
      const std::size_t n_pieces =
          std::clamp<std::size_t>((own.end - own.begin) / kPieceBytes, 1, kMaxPieces);
      const auto text = file_->text().substr(own.begin, own.end - own.begin);
      slices_ = data::cut_into_slices(text, static_cast<int>(n_pieces));
      for (auto& slice : slices_) {
        slice.begin += own.begin;
        slice.end += own.begin;
      }
    });
  }

  LoadedTable read() {
    count_marks();
    LoadedTable out;
    std::optional<data::Layout> draft;
    node_.together([&] {
      if (n_draft_rows_ > 0) {
        draft = data::make_draft(*file_, request_, static_cast<RowIndex>(n_draft_rows_));
      }
    });
    data::TableBuffers buffers;
    if (draft) {
      const Placement placement(*draft);
      out.memory = node_.allocate_shared(placement.n_bytes());
      buffers = placement.buffers(out.memory.data);
      for (std::size_t i = 0; i < slices_.size(); ++i) {
        drafts_.push_back({&*draft, &buffers, first_row_[i], n_rows_[i], true, {}});
      }
    }
    survey();
    if (draft && !accept(*draft)) {
      node_.free_shared(out.memory);
      draft.reset();
    }
    if (!draft) {
      const Placement placement(layout_);
      out.memory = node_.allocate_shared(placement.n_bytes());
      buffers = placement.buffers(out.memory.data);
      node_.together([&] {
        for_pieces([&](std::size_t i) {
          data::read_slice(*file_, slices_[i], layout_, request_, first_row_[i], buffers);
        });
      });
    }
    node_.barrier();
    out.table = view(layout_, buffers);
    out.digest = shared_digest(node_, out.table, pool_);
    return out;
  }

 private:
  template <class Body>
  void for_pieces(Body&& body) {
    pool_.for_chunks(slices_.size(), 1, [&](std::size_t i, std::size_t, int) { body(i); });
  }

  /// Settles what is quoted where, and which rows each piece owns if nothing is quoted anywhere.
  void count_marks() {
    std::vector<data::Marks> marks(slices_.size());
    ByteWriter writer;
    node_.together([&] {
      for_pieces([&](std::size_t i) { marks[i] = data::count_marks(*file_, slices_[i]); });
      data::Marks sum;
      for (const auto& each : marks) add(sum, each);
      writer.put(sum);
    });
    const auto of_ranks = node_.all_gather(writer.take());
    data::Marks before, all;
    for (int rank = 0; rank < node_.size(); ++rank) {
      const auto one = ByteReader(of_ranks[static_cast<std::size_t>(rank)]).get<data::Marks>();
      if (rank < node_.rank()) add(before, one);
      add(all, one);
    }
    const bool is_plain = all.n_quotes == 0 && all.n_lone_returns == 0 &&
                          all.n_rows < std::int64_t{std::numeric_limits<RowIndex>::max()};
    if (is_plain) n_draft_rows_ = all.n_rows;
    for (std::size_t i = 0; i < slices_.size(); ++i) {
      slices_[i].starts_in_quotes = before.n_quotes % 2 != 0;
      first_row_.push_back(static_cast<RowIndex>(is_plain ? before.n_rows : 0));
      n_rows_.push_back(static_cast<RowIndex>(is_plain ? marks[i].n_rows : 0));
      add(before, marks[i]);
    }
  }

  static void add(data::Marks& sum, const data::Marks& more) {
    sum.n_quotes += more.n_quotes;
    sum.n_rows += more.n_rows;
    sum.n_lone_returns += more.n_lone_returns;
  }

  /// Surveys all pieces, concludes what the file holds and where each piece's rows begin.
  void survey() {
    data::Survey own;
    node_.together([&] {
      std::vector<data::Survey> surveys(slices_.size());
      for_pieces([&](std::size_t i) {
        surveys[i] = data::survey_slice(*file_, slices_[i], request_,
                                        drafts_.empty() ? nullptr : &drafts_[i]);
      });
      for (std::size_t i = 0; i < surveys.size(); ++i) {
        first_row_[i] = static_cast<RowIndex>(own.n_rows);
        own.merge(surveys[i]);
      }
    });
    const auto surveys = node_.all_gather(own.to_bytes());
    node_.together([&] {
      data::Survey whole;
      std::int64_t n_before = 0;
      for (int rank = 0; rank < node_.size(); ++rank) {
        const auto next = data::Survey::from_bytes(surveys[static_cast<std::size_t>(rank)]);
        if (rank < node_.rank()) n_before += next.n_rows;
        whole.merge(next);
      }
      for (auto& row : first_row_) row += static_cast<RowIndex>(n_before);
      layout_ = data::conclude(*file_, whole, request_);
    });
  }

  /// Whether the draft has become the table: on all ranks or on none.
  bool accept(const data::Layout& draft) {
    bool is_good = data::is_draft_of(draft, layout_);
    for (const auto& slice : drafts_) is_good = is_good && slice.is_good;
    if (node_.min(is_good ? 1 : 0) == 0) return false;
    std::atomic<bool> is_settled{true};
    node_.together([&] {
      for_pieces([&](std::size_t i) {
        if (!data::settle_labels(drafts_[i], layout_)) is_settled = false;
      });
    });
    return node_.min(is_settled ? 1 : 0) == 1;
  }

  comm::Communicator& node_;
  const data::ReadRequest& request_;
  parallel::Pool& pool_;
  std::unique_ptr<data::MappedFile> file_;
  std::vector<data::Slice> slices_;
  std::int64_t n_draft_rows_ = 0;             ///< 0: no draft
  std::vector<RowIndex> first_row_, n_rows_;  ///< of each piece
  std::vector<data::DraftSlice> drafts_;      ///< of each piece, or empty
  data::Layout layout_;
};

}  // namespace

LoadedTable load_table(comm::Communicator& world, comm::Communicator& node, const std::string& path,
                       const data::ReadRequest& request, parallel::Pool& pool, Features features) {
  // Threads read large parts of a file that may lie far away.
  const Doing doing("reads " + path, Beats::kNone);
  LoadedTable out;
  world.together([&] {
    out = h5::is_hdf5(path) ? load_matrix(node, path, request, pool, features)
                            : CsvReader(node, path, request, pool).read();
  });
  ByteWriter writer;
  writer.put(out.digest);
  const auto digests = world.all_gather(writer.take());
  world.together([&] {
    for (std::size_t rank = 0; rank < digests.size(); ++rank) {
      if (!(ByteReader(digests[rank]).get<Digest128>() == out.digest)) {
        throw Error(ErrorKind::kData,
                    format("rank {} read other data than rank {}: the file changed while it was "
                           "read, or the nodes see different files",
                           world.rank(), rank),
                    path);
      }
    }
  });
  return out;
}

}  // namespace orchard::run
