#include "show_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "eos/core/error.hpp"
#include "eos/io/hdf5.hpp"
#include "eos/io/toml.hpp"
#include "eos/sim/data.hpp"
#include "eos/theory/data_shape.hpp"
#include "eos/theory/network_memory.hpp"
#include "eos/theory/network_words.hpp"
#include "files.hpp"
#include "session.hpp"

namespace eos::cli {

namespace {

using theory::LayerKind;

constexpr std::int64_t k_word = 4;  // bytes
constexpr int k_largest_side = 1 << 24;

/// 784, 28x28 or 32x32x3.
theory::Shape parse_shape(const std::string& text) {
  std::vector<int> sizes;
  const char* at = text.data();
  const char* const end = at + text.size();
  for (;;) {
    int size = 0;
    const auto [after, problem] = std::from_chars(at, end, size);
    if (problem != std::errc{} || size < 1 || size > k_largest_side) break;
    sizes.push_back(size);
    if (after == end && sizes.size() <= 3) {
      if (sizes.size() == 1) return {1, 1, size, false};
      return {sizes[0], sizes[1], sizes.size() == 3 ? size : 1, false};
    }
    if (after == end || *after != 'x') break;
    at = after + 1;
  }
  throw core::Error("E100", fmt::format("--input expects HEIGHTxWIDTHxCHANNELS, got '{}'", text),
                    "e.g. --input 32x32x3, --input 28x28 for one channel, --input 784 for a vector");
}

int size_option(const Arguments& arguments, const std::string& name, int usual) {
  if (!arguments.has(name)) return usual;
  return static_cast<int>(std::min<long long>(arguments.integer(name), k_largest_side));
}

std::string activation_of(const theory::LayerSpec& l) {
  if (l.activation == theory::Activation::leaky_relu) return fmt::format("leaky-relu {:g}", l.leak);
  return to_string(l.activation);
}

/// "3 x 3, stride 2, padding 0, relu, max-pool 2": what the kind and the shapes do not say.
std::string details(const theory::Node& node) {
  const theory::LayerSpec& l = node.spec;
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  const bool windows =
      l.kind == LayerKind::conv2d || l.kind == LayerKind::max_pool || l.kind == LayerKind::average_pool;
  if (windows) {
    add(fmt::format("{} x {}", l.kernel, l.kernel));
    if (l.stride != 1) add(fmt::format("stride {}", l.stride));
    if (l.padding != 0) add(fmt::format("padding {}", l.padding));
  }
  if (l.kind == LayerKind::attention)
    add(fmt::format("{} head{}{}", l.heads, l.heads == 1 ? "" : "s", l.causal ? ", causal" : ""));
  if (l.kind == LayerKind::dropout) add(fmt::format("rate {:g}", l.rate));
  if (l.activation != theory::Activation::identity || l.kind == LayerKind::activation) add(activation_of(l));
  if (l.kind == LayerKind::conv2d && l.pool > 1) add(fmt::format("max-pool {}", l.pool));
  return text;
}

/// Where the values come from, if not from the layer before alone.
std::string sources(const theory::Graph& graph, std::size_t n) {
  const theory::Node& node = graph.nodes[n];
  const auto name = [&](int level) {
    return level == 0 ? std::string("input") : graph.nodes[static_cast<std::size_t>(level - 1)].spec.name;
  };
  std::string text;
  if (node.from != static_cast<int>(n)) text = "from " + name(node.from);
  if (node.with >= 0) text += (text.empty() ? "+ " : " + ") + name(node.with);
  if (node.shared >= 0)
    text += (text.empty() ? "table of " : ", table of ") + graph.blocks[static_cast<std::size_t>(node.shared)].name;
  return text;
}

void add_layers(Document& document, const theory::Graph& graph) {
  std::vector<std::string> links;
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) links.push_back(sources(graph, n));
  const bool chain = std::all_of(links.begin(), links.end(), [](const std::string& s) { return s.empty(); });
  Table& table = document.table("layers", "Layers",
                                {{"name", "layer"},
                                 {"kind", "kind"},
                                 {"details", "details"},
                                 {"sources", chain ? "" : "takes"},
                                 {"input", "input"},
                                 {"output", "output"},
                                 {"parameters", "parameters", Style::exact},
                                 {"forward_macs", "forward MACs", Style::exact}});
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    const theory::Node& node = graph.nodes[n];
    const std::int64_t own = node.block < 0 ? 0 : graph.blocks[static_cast<std::size_t>(node.block)].size();
    table.add({node.spec.name, to_string(node.spec.kind), details(node), links[n], to_string(node.in),
               to_string(node.out), own, node.forward_macs});
  }
}

