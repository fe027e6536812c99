// Rows of `eos reproduce`: solvers on test problems with known solutions.
#include "reproduce.hpp"

namespace eos::cli {

void add_control_rows(std::vector<Reproduction>& rows) { (void)rows; }

}  // namespace eos::cli
