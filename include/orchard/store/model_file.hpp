#pragma once
// model.h5: a fitted model. Holds no clock, host or path: equal models are equal bytes.

#include <string>

#include "orchard/model/ensemble.hpp"

namespace orchard::store {

/// Writes the model under a temporary name and renames it. Throws kOutput.
void save_model(const std::string& path, const model::Ensemble& ensemble);
/// Throws kData naming path and fault: unreadable, damaged (digest), wrong kind of file, newer
/// format, or content that does not validate.
model::Ensemble load_model(const std::string& path);

}  // namespace orchard::store
