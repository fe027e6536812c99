#include "progress.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <nlohmann/json.hpp>
#include <ostream>

#include "report.hpp"

namespace eos::cli {

namespace {

std::atomic<int> g_signal{0};
std::atomic<int> g_watchers{0};  ///< StopOnSignal objects that live
static_assert(std::atomic<int>::is_always_lock_free, "the signal handler may only touch lock-free atomics");

void on_signal(int number) {
  // A second Ctrl-C: at once. Other signals come twice when a scheduler tells a job's script and its processes.
  if (g_signal.exchange(number) != 0 && number == SIGINT) {
    ::signal(number, SIG_DFL);
    ::raise(number);
  }
}

constexpr double k_bar_interval_s = 0.1, k_plain_interval_s = 10, k_plain_share = 0.1, k_plain_least_s = 1;
constexpr int k_bar_width = 24;

/// "12.3 k samples/s", or "2.1 s/epoch" when a unit takes longer than a second.
std::string rate_text(double per_second, const std::string& unit) {
  if (per_second >= 1) return fmt::format("{} {}/s", si(per_second, ""), unit);
  const std::string one = unit.ends_with('s') ? unit.substr(0, unit.size() - 1) : unit;
  return fmt::format("{:.1f} s/{}", 1 / per_second, one);
}

/// Columns of the terminal on stderr, 80 when it does not say.
std::size_t terminal_width() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

/// The first `width` columns of UTF-8 text, so that a bar never wraps onto a second line.
std::string cut(const std::string& text, std::size_t width) {
  std::size_t columns = 0, bytes = 0;
  while (bytes < text.size()) {
    const std::size_t start = bytes++;
    while (bytes < text.size() && (static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80) ++bytes;
    if (++columns > width) return text.substr(0, start);
  }
  return text;
}

}  // namespace

struct StopOnSignal::Saved {
  struct sigaction interrupt, terminate, user;
};

StopOnSignal::StopOnSignal() : saved_(new Saved{}) {
  if (g_watchers++ == 0) g_signal = 0;  // an inner one must not forget a signal that came before it
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, &saved_->interrupt);
  sigaction(SIGTERM, &action, &saved_->terminate);
  sigaction(SIGUSR1, &action, &saved_->user);
}

StopOnSignal::~StopOnSignal() {
  --g_watchers;
  sigaction(SIGINT, &saved_->interrupt, nullptr);
  sigaction(SIGTERM, &saved_->terminate, nullptr);
  sigaction(SIGUSR1, &saved_->user, nullptr);
  delete saved_;
}

int StopOnSignal::signal() { return g_signal; }

bool ConsoleProgress::stop_requested() const { return StopOnSignal::signal() != 0; }

void ConsoleProgress::forget_finished_round() {
  const bool over = std::all_of(tasks_.begin(), tasks_.end(), [](const auto& entry) { return entry.second.ended; });
  if (!over || expected_ > 0) return;
  tasks_.clear();
  start_ = Clock::now();
  last_ = start_;
  last_share_ = 0;
}

void ConsoleProgress::begin(const std::string& task, double total, const std::string& unit) {
  const std::lock_guard<std::mutex> guard(lock_);
  if (tasks_.empty()) start_ = last_ = Clock::now();
  forget_finished_round();
  Task& added = tasks_[task] = Task{total, 0, unit, {}, false};
  latest_ = task;
  show_json("begin", task, added);
  show(false);
}

void ConsoleProgress::update(const std::string& task, double done, const std::string& note) {
  const std::lock_guard<std::mutex> guard(lock_);
  const auto found = tasks_.find(task);
  if (found == tasks_.end()) return;
  found->second.done = done;
  found->second.note = note;
  latest_ = task;
  if (mode_ == ProgressMode::json) {
    const auto now = Clock::now();
    if (std::chrono::duration<double>(now - last_).count() < 1) return;
    last_ = now;
    show_json("update", task, found->second);
  }
  show(false);
}

void ConsoleProgress::end(const std::string& task) {
  const std::lock_guard<std::mutex> guard(lock_);
  const auto found = tasks_.find(task);
  if (found == tasks_.end()) return;
  found->second.ended = true;
  if (found->second.done < found->second.total) found->second.total = found->second.done;  // stopped early
  show_json("end", task, found->second);
  show(share() >= 1);
}

double ConsoleProgress::share() const {
  double done = 0, total = 0;
  for (const auto& [name, task] : tasks_) done += std::min(task.done, task.total), total += task.total;
  total = std::max(total, expected_);
  return total > 0 ? done / total : 0;
}

std::string ConsoleProgress::summary() const {
  const double elapsed = std::chrono::duration<double>(Clock::now() - start_).count();
  double done = 0;
  std::size_t running = 0;
  for (const auto& [name, task] : tasks_) done += task.done, running += task.ended ? 0 : 1;
  const auto found = tasks_.find(latest_);
  std::string text = latest_;
  if (found != tasks_.end() && !found->second.note.empty()) text += ": " + found->second.note;
  if (tasks_.size() > 1) text += fmt::format(" | {} of {} tasks running", running, tasks_.size());
  if (found != tasks_.end() && elapsed > 0 && done > 0) text += " | " + rate_text(done / elapsed, found->second.unit);
  const double part = share();
  if (part > 0.01 && part < 1 && elapsed > 0.5)
    text += fmt::format(" | {} left", clock_time(elapsed * (1 - part) / part));
  else
    text += fmt::format(" | {}", clock_time(elapsed));
  return text;
}

void ConsoleProgress::show(bool force) {
  if (mode_ == ProgressMode::none || mode_ == ProgressMode::json) return;
  const auto now = Clock::now();
  const double since = std::chrono::duration<double>(now - last_).count();
  const double part = share();
  const bool due = mode_ == ProgressMode::bar ? since >= k_bar_interval_s || !shown_
                                              : since >= k_plain_interval_s ||
                                                    (since >= k_plain_least_s && part >= last_share_ + k_plain_share);
  if (!due && !force) return;
  last_ = now;
  if (mode_ == ProgressMode::plain) {
    if (part <= last_share_ && !force && since < k_plain_interval_s) return;
    last_share_ = part;
    err_ << fmt::format("{:3.0f} %  {}\n", 100 * part, summary());
    err_.flush();
    return;
  }
  const int filled = static_cast<int>(std::lround(part * k_bar_width));
  std::string bar;
  for (int i = 0; i < k_bar_width; ++i) bar += i < filled ? "█" : "░";
  err_ << "\r\033[K" << cut(fmt::format("{} {:3.0f} %  {}", bar, 100 * part, summary()), terminal_width() - 1);
  err_.flush();
  shown_ = true;
}

void ConsoleProgress::show_json(const std::string& event, const std::string& name, const Task& task) {
  if (mode_ != ProgressMode::json) return;
  const nlohmann::ordered_json line = {{"schema", "eos.progress/1"}, {"event", event},      {"task", name},
                                       {"done", task.done},          {"total", task.total}, {"unit", task.unit},
                                       {"note", task.note},          {"share", share()}};
  err_ << line.dump() << "\n";
  err_.flush();
}

void ConsoleProgress::finish() {
  const std::lock_guard<std::mutex> guard(lock_);
  if (mode_ == ProgressMode::bar && shown_) {
    err_ << "\r\033[K";
    err_.flush();
  }
  shown_ = false;
}

}  // namespace eos::cli
