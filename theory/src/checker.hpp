// Collect every problem of one statement, so that all are reported together.
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "eos/core/error.hpp"

namespace eos::theory {

class Checker {
 public:
  void add(const char* code, std::string message, std::string help = {}) {
    core::Diagnostic d;
    d.code = code;
    d.message = std::move(message);
    d.help = std::move(help);
    problems_.push_back(std::move(d));
  }
  /// value in [low, high], with open ends where asked for.
  void range(const char* name, double value, double low, double high, bool open_low = false, bool open_high = false) {
    const bool good =
        std::isfinite(value) && (open_low ? value > low : value >= low) && (open_high ? value < high : value <= high);
    if (!good) {
      add("E104", fmt::format("{} = {} is outside {}{}, {}{}", name, value, open_low ? '(' : '[', low, high,
                              open_high ? ')' : ']'));
    }
  }
  void at_least(const char* name, double value, double low, bool open = false, const char* help = "") {
    if (!std::isfinite(value) || !(open ? value > low : value >= low)) {
      add("E104", fmt::format("{} = {} must be finite and {} {}", name, value, open ? ">" : ">=", low), help);
    }
  }
  void finite(const char* name, double value) {
    if (!std::isfinite(value)) add("E104", fmt::format("{} = {} must be finite", name, value));
  }
  void adopt(const core::Error& error) {
    problems_.insert(problems_.end(), error.diagnostics().begin(), error.diagnostics().end());
  }
  void finish() {
    if (!problems_.empty()) throw core::Error(std::move(problems_));
  }

 private:
  std::vector<core::Diagnostic> problems_;
};

/// For functions of time on [0, horizon].
inline void check_time(double time, double horizon) {
  Checker c;
  c.range("time", time, 0, horizon);
  c.finish();
}

}  // namespace eos::theory
