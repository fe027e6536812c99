// Write values as TOML that reads back equal. Private to io/.
#pragma once

#include "toml_binder.hpp"

namespace eos::io {

class TomlWriter : public Binder {
 public:
  explicit TomlWriter(std::string table_path = {}) : path_(std::move(table_path)) {}
  /// Keys of this table first, then its tables.
  std::string str() const { return own_ + children_; }

  using Binder::integer;
  using Binder::integers;
  void table(const Field& field, const Body& body) override;
  void text(const Field& field, std::string& value) override;
  void path(const Field& field, std::string& value) override { text(field, value); }
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
  void text_unless(const Field& field, std::string& value, const char* usual) override;
  void formula(const Field& field, Formula& value, const char* kind) override;
  void formula_or_table(const Field& field, Formula& value, const char* kind, const Body& body) override;
  void each(const Field& field, const std::vector<std::string>& names, bool parts, const Entry& entry) override;
  void table_list(const Field& field, const TableList& list) override;

 private:
  void line(const Field& field, const std::string& value, const char* unit);
  std::string path_, own_, children_;
  bool inline_ = false;  ///< own_ becomes "key = value, key = value"
};

/// A TOML basic string.
std::string toml_text(const std::string& text);
/// The shortest decimal that reads back as the same double (at most 17 digits), always with a point or exponent.
std::string toml_number(double x);

}  // namespace eos::io
