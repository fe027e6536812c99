#include "cli.hpp"

namespace eos::cli {

int run(const std::vector<std::string>&, std::ostream&, std::ostream&) { return 70; }

}  // namespace eos::cli
