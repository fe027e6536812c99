// eos demo: the whole loop in a minute.
#include "demo.hpp"

#include <fmt/format.h>

#include "commands.hpp"
#include "eos/io/hdf5.hpp"
#include "eos/io/plot.hpp"
#include "files.hpp"

namespace eos::cli {

int run_demo(Session& session) {
  const DemoSetup setup = demo_setup(session.arguments, session.threads());
  require_writable(setup.h5);
  require_writable(setup.png);
  const sim::TaskData data = sim::load_data(setup.base.data);
  session.note(fmt::format("data: {} ({}); calibration, plan and training on {} threads", data.name, data.origin,
                           setup.threads));
  const DemoResult result = run_everything(setup, data, session.progress());
  session.progress().finish();
  io::write_hdf5(setup.h5, demo_dataset(setup, result, session.arguments.command_line));
  io::write_png(setup.png, demo_figure(setup, result));
  session.print(demo_document(setup, result));
  return k_done;
}

}  // namespace eos::cli
