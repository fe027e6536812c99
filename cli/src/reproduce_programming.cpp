// Rows of `eos reproduce`: Riccati equations, Hamilton-Jacobi-Bellman equations and dynamic programming.
#include "reproduce.hpp"

namespace eos::cli {

void add_programming_rows(std::vector<Reproduction>& rows) { (void)rows; }

}  // namespace eos::cli
