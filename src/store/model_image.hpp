#pragma once
// A model as the content of an HDF5 file and back. Private to this module.

#include <string>

#include "orchard/h5/builder.hpp"
#include "orchard/model/ensemble.hpp"
#include "tree_arrays.hpp"

namespace orchard::store {

inline constexpr std::uint32_t kModelFormat = 1;

void write_model(h5::Builder& builder, const model::Ensemble& ensemble);
/// The same with these trees, which `head` does not have.
void write_model(h5::Builder& builder, const model::Ensemble& head, const TreeList& trees);
/// From a verified file. Throws kData naming `name` unless the content validates.
model::Ensemble read_model(ByteSpan file, const std::string& name);

}  // namespace orchard::store
