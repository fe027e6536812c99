// The keys of [sweep]. Private to io/.
#pragma once

#include "eos/theory/sweep_spec.hpp"
#include "toml_lister.hpp"
#include "toml_reader.hpp"

namespace eos::io {

/// Reads [sweep] of a document into `spec`, and its `base`; returns the place of `base`, or nullptr.
const toml::node* bind_sweep(TableReader& top, theory::SweepSpec& spec, std::string& base);
/// Lists the same keys for the manual.
void list_sweep(TomlLister& lister);
/// Keys and what stands for them in tables that may be nested, in the order of the file: [a] b = 1 and "a.b" = 1 are
/// the same.
using Flat = std::vector<std::pair<std::string, const toml::node*>>;
Flat flat_of(const toml::table& table);
/// A node as TOML that reads back equal, on one line.
std::string word_of(const toml::node& node);

}  // namespace eos::io
