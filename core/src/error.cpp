#include "eos/core/error.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <numeric>

namespace eos::core {

namespace {

/// Damerau-Levenshtein distance (optimal string alignment), case-insensitive.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return std::tolower(static_cast<unsigned char>(c)); };
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i)
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t cost = lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1;
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + cost});
      const bool swapped = i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) && lower(a[i - 2]) == lower(b[j - 1]);
      if (swapped) d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  return d[a.size()][b.size()];
}

std::string describe(const std::vector<Diagnostic>& diagnostics) {
  std::string text;
  for (const Diagnostic& d : diagnostics) {
    if (!text.empty()) text += '\n';
    text += d.code.empty() ? d.message : fmt::format("[{}] {}", d.code, d.message);
    if (!d.file.empty()) text += fmt::format(" ({}:{}:{})", d.file, d.line, d.column);
    if (!d.help.empty()) text += fmt::format("; {}", d.help);
  }
  return text;
}

}  // namespace

Error::Error(std::string code, std::string message, std::string help)
    : Error(std::vector<Diagnostic>{Diagnostic{std::move(code), std::move(message), {}, 0, 0, {}, std::move(help)}}) {}

Error::Error(std::vector<Diagnostic> diagnostics) : diagnostics_(std::move(diagnostics)), text_(describe(diagnostics_)) {}

Fault Error::fault() const {
  const ErrorCode* row = diagnostics_.empty() ? nullptr : find_error_code(diagnostics_.front().code);
  return row == nullptr ? Fault::bug : row->fault;
}

std::vector<std::string> did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
  const std::size_t limit = std::max<std::size_t>(1, word.size() / 3);
  std::vector<std::pair<std::size_t, std::string>> close;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance <= limit) close.emplace_back(distance, candidate);
  }
  std::stable_sort(close.begin(), close.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> best;
  for (const auto& [distance, name] : close)
    if (best.size() < 3) best.push_back(name);
  return best;
}

std::string suggest(std::string_view word, const std::vector<std::string>& candidates) {
  const std::vector<std::string> close = did_you_mean(word, candidates);
  if (!close.empty()) return fmt::format("did you mean '{}'?", fmt::join(close, "' or '"));
  if (candidates.empty()) return {};
  return fmt::format("allowed here: {}", fmt::join(candidates, ", "));
}

const ErrorCode* find_error_code(std::string_view code) {
  for (const ErrorCode& row : error_codes())
    if (row.code == code) return &row;
  return nullptr;
}

}  // namespace eos::core
