#include "sweep_base.hpp"

namespace eos::io {

SweepBase::SweepBase(std::string text, std::string name, Overrides overrides, bool own)
    : text_(std::move(text)), name_(std::move(name)), overrides_(std::move(overrides)), own_(own) {}

void SweepBase::know_place(const std::string& key, const std::string& word, core::Diagnostic place) {
  places_.try_emplace({key, word}, std::move(place));
}

std::unique_ptr<Document> SweepBase::take() const {
  {
    const std::lock_guard lock(mutex_);
    if (!free_.empty()) {
      std::unique_ptr<Document> document = std::move(free_.back());
      free_.pop_back();
      return document;
    }
  }
  auto document = std::make_unique<Document>(text_, name_, overrides_);
  if (own_) document->remove("sweep");
  return document;
}

void SweepBase::put_back(std::unique_ptr<Document> document) const {
  document->restore();
  const std::lock_guard lock(mutex_);
  free_.push_back(std::move(document));
}

std::vector<Assignment> SweepBase::assignments_of(const theory::SweepPoint& point) const {
  std::vector<Assignment> assignments;
  for (const auto& [key, word] : point.set) {
    Assignment& one = assignments.emplace_back(Assignment{key, word, {}, {}});
    one.key_place.file = one.value_place.file = name_;
    if (const auto found = places_.find({key, ""}); found != places_.end())
      one.key_place = one.value_place = found->second;
    if (const auto found = places_.find({key, word}); found != places_.end()) one.value_place = found->second;
  }
  return assignments;
}

}  // namespace eos::io
