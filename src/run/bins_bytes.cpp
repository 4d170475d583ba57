#include "bins_bytes.hpp"

#include "orchard/base/bytes.hpp"

namespace orchard::run {
namespace {

void put_bins(ByteWriter& writer, const std::vector<data::FeatureBins>& bins) {
  writer.put<std::uint64_t>(bins.size());
  for (const auto& feature : bins) {
    writer.put(feature.kind);
    writer.put<std::int32_t>(feature.n_bins);
    writer.put(feature.cuts);
    writer.put(feature.bin_min);
    writer.put(feature.bin_max);
    writer.put(feature.bin_of_level);
    writer.put(feature.level_of_bin);
  }
}

data::FeatureBins get_bins(ByteReader& reader) {
  data::FeatureBins feature;
  feature.kind = reader.get<model::FeatureKind>();
  feature.n_bins = reader.get<std::int32_t>();
  feature.cuts = reader.get_vector<float>();
  feature.bin_min = reader.get_vector<float>();
  feature.bin_max = reader.get_vector<float>();
  feature.bin_of_level = reader.get_vector<Bin>();
  feature.level_of_bin = reader.get_vector<std::uint32_t>();
  return feature;
}

}  // namespace

BinsOfNeeds gather_bins(comm::Communicator& ranks, const BinsOfNeeds& own) {
  Bytes bytes;
  ranks.together([&] {
    ByteWriter writer;
    for (const auto& of_need : own) put_bins(writer, of_need);
    bytes = writer.take();
  });
  const auto gathered = ranks.all_gather(bytes);
  BinsOfNeeds all(own.size());
  ranks.together([&] {
    std::vector<ByteReader> readers(gathered.begin(), gathered.end());
    for (auto& of_need : all) {
      for (auto& reader : readers) {
        for (auto n = reader.get<std::uint64_t>(); n > 0; --n) of_need.push_back(get_bins(reader));
      }
    }
  });
  return all;
}

}  // namespace orchard::run
