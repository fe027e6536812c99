// The keys of a protocol. Private to io/.
#pragma once

#include "toml_lister.hpp"

namespace eos::io {

/// Lists the keys of [protocol], [[task]] and [[method]] for the manual.
void list_evidence(TomlLister& lister);

}  // namespace eos::io
