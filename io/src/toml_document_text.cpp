// Finding the place of a character of a text value: the raw text is decoded again, with the position of each byte.
#include <algorithm>
#include <string_view>

#include "toml_document.hpp"

namespace eos::io {

namespace {

/// Reads lines as one text, with '\n' between them.
class Cursor {
 public:
  Cursor(const std::vector<std::string>& lines, std::size_t line, std::size_t column) : lines_(lines), line_(line) {
    for (std::size_t c = 1; c < column && byte_ < text().size(); ++c) step();
  }
  bool at_end() const { return line_ >= lines_.size(); }
  char peek() const { return at_end() ? '\0' : byte_ < text().size() ? text()[byte_] : '\n'; }
  bool starts_with(std::string_view what) const {
    return !at_end() && std::string_view(text()).substr(std::min(byte_, text().size())).starts_with(what);
  }
  char next() {
    const char c = peek();
    if (at_end()) return c;
    if (byte_ >= text().size())
      ++line_, byte_ = 0;
    else
      ++byte_;
    return c;
  }
  void skip(std::size_t bytes) {
    for (std::size_t i = 0; i < bytes; ++i) next();
  }
  toml::source_position position() const {
    const auto is_start = [](char c) { return (static_cast<unsigned char>(c) & 0xC0u) != 0x80u; };
    const std::string_view before =
        at_end() ? std::string_view() : std::string_view(text()).substr(0, std::min(byte_, text().size()));
    return {static_cast<toml::source_index>(line_ + 1),
            static_cast<toml::source_index>(std::count_if(before.begin(), before.end(), is_start) + 1)};
  }

 private:
  const std::string& text() const { return lines_[line_]; }
  void step() {
    ++byte_;
    while (byte_ < text().size() && (static_cast<unsigned char>(text()[byte_]) & 0xC0u) == 0x80u) ++byte_;
  }
  const std::vector<std::string>& lines_;
  std::size_t line_, byte_ = 0;
};

std::size_t utf8_length(unsigned long code) { return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4; }

/// Skips the escape after a backslash; returns how many bytes of the value it makes.
std::size_t skip_escape(Cursor& at, bool multi) {
  const char kind = at.next();
  if (kind == 'u' || kind == 'U') {
    std::string digits;
    for (int i = 0; i < (kind == 'u' ? 4 : 8); ++i) digits += at.next();
    return utf8_length(std::strtoul(digits.c_str(), nullptr, 16));
  }
  if (!multi || (kind != '\n' && kind != ' ' && kind != '\t')) return 1;
  while (!at.at_end() && (at.peek() == '\n' || at.peek() == ' ' || at.peek() == '\t')) at.next();
  return 0;
}

/// The position of every byte of `value`, whose raw text starts at the cursor; its end last. Empty when it differs.
std::vector<toml::source_position> positions_of(Cursor at, std::string_view value) {
  std::vector<toml::source_position> places;
  const char quote = at.peek();
  const bool bare = quote != '"' && quote != '\'';
  const std::string_view triple = quote == '"' ? "\"\"\"" : "'''";
  const bool multi = !bare && at.starts_with(triple);
  at.skip(bare ? 0 : multi ? 3 : 1);
  while (bare && (at.peek() == ' ' || at.peek() == '\t')) at.next();
  if (multi && at.peek() == '\n') at.next();
  while (places.size() < value.size() && !at.at_end()) {
    const toml::source_position here = at.position();
    const char raw = at.next();
    if (quote == '"' && raw == '\\') {
      places.insert(places.end(), skip_escape(at, multi), here);
      continue;
    }
    if (raw == '\n' && value[places.size()] == '\r') places.push_back(here);  // the lines have lost their returns
    if (places.size() >= value.size() || value[places.size()] != raw) return {};
    places.push_back(here);
  }
  if (places.size() != value.size()) return {};
  places.push_back(at.position());
  return places;
}

}  // namespace

std::optional<toml::source_position> Document::place_in(const toml::value<std::string>& text,
                                                        std::size_t offset) const {
  const toml::source_region& region = text.source();
  if (!region.begin || assignment_at(region) != nullptr) return std::nullopt;
  const bool in_override = is_override(region);
  const std::size_t line = in_override ? override_number(region) - 1 : region.begin.line - 1;
  const std::vector<std::string>& lines = in_override ? overrides_ : lines_;
  if (line >= lines.size()) return std::nullopt;
  const auto places = positions_of(Cursor(lines, line, region.begin.column), text.get());
  if (offset >= places.size()) return std::nullopt;
  toml::source_position found = places[offset];
  if (in_override) found.line = region.begin.line;
  return found;
}

}  // namespace eos::io
