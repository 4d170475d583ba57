#pragma once

#include <string>

namespace orchard::store {

/// What a file of ours is and holds, for people: kind, format, size, digest (verified), then a
/// summary of the checkpoint, model or results. Several lines. Throws kData when the file is
/// damaged or none of ours, kResume for a checkpoint of a newer format.
std::string describe_file(const std::string& path);

}  // namespace orchard::store
