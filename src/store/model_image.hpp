#pragma once
// A model as an HDF5 image and back. Private to this module.

#include <string>

#include "orchard/h5/image.hpp"
#include "orchard/model/ensemble.hpp"

namespace orchard::store {

inline constexpr std::uint32_t kModelFormat = 1;

/// The image, not yet sealed.
h5::Image build_model(const model::Ensemble& ensemble);
/// From a verified file. Throws kData naming `name` unless the content validates.
model::Ensemble read_model(ByteSpan file, const std::string& name);

}  // namespace orchard::store
