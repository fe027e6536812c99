// Putting the values of a design point into a document, and taking them out again.
#include <fmt/format.h>

#include <string_view>

#include "toml_document.hpp"

namespace eos::io {

using core::Error;

void Document::assign(std::vector<Assignment> assignments) {
  assignments_ = std::move(assignments);
  former_.reserve(2 * assignments_.size());
  for (std::size_t i = 0; i < assignments_.size(); ++i) {
    const Assignment& one = assignments_[i];
    try {
      toml::table parsed = toml::parse(one.key + "=" + one.word, fmt::format("{}{}", k_assigned, i));
      assign_one(one.key, parsed);
    } catch (const toml::parse_error& error) {
      throw Error({diagnostic(error.source(), "E101", std::string(error.description()))});
    }
  }
}

// Follows the key into the document and into the parsed assignment at once, as far as both have tables.
void Document::assign_one(const std::string& key, toml::table& parsed) {
  toml::table *into = &root_, *from = &parsed;
  for (std::size_t start = 0;;) {
    const std::size_t end = std::min(key.find('.', start), key.size());
    const std::string part = key.substr(start, end - start);
    const auto old = into->find(part), fresh = from->find(part);
    if (end < key.size() && old != into->end()) {
      if (!old->second.is_table())
        throw Error({diagnostic(fresh->first.source(), "E103", fmt::format("{} is not a table", key.substr(0, end)))});
      into = old->second.as_table(), from = fresh->second.as_table(), start = end + 1;
      continue;
    }
    Former& former = former_.emplace_back(Former{into, part, std::nullopt, {}});
    toml::key place = fresh->first;
    if (old != into->end()) {
      former.place = place = old->first;
      old->second.visit([&](auto& value) { former.value.insert(part, std::move(value)); });
      into->erase(part);
    }
    fresh->second.visit([&](auto& value) { into->insert(place, std::move(value)); });
    return;
  }
}

void Document::restore() {
  while (!former_.empty()) {
    Former& former = former_.back();
    former.table->erase(former.key);
    if (former.place.has_value())
      former.value.get(former.key)->visit([&](auto& value) { former.table->insert(*former.place, std::move(value)); });
    former_.pop_back();
  }
  assignments_.clear();
}

const Assignment* Document::assignment_at(const toml::source_region& place) const {
  if (!place.path || !std::string_view(*place.path).starts_with(k_assigned)) return nullptr;
  const std::size_t index = std::stoul(place.path->substr(k_assigned.size()));
  return index < assignments_.size() ? &assignments_[index] : nullptr;
}

const theory::Schedule& Document::schedule_of(const std::string& path,
                                              const std::function<theory::Schedule(const std::string&)>& read) const {
  const auto known = schedules_.find(path);
  return known != schedules_.end() ? known->second : schedules_.emplace(path, read(path)).first->second;
}

}  // namespace eos::io
