#include "bins_bytes.hpp"

namespace orchard::run {

void put_bins(ByteWriter& writer, const std::vector<data::FeatureBins>& bins) {
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

}  // namespace orchard::run
