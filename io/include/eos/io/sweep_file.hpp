// Read a sweep from TOML, and each of its runs: the run file with the values of one design point and one seed.
//
// A sweep file is a training file plus the table [sweep]; docs/sweeps.md explains it, docs/toml.md lists its keys. With
// `base = "run.toml"` the run is that of another file. All problems are reported at once with their place, as for every
// file (toml.hpp); every key of an axis is tried on the run, so that a misspelt one is found before anything runs.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "eos/io/toml.hpp"
#include "eos/theory/sweep_spec.hpp"

namespace eos::io {

class SweepBase;  ///< the parsed run, ready to take the values of a point

struct SweepFile {
  theory::SweepSpec sweep;             ///< complete and checked; seeds filled in from the run
  std::string text;                    ///< of the sweep file, verbatim
  std::string name;                    ///< its path, for messages and relative paths
  std::string base_text, base_name;    ///< of the file `base`; empty without one
  std::vector<std::string> overrides;  ///< --set, in effect in every run
  std::vector<std::string> said;       ///< every --set as it was given, those of the sweep too
  std::shared_ptr<const SweepBase> base;
};

/// `overrides` change the run; those of keys sweep.* change the sweep ("sweep.seeds=3").
/// throws Error with every problem, as the readers of toml.hpp.
SweepFile read_sweep(const std::string& path, const Overrides& overrides = {});
SweepFile parse_sweep(const std::string& text, const std::string& name, const Overrides& overrides = {});

/// "key=word" for each key that the point sets, as Overrides take them.
std::vector<std::string> overrides_of(const theory::SweepPoint& point);

/// The run of one point and seed. Relative paths of values refer to the folder of the sweep file. May be called by
/// several threads. throws Error whose diagnostics name the point.
theory::TrainingSpec training_of(const SweepFile& file, const theory::SweepPoint& point, std::uint64_t seed);

}  // namespace eos::io
