#pragma once
// model.h5: a fitted model. Holds no clock, host or path: equal models are equal bytes.

#include <string>

#include "orchard/model/ensemble.hpp"
#include "orchard/model/unit.hpp"

namespace orchard::store {

/// Writes the model under a temporary name and renames it. Throws kOutput.
void save_model(const std::string& path, const model::Ensemble& ensemble);
/// The same for a model whose trees are those of the units, in order; `head` has none.
void save_model(const std::string& path, const model::Ensemble& head,
                const std::vector<model::Unit>& units);
/// Throws kData naming path and fault: unreadable, damaged (digest), wrong kind of file, newer
/// format, or content that does not validate.
model::Ensemble load_model(const std::string& path);

}  // namespace orchard::store
