#include "eos/io/merge.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <filesystem>

#include "eos/core/content_hash.hpp"
#include "eos/core/error.hpp"
#include "eos/io/atomic_file.hpp"
#include "merge_input.hpp"
#include "merge_output.hpp"

namespace eos::io {

namespace fs = std::filesystem;

using core::Array;
using core::Error;
using sweep::Column;
using sweep::Member;
using sweep::MergeInput;
using sweep::MergeOutput;
using sweep::Place;
using sweep::Target;
using Clock = std::chrono::steady_clock;

namespace {

constexpr std::size_t k_piece_bytes = std::size_t{4} << 20;
constexpr std::size_t k_kept_headers = 256;
constexpr auto k_sync_every = std::chrono::milliseconds(500);
constexpr const char* k_task = "merge";

/// How far a merge has come, in a file beside the result. One short write at a time: never half of one.
class Position {
 public:
  enum class Phase : char { nothing = '-', numbers = 'n', sealing = 's' };

  explicit Position(const std::string& path) : path_(path), file_(lock_file(path)) {
    if (!file_.ok())
      throw Error("E503", fmt::format("another process is merging into the file of '{}'", path),
                  "wait until it has finished, or give another name with -o");
  }
  /// The next input, when a merge of the same inputs got as far as copying numbers.
  std::optional<std::size_t> resume(const std::string& inputs) const {
    std::array<char, k_bytes + 1> text{};
    if (::pread(file_.get(), text.data(), k_bytes, 0) != static_cast<ssize_t>(k_bytes)) return std::nullopt;
    std::array<char, 65> hash{};
    char phase = 0;
    unsigned long long next = 0;
    if (std::sscanf(text.data(), "eos-merge-1 %64s %c %llu", hash.data(), &phase, &next) != 3) return std::nullopt;
    if (inputs != hash.data() || phase != static_cast<char>(Phase::numbers)) return std::nullopt;
    return static_cast<std::size_t>(next);
  }
  void record(const std::string& inputs, Phase phase, std::size_t next) {
    std::string text = fmt::format("eos-merge-1 {} {} {}", inputs, static_cast<char>(phase), next);
    text.resize(k_bytes - 1, ' ');
    if (const int error = write_all_at(file_.get(), text + "\n", 0); error != 0) fail_to_write(path_, error);
    if (::fdatasync(file_.get()) != 0) fail_to_write(path_, errno);
  }
  void remove() { ::unlink(path_.c_str()); }

 private:
  static constexpr std::size_t k_bytes = 128;
  std::string path_;
  Descriptor file_;
};

class Merge {
 public:
  Merge(const std::vector<std::string>& inputs, const std::string& out, const MergeOptions& options,
        core::Progress& progress)
      : paths_(inputs), out_(out), options_(options), progress_(progress) {}

  MergeResult run() {
    const h5::Session session;
    if (fs::is_directory(out_)) fail_to_write(out_, EISDIR);
    survey();
    const fs::path target(out_);
    const std::string working = (target.parent_path() / fmt::format(".{}.merging", target.filename().string())).string();
    Position position(working + "-position");
    try {
      fill(working, position);
    } catch (...) {
      ::unlink(working.c_str());
      position.remove();
      throw;
    }
    return result_;
  }

 private:
  /// Headers of all inputs: the layout of the result and the place of every run.
  void survey() {
    core::Sha256 inputs;
    inputs.update(fmt::format("{} {}\n", options_.partial, options_.planned_runs.value_or(-1)));
    std::vector<std::vector<std::int64_t>> order;
    for (std::size_t i = 0; i < paths_.size(); ++i) {
      kept_.push_back(nullptr);
      MergeInput& input = this->input(i);
      sweep::absorb(layout_, sweep::layout_of_table(input.header()));
      inputs.update(input.fingerprint() + "\n");
      text_bytes_ += input.text_bytes();
      same_sweep(input, paths_[i]);
      order.push_back(input.plan_index());
      if (order.back().empty() != order.front().empty())
        throw Error("E107", fmt::format("of '{}' and '{}' only one says where its runs belong (plan_index)",
                                        paths_.front(), paths_[i]));
      sizes_.push_back(static_cast<std::size_t>(input.runs()));
      release(i);
    }
    inputs_ = inputs.hex();
    put_in_order(order);
    count_missing();
  }

