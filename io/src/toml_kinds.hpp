// Kinds of files, and what a parsed one states. Private to io/.
#pragma once

#include <optional>

#include "eos/io/toml.hpp"
#include "toml_document.hpp"

namespace eos::io {

inline constexpr std::size_t k_longest_file = std::size_t{4} << 20;

/// Nothing when the document has none of the known tables.
std::optional<FileKind> kind_of(const Document& document);
/// "a training run ([train], [data], ...)"
const char* describe(FileKind kind);
/// throws Error E108 when the document states another kind of thing.
void require_kind(const Document& document, FileKind wanted);

/// As parse_training() of eos/io/toml.hpp; the kind of the document is known to fit.
theory::TrainingSpec training_in(const Document& document);

}  // namespace eos::io
