// Words, names and conditions of sweeps, shared by their checks and designs. Private to theory/.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "eos/theory/sweep_spec.hpp"

namespace eos::theory {

/// The finite or infinite number that a word is, nothing for text, lists and dates.
std::optional<double> number_in(const std::string& word);
/// The same text for all words of a value: 1, 1.0 and 1e0 are 1.
std::string canonical_word(const std::string& word);
bool is_among(const std::string& word, const std::vector<std::string>& words);
/// [a-z][a-z0-9_]*
bool is_axis_name(const std::string& name);
/// Whether the results of a run use the name for something else.
bool is_taken_name(const std::string& name);
/// The values of an axis of a grid: those given, or the points of the range without repetitions.
std::vector<std::vector<std::string>> grid_values(const SweepAxis& axis);
/// Axes such that those whose keys a condition names come before the axis of the condition; shorter than the axes when
/// conditions depend on each other in a circle.
std::vector<std::size_t> condition_order(const std::vector<SweepAxis>& axes);

}  // namespace eos::theory
