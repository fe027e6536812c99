// Tell whether bytes are UTF-8, and make them so.
#pragma once

#include <string>
#include <string_view>

namespace eos::core {

/// Length in bytes of the well-formed UTF-8 sequence at the front of `text` (RFC 3629), 0 if there is none.
std::size_t utf8_sequence(std::string_view text);
bool is_valid_utf8(std::string_view text);
/// Every byte that belongs to no well-formed sequence becomes U+FFFD; the text ends at the first NUL.
std::string to_valid_utf8(std::string_view text);

}  // namespace eos::core
