// Tell whoever watches how far long work has come, and ask whether to stop.
//
// Long-running functions take a Progress&; the command line shows a bar or plain lines, tests use the silent base
// class. Thread-safe implementations are required: runs report from worker threads.
#pragma once

#include <cstdint>
#include <string>

namespace eos::core {

class Progress {
 public:
  virtual ~Progress() = default;
  /// A task of `total` units starts; several may run at once under different names.
  virtual void begin(const std::string& task, double total, const std::string& unit) { (void)task, (void)total, (void)unit; }
  /// `done` units of the task are finished; `note` is a short current reading such as "loss 0.42".
  virtual void update(const std::string& task, double done, const std::string& note = {}) { (void)task, (void)done, (void)note; }
  virtual void end(const std::string& task) { (void)task; }
  /// True when the work should save its state and return (Ctrl-C, time limit).
  virtual bool stop_requested() const { return false; }
};

}  // namespace eos::core
