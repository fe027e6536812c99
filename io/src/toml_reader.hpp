// Read values from a TOML document and collect every problem with its place. Private to io/.
#pragma once

#include <map>

#include "toml_binder.hpp"
#include "toml_document.hpp"

namespace eos::io {

/// What the readers of one document share: its problems, and which tables each key belongs to (for better help).
class Reading {
 public:
  explicit Reading(const Document& document) : document_(document) {}
  const Document& document() const { return document_; }
  void report(const toml::source_region& place, std::string code, std::string message, std::string help = {}) {
    problems_.push_back(document_.diagnostic(place, std::move(code), std::move(message), std::move(help)));
  }
  /// A number for the place of a value, by which problems found later can point at it.
  int remember(const toml::source_region& place, const toml::node* node = nullptr) {
    places_.push_back({place, node});
    return static_cast<int>(places_.size()) - 1;
  }
  toml::source_region place(int remembered) const {
    return remembered < 0 ? toml::source_region{} : places_[static_cast<std::size_t>(remembered)].region;
  }
  /// Reports a problem at character `offset` of the text that was remembered.
  void report_in_text(int remembered, std::size_t offset, std::string code, std::string message, std::string help);
  /// Adopts the problems of an error and gives them a place: the key that the message starts with, or `fallback`.
  void adopt(const core::Error& error, const toml::source_region& fallback = {});
  /// `homes` makes the table in which each key is at home; it is called only when a key is unknown.
  void know_homes(std::map<std::string, std::string> (*homes)()) { homes_ = homes; }
  /// Table in which a key is at home, or "".
  std::string home_of(const std::string& key) const;
  /// Throws all problems, in order of their place.
  void finish();

 private:
  const Document& document_;
  std::vector<core::Diagnostic> problems_;
  std::map<std::string, std::string> (*homes_)() = nullptr;
  struct Place {
    toml::source_region region;
    const toml::node* node;
  };
  std::vector<Place> places_;
};

/// One table of the document; a table that is absent reads as empty. After the last key, finish() reports what is
/// unknown.
class TableReader : public Binder {
 public:
  TableReader(Reading& reading, const toml::table* table, std::string path);

  using Binder::integer;
  using Binder::integers;
  void table(const Field& field, const Body& body) override;
  void text(const Field& field, std::string& value) override;
  void path(const Field& field, std::string& value) override;
  void word(const Field& field, std::size_t& value, const std::vector<std::string>& words) override;
  void words(const Field& field, std::vector<std::size_t>& values, const std::vector<std::string>& words) override;
  void flag(const Field& field, bool& value) override;
  void number(const Field& field, double& value, const Range& range) override;
  void integer(const Field& field, std::int64_t& value, const Range& range) override;
  void numbers(const Field& field, std::vector<double>& values, const Range& range) override;
  void integers(const Field& field, std::vector<std::int64_t>& values, const Range& range) override;
  void power_list(const Field& field, std::vector<double>& values, std::int64_t count, const Range& range) override;
  bool capture(const Field& field, theory::CaptureCurve& curve) override;
  bool spectrum(const Field& field, theory::PowerSpectrum& spectrum) override;
  bool label_noise(const Field& field, theory::CaptureCurve& signal, theory::CaptureCurve& noise) override;
  void seeds(const Field& field, std::vector<std::uint64_t>& values) override;
  void formula(const Field& field, Formula& value, const char* kind) override;
  void formula_or_table(const Field& field, Formula& value, const char* kind, const Body& body) override;
  void each(const Field& field, const std::vector<std::string>& names, bool parts, const Entry& entry) override;
  void table_list(const Field& field, const TableList& list) override;

  /// The node of a key, which is known from now on; nullptr when absent.
  const toml::node* take(const std::string& key);
  const toml::table* raw() const { return table_; }
  Reading& reading() { return reading_; }
  /// Reports keys that nobody asked for.
  void finish();

 private:
  const toml::node* take(const Field& field);
  void each_of(const toml::table& table, const std::string& prefix, TableReader& inner, bool parts, const Entry& entry);
  void read_formula(const toml::node& node, const std::string& name, const char* kind, Formula& value);
  std::string full(const std::string& key) const { return path_.empty() ? key : path_ + "." + key; }
  /// Reads one of the words; reports and returns false otherwise.
  bool read_word(const toml::node& node, const std::string& name, const std::vector<std::string>& words,
                 std::size_t& value);
  void wrong_type(const toml::node& node, const std::string& name, const std::string& expected);
  /// Reads one finite number within the range; reports and returns false otherwise.
  bool read_number(const toml::node& node, const std::string& name, const Field& field, const Range& range,
                   double& value);
  bool read_integer(const toml::node& node, const std::string& name, const Field& field, const Range& range,
                    std::int64_t& value);

  Reading& reading_;
  const toml::table* table_;
  std::string path_;
  std::vector<std::string> known_;
};

/// "[0, 1]", "> 0", ">= 0", with the unit.
std::string describe(const Range& range, const std::string& unit);

}  // namespace eos::io
