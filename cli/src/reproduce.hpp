// What `eos reproduce` computes anew: published numbers, one row each, with our value and a verdict.
#pragma once

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "eos/core/progress.hpp"

namespace eos::cli {

/// How ours is held against what was published.
enum class Judge {
  near,      ///< |ours - published| <= tolerance
  at_most,   ///< ours <= published + tolerance
  at_least,  ///< ours >= published - tolerance
  within     ///< low <= ours <= high
};

/// One number of a row.
struct Finding {
  std::string quantity;
  double published = 0;
  double ours = 0;
  double tolerance = 0;  ///< absolute
  Judge judge = Judge::near;
  std::string note = {};
  /// The same quantity from an independent re-implementation of the published equations, shown beside the published
  /// value; decides nothing.
  double measured = std::numeric_limits<double>::quiet_NaN();
  double low = 0, high = 0;  ///< Judge::within

  bool agrees() const;
};

/// A value within a share of the published one.
Finding relative(std::string quantity, double published, double ours, double share);
/// A value whose last printed digit may be rounded: tolerance of half a unit of `digit`, e.g. 1e-4.
Finding printed(std::string quantity, double published, double ours, double digit);
/// A value that must lie in an interval; `published` may be NaN where nothing was printed.
Finding within(std::string quantity, double published, double ours, double low, double high);
Finding at_least(std::string quantity, double bound, double ours);
Finding at_most(std::string quantity, double bound, double ours);
/// The same with an independently measured value and a note.
Finding with(Finding finding, double measured, std::string note = {});
/// Slope and intercept of the least-squares line through (x, y).
struct Line {
  double slope = 0, intercept = 0;
};
Line fitted_line(const std::vector<double>& x, const std::vector<double>& y);

struct Reproduction {
  std::string name;    ///< "dropout", "P4"
  std::string group;   ///< heading of the list
  std::string claim;   ///< in words
  std::string setup;   ///< model, parameters, method
  std::string source;  ///< paper and place, or "derived here"
  bool fast = true;    ///< part of --fast
  std::function<std::vector<Finding>()> run;
  bool full = false;  ///< minutes to hours: part of --full alone
};

/// All rows, by group.
const std::vector<Reproduction>& reproductions();

// The groups, each in its own file.
void add_learning_rows(std::vector<Reproduction>& rows);
void add_control_rows(std::vector<Reproduction>& rows);
void add_grid_rows(std::vector<Reproduction>& rows);
void add_programming_rows(std::vector<Reproduction>& rows);
void add_fly_rows(std::vector<Reproduction>& rows);
void add_network_rows(std::vector<Reproduction>& rows);
void add_dropout_rows(std::vector<Reproduction>& rows);
void add_perceptron_rows(std::vector<Reproduction>& rows);

}  // namespace eos::cli