  void same_sweep(const MergeInput& input, const std::string& path) {
    const std::string sweep = input.header().text("sweep_sha256");
    if (sweep_.empty()) sweep_ = sweep;
    if (!sweep.empty() && sweep != sweep_)
      throw Error("E107", fmt::format("'{}' and '{}' belong to different sweeps", paths_.front(), path),
                  "merge the files of one sweep at a time");
    if (const auto found = input.header().attributes.find("planned_runs"); found != input.header().attributes.end())
      if (const auto* n = std::get_if<std::int64_t>(&found->second)) planned_ = std::max(planned_, *n);
  }

  void put_in_order(const std::vector<std::vector<std::int64_t>>& order) {
    struct Run {
      std::int64_t index;
      std::size_t input, row;
    };
    std::vector<Run> runs;
    for (std::size_t i = 0; i < sizes_.size(); ++i) {
      places_.emplace_back(sizes_[i]);
      for (std::size_t row = 0; row < sizes_[i]; ++row)
        runs.push_back({order[i].empty() ? static_cast<std::int64_t>(runs.size()) : order[i][row], i, row});
    }
    std::stable_sort(runs.begin(), runs.end(), [](const Run& a, const Run& b) { return a.index < b.index; });
    std::int64_t row = -1;
    for (std::size_t k = 0; k < runs.size(); ++k) {
      const bool again = k > 0 && runs[k].index == runs[k - 1].index;
      row += again ? 0 : 1;
      places_[runs[k].input][runs[k].row] = {row, again};
      result_.duplicates += again ? 1 : 0;
    }
    result_.runs = layout_.runs = row + 1;
    last_ = runs.empty() ? -1 : runs.back().index;
  }

  void count_missing() {
    const std::int64_t planned = std::max(options_.planned_runs.value_or(planned_), last_ + 1);
    result_.planned = planned;
    const std::int64_t missing = planned - result_.runs;
    if (missing > 0 && !options_.partial)
      throw Error("E505", fmt::format("{} of {} runs are missing", missing, planned),
                  "finish them with 'eos sweep' on the folder of the sweep, or merge what is there with --partial");
    layout_.attributes["planned_runs"] = {core::Attribute(planned), false};
    if (missing > 0) layout_.attributes["status"] = {core::Attribute(std::string("partial")), false};
    if (!options_.history.empty()) layout_.attributes["history"] = {core::Attribute(options_.history), false};
  }

  void fill(const std::string& working, Position& position) {
    const sweep::Columns columns = sweep::columns_of(layout_);
    MergeOutput output(working, columns);
    std::size_t next = 0;
    if (const auto resumed = position.resume(inputs_); resumed && fs::exists(working)) {
      next = *resumed;
      result_.resumed = true;
    } else {
      position.record(inputs_, Position::Phase::nothing, 0);
      output.lay_out(text_bytes_);
      output.open(true);
      for (std::size_t i = 0; i < paths_.size(); ++i) copy(i, output, true);
      output.open(false);
      output.sync();
      position.record(inputs_, Position::Phase::numbers, 0);
    }
    if (result_.resumed) output.open(false);
    if (!copy_numbers(next, output, position)) return;
    result_.content_sha256 = output.content_sha256();
    position.record(inputs_, Position::Phase::sealing, 0);
    output.seal(result_.content_sha256);
    result_.bytes = output.bytes();
    publish_file(working, out_);
    position.remove();
  }

  /// False when it was asked to stop.
  bool copy_numbers(std::size_t next, MergeOutput& output, Position& position) {
    progress_.begin(k_task, static_cast<double>(paths_.size()), "files");
    Clock::time_point synced = Clock::now();
    for (std::size_t i = next; i < paths_.size(); ++i) {
      copy(i, output, false);
      progress_.update(k_task, static_cast<double>(i + 1));
      const bool stop = progress_.stop_requested() && i + 1 < paths_.size();
      if (!stop && i + 1 < paths_.size() && Clock::now() - synced < k_sync_every) continue;
      output.sync();
      position.record(inputs_, Position::Phase::numbers, i + 1);
      synced = Clock::now();
      if (stop) return result_.stopped = true, false;
    }
    progress_.end(k_task);
    return true;
  }