void add_costs(Document& document, const theory::TrainingSpec& spec, const theory::Graph& graph) {
  const theory::NetworkCounts counts = graph_counts(graph, graph.data.input.size());
  document.set("parameters", counts.parameters, "parameters", Style::exact);
  document.set("forward_macs", counts.forward_macs, "MACs of a sample, forward", Style::exact);
  document.set("backward_macs", counts.backward_macs, "MACs of a sample, backward", Style::exact);
  document.set("batch", std::int64_t{spec.batch}, "samples of a step");
  const double step = 2.0 * spec.batch;  // a MAC is a multiplication and an addition
  document.set("flop_per_step", step * static_cast<double>(counts.forward_macs + counts.backward_macs),
               "a step, 2 x (forward + backward) MACs", Style::flop);
  document.set("flop_per_step_conventional", step * 3 * static_cast<double>(counts.forward_macs),
               "by convention, 6 x forward MACs", Style::flop);
}

void add_memory(Document& document, const theory::TrainingSpec& spec, const theory::Graph& graph) {
  const theory::NetworkMemory m = network_memory(spec, graph);
  Table& table = document.table("memory", "Memory of one replica", {{"part", "part"}, {"bytes", "size", Style::bytes}});
  const auto add = [&](const std::string& part, std::int64_t words) { table.add({part, k_word * words}); };
  add("weights", m.weights);
  add("gradient of the weights", m.gradient);
  add("optimiser and write policy", m.optimiser);
  add(fmt::format("activations of a batch of {}", spec.batch), m.activations);
  add(fmt::format("activations of {} samples to be scored", chunk_rows(graph, spec.batch)), m.scoring);
  add("gradients of activations", m.errors);
  add("total", m.total());
}

/// The configuration of a file written by eos, or a training file.
theory::TrainingSpec model_spec(const Arguments& arguments) {
  const std::string path = arguments.text("FILE");
  const io::Overrides overrides{arguments.list("set")};
  if (!is_toml(path)) {
    const std::string config = stored_config(io::read_hdf5(path));
    if (config.empty())
      throw core::Error("E191", fmt::format("{} holds no configuration of a run", path),
                        "--model needs a training file or a file written by 'eos train'");
    return io::parse_training(config, path, overrides);
  }
  require_kind(path, io::FileKind::training, "eos show --model");
  return io::read_training(path, overrides);
}

}  // namespace

theory::DataShape model_data(Session& session, const theory::TrainingSpec& spec) {
  const Arguments& arguments = session.arguments;
  const bool image = arguments.has("input") || arguments.has("classes");
  const bool tokens = arguments.has("tokens") || arguments.has("vocabulary");
  if (image && tokens)
    throw core::Error("E100", "--input and --classes state images or vectors, --tokens and --vocabulary sequences",
                      "give one of the pairs");
  if (tokens) {
    theory::DataShape data;
    data.input.height = size_option(arguments, "tokens", spec.data.sequence);
    data.outputs = size_option(arguments, "vocabulary", 256);
    data.tokens = true;
    return data;
  }
  if (image) {
    if (!arguments.has("input"))
      throw core::Error("E100", "--classes needs --input, the shape of a sample", "e.g. --input 32x32x3 --classes 10");
    theory::DataShape data;
    data.input = parse_shape(arguments.text("input"));
    data.outputs = size_option(arguments, "classes", 10);
    return data;
  }
  if (const auto known = theory::known_shape(spec.data)) return *known;
  try {
    const sim::TaskData task = sim::load_data(spec.data);
    session.detail(fmt::format("data: {} from {}", task.name, task.origin));
    return task.shape();
  } catch (const core::Error& error) {
    std::vector<core::Diagnostic> problems = error.diagnostics();
    for (core::Diagnostic& d : problems)
      if (d.code == "E202")
        d.help += std::string(d.help.empty() ? "" : "; ") +
                  "without data, state their shape: --input 28x28 --classes 10, or --tokens 128 --vocabulary 256";
    throw core::Error(std::move(problems));
  }
}

Document model_report(const theory::TrainingSpec& spec, const theory::Graph& graph) {
  Document document("eos.model/1");
  const theory::DataShape& data = graph.data;
  document.set("architecture", to_string(spec.network.architecture), "architecture");
  document.set("data",
               data.tokens ? fmt::format("{} tokens, vocabulary {}", data.input.positions(), data.outputs)
                           : fmt::format("{}, {} classes", to_string(data.input), data.outputs),
               "data");
  add_layers(document, graph);
  add_costs(document, spec, graph);
  add_memory(document, spec, graph);
  return document;
}

int show_model(Session& session) {
  const theory::TrainingSpec spec = model_spec(session.arguments);
  const theory::Graph graph = theory::build_graph(spec.network, model_data(session, spec));
  session.print(model_report(spec, graph));
  return k_done;
}

}  // namespace eos::cli
