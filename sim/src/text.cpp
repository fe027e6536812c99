// Text as windows of tokens: bytes, or the characters that occur.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <string_view>

#include "data_files.hpp"
#include "eos/core/error.hpp"
#include "eos/core/utf8.hpp"
#include "gz_file.hpp"

namespace eos::sim {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t k_most_bytes = std::int64_t{1} << 32;
constexpr std::size_t k_most_tokens = 256;  // inputs are bytes

std::vector<std::string> texts_in(const fs::path& folder) {
  std::vector<std::string> found;
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    const auto ends = [&](std::string_view with) {
      return name.size() > with.size() && name.compare(name.size() - with.size(), with.size(), with) == 0;
    };
    if ((ends(".txt") || ends(".txt.gz")) && entry.is_regular_file(ignored)) found.push_back(entry.path().string());
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::string_view character_at(const std::string& path, std::string_view text, std::size_t at) {
  const std::size_t length = core::utf8_sequence(text.substr(at));
  if (length == 0)
    throw core::Error("E203", fmt::format("{}: byte {} does not belong to a UTF-8 character", path, at),
                      "use data.tokens = \"byte\"");
  return text.substr(at, length);
}

/// Replaces the bytes by numbers of characters, in the order of their code points, and lists these.
void number_characters(const std::string& path, std::vector<std::uint8_t>& text, std::vector<std::string>& vocabulary) {
  const std::string all(text.begin(), text.end());
  std::map<std::string, std::uint8_t, std::less<>> numbers;  // UTF-8 sorts by bytes as by code points
  for (std::size_t at = 0; at < all.size();) {
    const std::string_view character = character_at(path, all, at);
    at += character.size();
    if (numbers.find(character) == numbers.end()) numbers.emplace(character, 0);
    if (numbers.size() > k_most_tokens)
      throw core::Error("E107", fmt::format("{} holds more than {} different characters", path, k_most_tokens),
                        "use data.tokens = \"byte\"");
  }
  for (auto& [character, number] : numbers) {
    number = static_cast<std::uint8_t>(vocabulary.size());
    vocabulary.push_back(character);
  }
  std::size_t tokens = 0;
  for (std::size_t at = 0; at < all.size(); ++tokens) {
    const std::string_view character = character_at(path, all, at);
    text[tokens] = numbers.find(character)->second;
    at += character.size();
  }
  text.resize(tokens);
}

/// Windows from token `first` on; the label of the last token of each is the token behind it.
void cut(const std::vector<std::uint8_t>& text, std::int64_t first, int windows, int sequence, LabelledSet& set) {
  const std::int64_t size = std::int64_t{windows} * sequence;
  set.samples = windows;
  const auto from = text.begin() + static_cast<std::ptrdiff_t>(first);
  set.inputs.assign(from, from + static_cast<std::ptrdiff_t>(size));
  if (windows > 0) set.labels.assign(from + 1, from + 1 + static_cast<std::ptrdiff_t>(size));
}

/// Tokens of a split: its windows and the label of the last token, so that no token belongs to two splits.
std::int64_t tokens_of(int windows, int sequence) { return windows == 0 ? 0 : std::int64_t{windows} * sequence + 1; }

void check_length(const theory::DataSpec& spec, const std::string& path, std::int64_t tokens) {
  std::int64_t asked = 0, windows = 0, splits = 0;
  for (int samples : {spec.train_samples, spec.validation_samples, spec.test_samples}) {
    asked += tokens_of(samples, spec.sequence);
    windows += samples;
    splits += samples > 0 ? 1 : 0;
  }
  if (asked <= tokens) return;
  const std::int64_t most = std::max<std::int64_t>(0, (tokens - splits) / spec.sequence);
  throw core::Error("E104",
                    fmt::format("{} holds {} tokens, but data.train_samples + validation_samples + test_samples = {} "
                                "windows of {} tokens (and the token behind each split) need {}",
                                path, tokens, windows, spec.sequence, asked),
                    most > 0 ? fmt::format("use at most {} samples in all, or a shorter sequence", most)
                             : "use a longer text or a shorter sequence");
}

}  // namespace

std::string find_text(const std::vector<std::string>& search) {
  std::error_code ignored;
  for (const std::string& place : search) {
    if (fs::is_regular_file(place, ignored)) return place;
    for (const fs::path& folder : {fs::path(place) / "text", fs::path(place)}) {
      const std::vector<std::string> found = texts_in(folder);
      if (found.size() > 1)
        throw core::Error("E107",
                          fmt::format("{} holds {} texts: {}, {}{}", folder.string(), found.size(), found[0], found[1],
                                      found.size() > 2 ? ", ..." : ""),
                          "name one with data.path");
      if (found.size() == 1) return found[0];
    }
  }
  return {};
}

void load_text(const theory::DataSpec& spec, const std::string& path, TaskData& task) {
  std::vector<std::uint8_t> text = read_whole(path, k_most_bytes, "use a plain or gzip-compressed text");
  task.classes = k_most_tokens;
  if (spec.tokens == theory::TextTokens::character) {
    number_characters(path, text, task.vocabulary);
    task.classes = static_cast<int>(task.vocabulary.size());
    if (task.classes < 2)
      throw core::Error("E203", fmt::format("{} holds fewer than two different characters", path), "use another text");
  }
  const auto tokens = static_cast<std::int64_t>(text.size());
  check_length(spec, path, tokens);
  task.tokens = true;
  task.inputs = task.height = task.labels_per_sample = spec.sequence;
  task.channels = 1;
  const std::int64_t test = tokens - tokens_of(spec.test_samples, spec.sequence);
  const std::int64_t validation = test - tokens_of(spec.validation_samples, spec.sequence);
  cut(text, 0, spec.train_samples, spec.sequence, task.train);
  cut(text, validation, spec.validation_samples, spec.sequence, task.validation);
  cut(text, test, spec.test_samples, spec.sequence, task.test);
}

}  // namespace eos::sim
