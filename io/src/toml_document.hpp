// A parsed TOML text with the --set overrides merged in, where every value still knows its place. The values of a
// design point can be put in and taken out again, so that the runs of a sweep need no parsing of their own. Private to
// io/.
#pragma once

#include <toml++/toml.h>

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "eos/core/error.hpp"
#include "eos/io/toml.hpp"

namespace eos::io {

inline constexpr std::string_view k_assigned = "value ";  ///< source path of values of assign(): "value 0", ...

/// A value that a sweep gives to a key, and where its file says so.
struct Assignment {
  std::string key, word;                    ///< `word` is TOML
  core::Diagnostic key_place, value_place;  ///< file, line, column and source line of a problem
};

class Document {
 public:
  /// throws Error E101 (not TOML, nested too deeply), E100 (an override that is not KEY=VALUE), E103 (an override below
  /// something that is not a table).
  Document(const std::string& text, std::string name, const Overrides& overrides);

  /// Takes a top-level key away.
  void remove(const std::string& key) { root_.erase(key); }
  const toml::table& root() const { return root_; }
  const std::string& name() const { return name_; }
  /// Folder that a relative path given at `place` refers to; empty for the current one.
  std::string folder_of(const toml::source_region& place) const;

  /// Puts values in until restore(). throws Error E101 (a word that is not TOML), E103 (a key below something that is
  /// not a table); restore() must be called then, too.
  void assign(std::vector<Assignment> assignments);
  void restore();
  /// The schedule of a file, which is read once.
  const theory::Schedule& schedule_of(const std::string& path,
                                      const std::function<theory::Schedule(const std::string&)>& read) const;

  /// A diagnostic that points at `place`. A region without position gives a diagnostic that names the file alone.
  core::Diagnostic diagnostic(const toml::source_region& place, std::string code, std::string message,
                              std::string help = {}) const;
  /// Where byte `offset` of a text value stands, or the end of the text; nothing when that cannot be told.
  std::optional<toml::source_position> place_in(const toml::value<std::string>& text, std::size_t offset) const;
  /// True when the value came from --set.
  static bool is_override(const toml::source_region& place);
  /// True when it came from --set or from assign().
  static bool is_added(const toml::source_region& place);
  /// The node at a dotted path, whose keys may have an index, or nullptr: network.layers[2].width.
  const toml::node* find(const std::string& dotted) const;

 private:
  /// 1 for the first --set.
  static std::size_t override_number(const toml::source_region& place);
  void apply(const std::string& assignment, std::size_t index);
  const Assignment* assignment_at(const toml::source_region& place) const;
  void assign_one(const std::string& key, toml::table& parsed);

  /// What a table had for a key before assign().
  struct Former {
    toml::table* table;
    std::string key;
    std::optional<toml::key> place;  ///< nothing: the key was absent
    toml::table value;
  };

  std::string name_;
  std::vector<std::string> lines_;
  std::vector<std::string> overrides_;
  std::vector<Assignment> assignments_;
  std::vector<Former> former_;
  mutable std::map<std::string, theory::Schedule> schedules_;
  toml::table root_;
};

}  // namespace eos::io