  MergeInput& input(std::size_t i) {
    if (!kept_[i]) kept_[i] = std::make_unique<MergeInput>(paths_[i]);
    return *kept_[i];
  }
  void release(std::size_t i) {
    kept_[i]->close();
    if (i >= k_kept_headers) kept_[i].reset();
  }

  void copy(std::size_t i, MergeOutput& output, bool texts) {
    MergeInput& from = input(i);
    core::ContentHash hash;
    copy_group(i, from, "", from.header(), output, texts, texts ? nullptr : &hash);
    if (!texts) verify(i, from, hash.hex());
    for (const Target& target : output.targets())
      if (target.is_text() == texts && target.column.role != Column::Role::index) derive(i, from, target, output);
    release(i);
  }

  void verify(std::size_t i, const MergeInput& from, const std::string& computed) const {
    const std::string stored = from.header().text("content_sha256");
    if (stored == computed) return;
    throw Error("E211",
                fmt::format("the numbers in '{}' are not those that were written: stored hash {}, computed {}",
                            paths_[i], stored.empty() ? "none" : stored, computed),
                "if it is a chunk of a sweep, remove it and run 'eos sweep' on its folder again: only its runs are "
                "repeated; if it was copied, copy it again");
  }

  /// Variables that the input has, each read once: hashed and put to its place.
  void copy_group(std::size_t i, MergeInput& from, const std::string& path, const core::Dataset& group,
                  MergeOutput& output, bool texts, core::ContentHash* hash) {
    if (hash != nullptr) hash->group(path);
    for (const Member& member : from.members()) {
      if (member.group != path) continue;
      const bool is_text = std::holds_alternative<std::vector<std::string>>(member.head.values);
      const Target* target = member.over_runs() ? output.find(path, member.head.name) : nullptr;
      if (target != nullptr && (target->column.role == Column::Role::index || is_text != texts)) target = nullptr;
      if (hash != nullptr) {
        std::vector<std::pair<std::string, std::int64_t>> dims;
        for (std::size_t d = 0; d < member.head.dims.size(); ++d)
          dims.emplace_back(member.head.dims[d], member.lengths[d]);
        hash->variable(member.head.name, member.head.values, dims);
      }
      if (target != nullptr || hash != nullptr) copy_member(i, from, member, target, output, hash);
    }
    for (const auto& [name, child] : group.groups)
      copy_group(i, from, path + "/" + name, child, output, texts, name == "provenance" ? nullptr : hash);
  }

  void copy_member(std::size_t i, MergeInput& from, const Member& member, const Target* target, MergeOutput& output,
                   core::ContentHash* hash) {
    const std::size_t rows = member.over_runs() ? sizes_[i] : 1;
    const std::size_t row_bytes =
        member.row_elements() * std::visit([](const auto& v) { return sizeof(v[0]); }, member.head.values);
    const std::size_t step = std::max<std::size_t>(1, k_piece_bytes / std::max<std::size_t>(1, row_bytes));
    for (std::size_t at = 0; at < rows; at += step) {
      const std::size_t n = std::min(step, rows - at);
      const Array values = from.rows(member, at, n);
      if (hash != nullptr) hash->values(values);
      if (target == nullptr) continue;
      const std::vector<std::int64_t> own(member.lengths.begin() + 1, member.lengths.end());
      store(i, at, n, *target, own == target->lengths ? values : laid_out(values, own, *target, n), output);
    }
  }

  /// Rows of other lengths in the middle of missing values.
  static Array laid_out(const Array& values, const std::vector<std::int64_t>& own, const Target& target,
                        std::size_t rows) {
    return std::visit(
        [&](const auto& v) -> Array {
          using T = typename std::decay_t<decltype(v)>::value_type;
          std::vector<T> out(rows * target.row_elements, sweep::missing<T>(target.column.role));
          const std::size_t own_elements = rows == 0 ? 0 : v.size() / rows;
          for (std::size_t row = 0; row < rows; ++row)
            sweep::place(v.data() + row * own_elements, own, target.lengths, out.data() + row * target.row_elements);
          return out;
        },
        values);
  }

