// Show how far long work has come: a bar on a terminal, plain lines in a log, JSON lines for programs.
//
// Several tasks may run at once from several threads; they share one line. A plain line is written every 10 % or 10 s.
#pragma once

#include <chrono>
#include <iosfwd>
#include <map>
#include <mutex>
#include <string>

#include "eos/core/progress.hpp"

namespace eos::cli {

enum class ProgressMode { bar, plain, json, none };

class ConsoleProgress : public core::Progress {
 public:
  ConsoleProgress(ProgressMode mode, std::ostream& err) : mode_(mode), err_(err) {}
  ~ConsoleProgress() override { finish(); }
  void begin(const std::string& task, double total, const std::string& unit) override;
  void update(const std::string& task, double done, const std::string& note) override;
  void end(const std::string& task) override;
  /// True after SIGINT, SIGTERM or SIGUSR1 while a StopOnSignal lives.
  bool stop_requested() const override;

  /// Announces work that will begin later, so that the share done and the time left refer to the whole.
  void expect(double total) { expected_ = total; }
  /// Shows nothing from now on.
  void silence() { mode_ = ProgressMode::none; }
  /// Removes the bar, so that other text can be written.
  void finish();

 private:
  using Clock = std::chrono::steady_clock;
  struct Task {
    double total = 0, done = 0;
    std::string unit, note;
    bool ended = false;
  };
  double share() const;
  std::string summary() const;
  void show(bool force);
  void show_json(const std::string& event, const std::string& name, const Task& task);
  void forget_finished_round();

  ProgressMode mode_;
  std::ostream& err_;
  std::mutex lock_;
  std::map<std::string, Task> tasks_;
  std::string latest_;
  double expected_ = 0;
  Clock::time_point start_, last_;
  double last_share_ = 0;
  bool shown_ = false;
};

/// Gives the tasks of one of several concurrent jobs their own name.
class NamedProgress : public core::Progress {
 public:
  enum class Tasks { one, several };  ///< a job with one task shows its own name alone
  NamedProgress(core::Progress& inner, std::string name, Tasks tasks = Tasks::several)
      : inner_(inner), name_(std::move(name)), tasks_(tasks) {}
  void begin(const std::string& task, double total, const std::string& unit) override {
    inner_.begin(full(task), total, unit);
  }
  void update(const std::string& task, double done, const std::string& note) override {
    inner_.update(full(task), done, note);
  }
  void end(const std::string& task) override { inner_.end(full(task)); }
  bool stop_requested() const override { return inner_.stop_requested(); }

 private:
  std::string full(const std::string& task) const { return tasks_ == Tasks::one ? name_ : name_ + ", " + task; }
  core::Progress& inner_;
  std::string name_;
  Tasks tasks_;
};

/// While it lives, SIGINT, SIGTERM and SIGUSR1 ask the work to stop and save; a second SIGINT ends the program at once.
class StopOnSignal {
 public:
  StopOnSignal();
  ~StopOnSignal();
  StopOnSignal(const StopOnSignal&) = delete;
  StopOnSignal& operator=(const StopOnSignal&) = delete;
  /// The signal that came, 0 if none.
  static int signal();

 private:
  struct Saved;
  Saved* saved_;
};

}  // namespace eos::cli
