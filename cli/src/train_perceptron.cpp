// eos train on a file with [perceptron]: a grid of perceptrons in one go.
#include <fmt/format.h>

#include "commands.hpp"
#include "eos/core/error.hpp"
#include "eos/io/hdf5.hpp"
#include "eos/io/plot.hpp"
#include "eos/io/toml.hpp"
#include "eos/sim/perceptron.hpp"
#include "files.hpp"
#include "perceptron_report.hpp"

namespace eos::cli {

int train_perceptrons(Session& session, const std::string& out) {
  const Arguments& arguments = session.arguments;
  theory::PerceptronSpec spec = io::read_perceptron(arguments.text("FILE.toml"), {arguments.list("set")});
  if (arguments.has("seed")) spec.seed = arguments.seed("seed");
  require_writable(out);
  const StopOnSignal stop;
  const sim::PerceptronGrid grid =
      sim::run_perceptrons(spec, session.progress(), {arguments.text("device"), session.threads()});
  session.progress().finish();
  if (grid.stopped) {
    session.note("stopped before all runs were done; nothing is stored. Run the same command again");
    return k_stopped_resumable;
  }
  core::Dataset table = sim::to_dataset(grid);
  add_origin(table, table.text("title"), io::to_toml(spec), arguments.command_line);
  io::write_hdf5(out, table);
  if (arguments.has("plot")) {
    io::write_png(arguments.text("plot"), perceptron_figure(table));
    session.note("drawn in " + arguments.text("plot"));
  }
  Document document("eos.perceptrons/1");
  document.set("output", out);
  document.set("title", table.text("title"), "perceptrons");
  add_perceptron_table(document, table);
  document.set("content_sha256", core::content_sha256(table), "content hash");
  document.note(fmt::format("Stored in {}", out));
  session.print(document);
  return k_done;
}

}  // namespace eos::cli
