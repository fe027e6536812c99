#include "sweep_runs.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "eos/core/error.hpp"
#include "eos/core/hash.hpp"
#include "eos/io/toml.hpp"

namespace eos::cli {

SweepRuns::SweepRuns(io::SweepFile file)
    : file_(std::move(file)), points_(theory::expand(file_.sweep)), coordinates_(theory::coordinates(file_.sweep)) {}

theory::TrainingSpec SweepRuns::spec(std::int64_t point, std::uint64_t seed) const {
  return io::training_of(file_, points_.at(static_cast<std::size_t>(point)), seed);
}

std::string SweepRuns::hash() const {
  core::Sha256 hash;
  hash.update(file_.text);
  hash.update(file_.base_text);
  for (const std::string& set : file_.said) hash.update("\n--set " + set);
  return hash.hex();
}

std::vector<std::string> SweepRuns::axes() const {
  std::vector<std::string> names;
  for (const theory::SweepCoordinate& c : coordinates_) names.push_back(c.name);
  return names;
}

std::string SweepRuns::words(std::int64_t point) const {
  return theory::describe(points_.at(static_cast<std::size_t>(point)));
}

void SweepRuns::label(core::Dataset& table, const io::SweepRun& run, std::int64_t plan_index) const {
  const theory::SweepPoint& point = points_.at(static_cast<std::size_t>(run.point));
  std::string along = "run_id seed design_index";
  table.add("run_id", {}, std::vector<std::string>{run.id}, "1", "hash of configuration, seed and numerics version");
  table.add("design_index", {}, std::vector<std::int64_t>{run.point}, "1", "point of the design");
  table.add("plan_index", {}, std::vector<std::int64_t>{plan_index}, "1", "place among all runs of the sweep");
  for (const theory::SweepCoordinate& c : coordinates_) {
    const theory::SweepValue value = theory::value_at(c, point);
    const std::string meaning = fmt::format("{}", fmt::join(c.axis.keys, ", "));
    if (c.number)
      table.add(c.name, {}, std::vector<double>{value.number}, "1", meaning);
    else
      table.add(c.name, {}, std::vector<std::string>{value.text}, "1", meaning);
    along += " " + c.name;
  }
  std::string overrides;
  for (const std::string& one : io::overrides_of(point)) overrides += one + "\n";
  table.add("overrides", {}, std::vector<std::string>{overrides}, "1", "what the point sets");
  table.attributes["run_coordinates"] = along;
}

std::string run_id(const theory::TrainingSpec& spec) {
  theory::TrainingSpec bare = spec;
  bare.title.clear();
  bare.checkpoint_seconds = 0;
  return core::sha256_hex(io::to_toml(bare) + fmt::format("\nnumerics {}\n", sim::k_numerics_version)).substr(0, 16);
}

std::shared_ptr<const sim::TaskData> SweepData::get(const theory::DataSpec& spec) {
  constexpr std::size_t k_kept = 2;  // chunks follow each other by data set: the last one's runs may still be on
  theory::TrainingSpec only;
  only.data = spec;
  const std::string key = io::to_toml(only);
  const std::lock_guard<std::mutex> guard(lock_);
  if (std::shared_ptr<const sim::TaskData> loaded = sets_[key].lock()) return loaded;
  const auto fresh = std::make_shared<const sim::TaskData>(sim::load_data(spec));
  sets_[key] = fresh;
  recent_.push_back(fresh);
  if (recent_.size() > k_kept) recent_.pop_front();
  return fresh;
}

}  // namespace eos::cli
