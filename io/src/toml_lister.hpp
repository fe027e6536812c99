// List every key with type, default, range and meaning, for the manual and for better error messages. Private to io/.
#pragma once

#include <map>

#include "toml_binder.hpp"

namespace eos::io {

class TomlLister : public Binder {
 public:
  explicit TomlLister(std::string table_path = {}) : path_(std::move(table_path)) {}
  /// Markdown: one heading and one table per TOML table.
  std::string markdown() const { return own_ + children_; }
  /// The table in which each key is at home; keys of several tables map to "".
  const std::map<std::string, std::string>& homes() const { return homes_; }
  /// Adds a row that the bind functions do not know.
  void row(const std::string& key, const std::string& type, const std::string& standard, const std::string& meaning,
           const std::string& unit = {});

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
  void note(const char* text) override { notes_ += std::string("\n") + text + "\n"; }

 private:
  /// Takes over the heading and rows of an inner table.
  void adopt(const TomlLister& inner, const Field& field);
  void field_row(const Field& field, const std::string& type, const std::string& standard);
  std::string path_, own_, notes_, children_;
  std::map<std::string, std::string> homes_;
};

}  // namespace eos::io
