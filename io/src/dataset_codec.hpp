// A Dataset as bytes, much faster and smaller than a file of its own. Private to io/: the bytes live in journals only.
#pragma once

#include <string>
#include <string_view>

#include "eos/core/dataset.hpp"

namespace eos::io {

/// Appends the bytes of `data`, attributes and groups included, to `out`.
void encode(const core::Dataset& data, std::string& out);
/// throws Error E203 when the bytes are not those of one Dataset.
core::Dataset decode(std::string_view bytes);

}  // namespace eos::io