  void store(std::size_t i, std::size_t at, std::size_t rows, const Target& target, const Array& values,
             MergeOutput& output) {
    if (output.store(target, values, places_[i].data() + at, rows)) return;
    throw Error("E107",
                fmt::format("'{}' has a run that another input has too, but '{}' of it is different", paths_[i],
                            target.column.head.name),
                "results of one sweep file are the same wherever they were computed: find out which file is wrong "
                "('eos diff'), and merge without it");
  }

  /// A column that the input does not have as a variable: what its attributes, coordinates and variables say about it.
  void derive(std::size_t i, MergeInput& from, const Target& target, MergeOutput& output) {
    const core::Dataset& group = from.group(target.group);
    if (group.has(target.column.head.name) && !is_dimension(group, target.column.head.name)) return;
    const std::size_t row_bytes =
        target.row_elements * std::visit([](const auto& v) { return sizeof(v[0]); }, target.column.head.values);
    const std::size_t step = std::max<std::size_t>(1, k_piece_bytes / std::max<std::size_t>(1, row_bytes));
    for (std::size_t at = 0; at < sizes_[i]; at += step) {
      const std::size_t n = std::min(step, sizes_[i] - at);
      const Array values = std::visit(
          [&](const auto& like) -> Array {
            using T = typename std::decay_t<decltype(like)>::value_type;
            std::vector<T> out(n * target.row_elements, sweep::missing<T>(target.column.role));
            derive_rows(group, target, at, n, out);
            return out;
          },
          target.column.head.values);
      store(i, at, n, target, values, output);
    }
  }

  static bool is_dimension(const core::Dataset& group, const std::string& name) { return group.dims.count(name) != 0; }

  template <class T>
  static void derive_rows(const core::Dataset& group, const Target& target, std::size_t at, std::size_t rows,
                          std::vector<T>& out) {
    const std::string& source = target.column.source;
    if (target.column.role == Column::Role::attribute) {
      const auto found = group.attributes.find(source);
      if (found == group.attributes.end()) return;
      core::Attribute like;
      if constexpr (std::is_same_v<T, double>) like = 0.0;
      if constexpr (std::is_same_v<T, std::int64_t>) like = std::int64_t{0};
      const Array one = sweep::array_of(sweep::widened(found->second, like));
      if (const auto* value = std::get_if<std::vector<T>>(&one)) std::fill(out.begin(), out.end(), value->front());
    } else if (target.column.role == Column::Role::coordinate) {
      const core::Variable* coordinate = group.find(source);
      if (coordinate == nullptr || !group.has(source + "_count")) return;
      const auto* values = std::get_if<std::vector<T>>(&coordinate->values);
      const std::vector<double> counts = group.numbers(source + "_count");
      for (std::size_t row = 0; values != nullptr && row < rows; ++row)
        std::copy_n(values->begin(), static_cast<std::ptrdiff_t>(counts.at(at + row)),
                    out.begin() + static_cast<std::ptrdiff_t>(row * target.row_elements));
    } else if constexpr (std::is_same_v<T, std::uint8_t>) {
      if (target.column.role == Column::Role::present && group.has(source)) std::fill(out.begin(), out.end(), T{1});
    }
  }

  const std::vector<std::string>& paths_;
  const std::string& out_;
  const MergeOptions& options_;
  core::Progress& progress_;
  MergeResult result_;
  sweep::Layout layout_;
  std::string inputs_;  ///< hash of what is merged
  std::string sweep_;
  std::uint64_t text_bytes_ = 0;
  std::int64_t planned_ = 0, last_ = -1;
  std::vector<std::size_t> sizes_;          ///< runs of each input
  std::vector<std::vector<Place>> places_;  ///< [input][row]
  std::vector<std::unique_ptr<MergeInput>> kept_;
};

}  // namespace

MergeResult merge_sweeps(const std::vector<std::string>& inputs, const std::string& out, const MergeOptions& options,
                         core::Progress& progress) {
  if (inputs.empty())
    throw Error("E201", "there is nothing to merge", "name a folder made by 'eos sweep', or files of one sweep");
  return Merge(inputs, out, options, progress).run();
}

}  // namespace eos::io
