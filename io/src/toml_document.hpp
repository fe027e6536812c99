// A parsed TOML text with the --set overrides merged in, where every value still knows its place. Private to io/.
#pragma once

#include <toml++/toml.h>

#include <optional>
#include <string>
#include <vector>

#include "eos/core/error.hpp"
#include "eos/io/toml.hpp"

namespace eos::io {

class Document {
 public:
  /// throws Error E101 (not TOML, nested too deeply), E100 (an override that is not KEY=VALUE), E103 (an override below
  /// something that is not a table).
  Document(const std::string& text, std::string name, const Overrides& overrides);

  /// Takes a top-level key away.
  void remove(const std::string& key) { root_.erase(key); }
  const toml::table& root() const { return root_; }
  const std::string& name() const { return name_; }
  /// Folder that relative paths of the file refer to; empty for the current one.
  std::string folder() const;

  /// A diagnostic that points at `place`. A region without position gives a diagnostic that names the file alone.
  core::Diagnostic diagnostic(const toml::source_region& place, std::string code, std::string message,
                              std::string help = {}) const;
  /// Where byte `offset` of a text value stands, or the end of the text; nothing when that cannot be told.
  std::optional<toml::source_position> place_in(const toml::value<std::string>& text, std::size_t offset) const;
  /// True when the value came from --set.
  static bool is_override(const toml::source_region& place);
  /// The node at a dotted path, whose keys may have an index, or nullptr: network.layers[2].width.
  const toml::node* find(const std::string& dotted) const;

 private:
  /// 1 for the first --set.
  static std::size_t override_number(const toml::source_region& place);
  void apply(const std::string& assignment, std::size_t index);

  std::string name_;
  std::vector<std::string> lines_;
  std::vector<std::string> overrides_;
  toml::table root_;
};

}  // namespace eos::io
