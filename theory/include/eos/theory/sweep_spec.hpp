// State a sweep: which runs one file asks for, as a design over keys of a run and a list of seeds.
//
// Plain values: io/sweep_file.hpp reads them from TOML and turns a point into a run. A value is the text of a TOML
// value, a "word": `0.1`, `"dbpd"`, `[64, 64]`, `{fraction = [...]}`. Two words are the same value when their texts are
// equal or both are numbers and equal.
//
// Designs: full factorial; a list; independent draws; Latin hypercube (McKay, Beckman & Conover, Technometrics 21, 239,
// 1979); Sobol' sequence (Sobol', USSR Comput. Math. Math. Phys. 7, 86, 1967) with the direction numbers of Joe & Kuo
// (SIAM J. Sci. Comput. 30, 2635, 2008), shifted digitally by the seed (L'Ecuyer & Lemieux, in: Modeling Uncertainty,
// 419, 2002).
//
// Guarantee: expand() depends on the spec alone, not on machine, threads or libraries. Computed numbers are rounded to
// 12 significant digits, so that a last bit of exp or log cannot change a run (and 0.3 is not 0.30000000000000004).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace eos::theory {

enum class SweepDesign { factorial, list, random, latin_hypercube, sobol };
/// Their words in files: "factorial", "list", "random", "latin-hypercube", "sobol".
const std::vector<std::string>& sweep_design_names();

/// One axis: a key, or several that move together, over given values or a range of numbers.
struct SweepAxis {
  std::string name;               ///< of its coordinate in results: [a-z][a-z0-9_]*; complete() makes one where empty
  std::vector<std::string> keys;  ///< dotted: "optimiser.learning_rate"
  std::vector<std::vector<std::string>> values;  ///< [value][key], words; empty for a range
  std::vector<std::string> labels;               ///< one a value: what the coordinate shows instead of the words
  double from = 0, to = 0;                       ///< range, both ends included
  int count = 0;                                 ///< factorial: points of the range; other designs draw from all of it
  bool log = false;                              ///< equal ratios instead of equal steps
  bool whole = false;                            ///< whole numbers
  /// Other key -> words: the axis exists at points where each of these keys has one of its words. Empty: always.
  std::map<std::string, std::vector<std::string>> when;

  bool is_range() const { return values.empty(); }
};

/// A design point: key and word, in the order of the axes and of their keys. An axis that does not exist sets nothing.
struct SweepPoint {
  std::vector<std::pair<std::string, std::string>> set;

  /// The word of a key, or nullptr.
  const std::string* find(const std::string& key) const;
};

struct SweepSpec {
  std::string title;
  SweepDesign design = SweepDesign::factorial;
  std::vector<SweepAxis> axes;   ///< of every design but list
  std::vector<SweepPoint> runs;  ///< of design list
  std::vector<std::map<std::string, std::vector<std::string>>>
      exclude;                       ///< points that match all keys of one are left out
  int samples = 0;                   ///< of designs random, latin_hypercube, sobol
  std::uint64_t seed = 0;            ///< of the design; 0: the Sobol' sequence is not shifted
  std::vector<std::uint64_t> seeds;  ///< of the runs, each at every point; empty: those of the run itself

  /// Gives axes without a name the last part of their first key, or more of its parts where that is taken.
  void complete();
  /// throws Error with one diagnostic per problem: E102 (a condition on a key that no axis sets), E104, E105, E107.
  /// Messages begin with the field as a file calls it: "sweep.axes[1].from".
  void check() const;
};

inline constexpr std::int64_t k_most_sweep_points = 1000000, k_most_sweep_runs = 10000000;

/// All points in order: factorial with the last axis fastest, list as given, others in order of their draws. Points
/// that are the same (after conditions) are kept once, where they come first; excluded ones are left out.
/// random: independent and uniform; latin_hypercube: of `samples` equal bins of every axis each has one point; sobol:
/// the first `samples` points, the origin included (with 2^m points every axis has one in each of 2^m bins). Ranges are
/// uniform between from and to, in the logarithm for log; axes with values are uniform over the values.
/// throws like check(); E107 when no point is left.
std::vector<SweepPoint> expand(const SweepSpec& spec);

/// What results call an axis: of design list, one for every key of its runs.
struct SweepCoordinate {
  std::string name;
  bool number = false;  ///< all its values are numbers
  SweepAxis axis;
};
std::vector<SweepCoordinate> coordinates(const SweepSpec& spec);
/// Value of a coordinate at a point.
struct SweepValue {
  bool given = false;  ///< false: the axis does not exist there
  double number = 0;   ///< NaN when not given, or text
  std::string text;    ///< label, else the words without quotes, joined by ", "; "" when not given
};
SweepValue value_at(const SweepCoordinate& coordinate, const SweepPoint& point);
/// "optimiser.learning_rate = 0.1, selection.method = "dbpd"", for messages.
std::string describe(const SweepPoint& point);

/// Whether two words are the same value.
bool same_word(const std::string& a, const std::string& b);

}  // namespace eos::theory
