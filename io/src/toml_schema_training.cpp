// [train], [data], [network], [optimiser].
#include <algorithm>

#include "toml_schema.hpp"

namespace eos::io {

using theory::TrainingSpec;

namespace {

void bind_train(Binder& b, TrainingSpec& s) {
  b.text({"title", "", "one line that names the run in tables and pictures"}, s.title);
  b.integer({"batch", "samples", "samples per optimiser update"}, s.batch, k_count);
  b.number({"epochs", "epochs", "horizon: passes over the stream of training samples, presented or not"}, s.epochs,
           k_positive);
  b.seeds({"seeds", "1", "one replica each; `seed = 1` is short for one"}, s.seeds);
  b.number({"evaluate_every", "epochs", "between evaluations on validation and test data"}, s.evaluate_every,
           k_positive);
  b.integer({"checkpoint_seconds", "s", "wall time between checkpoints, 0: none"}, s.checkpoint_seconds,
            k_count_or_none);
  b.integer({"record_every", "updates", "between rows of the step table, 0: none"}, s.record_every, k_count_or_none);
}

void bind_data(Binder& b, theory::DataSpec& d) {
  std::vector<std::string> names{"auto", "fashion-mnist", "mnist", "teacher", "idx"};
  const auto found = std::find(names.begin(), names.end(), d.name);
  auto index = static_cast<std::size_t>(found - names.begin());
  if (found == names.end()) names.push_back(d.name);  // set by a program
  b.word({"name", "", "data set; auto: the first one found, else teacher (generated, needs no files)"}, index, names);
  d.name = names[index];
  b.path({"path", "", "folder with the four IDX files; empty: the search path"}, d.path);
  b.integer({"train_samples", "samples", "taken from the front of the training file"}, d.train_samples, k_count);
  b.integer({"validation_samples", "samples", "taken from its end; steers what is steered"}, d.validation_samples,
            k_count_or_none);
  b.integer({"test_samples", "samples", "from the test file; only reported"}, d.test_samples, k_count_or_none);
  b.number({"label_noise", "1", "share of training labels replaced by a random other class"}, d.label_noise,
           k_below_one);
  b.table({"teacher", "", "the generated task, for name = \"teacher\""}, [&](Binder& t) {
    t.integer({"inputs", "1", "input dimensions"}, d.teacher.inputs, k_count);
    t.integer({"classes", "1", "classes"}, d.teacher.classes, Range{2, 256});
    t.integer({"hidden", "1", "width of the teacher's hidden layer"}, d.teacher.hidden, k_count);
    t.number({"margin", "1", "samples with a smaller gap of the top two logits are drawn again; 0: a harder task"},
             d.teacher.margin, k_not_negative);
    t.integer({"seed", "1", "of the teacher's weights and inputs"}, d.teacher.seed, k_not_negative);
  });
}

void bind_network(Binder& b, theory::NetworkSpec& n) {
  std::vector<std::int64_t> hidden(n.hidden.begin(), n.hidden.end());
  b.integers({"hidden", "1", "widths of the hidden layers; [] is a linear classifier"}, hidden, Range{1, 1 << 20});
  n.hidden.assign(hidden.begin(), hidden.end());
  b.number({"init_scale", "1", "times He's sqrt(2 / fan_in)"}, n.init_scale, k_positive);
}

void bind_optimiser(Binder& b, theory::OptimiserSpec& o) {
  b.choice({"kind", "", "update rule"}, o.kind, {"sgd", "adamw"});
  b.number({"learning_rate", "1", "at the start"}, o.learning_rate, k_not_negative);
  b.choice({"law", "", "course of the learning rate; linear falls to 0 at the horizon, schedule: see [schedule]"},
           o.law, {"constant", "linear", "cosine", "inverse-time", "schedule"});
  b.number({"decay", "1/epoch", "of law inverse-time: 1 / (1 + decay t)"}, o.decay, k_not_negative);
  b.number({"warmup_epochs", "epochs", "linear rise from 0 at the start"}, o.warmup_epochs, k_not_negative);
  b.number({"momentum", "1", "sgd"}, o.momentum, k_below_one);
  b.number({"weight_decay", "1", "L2 for sgd, decoupled for adamw"}, o.weight_decay, k_not_negative);
  b.number({"beta1", "1", "adamw"}, o.beta1, k_below_one);
  b.number({"beta2", "1", "adamw"}, o.beta2, k_below_one);
  b.number({"epsilon", "1", "adamw"}, o.epsilon, k_positive);
}

}  // namespace

void bind(Binder& b, TrainingSpec& s) {
  b.table({"train", "", "how long, how often, which seeds"}, [&](Binder& t) { bind_train(t, s); });
  b.table({"data", "", "what is learned"}, [&](Binder& t) { bind_data(t, s.data); });
  b.table({"network", "", "a multilayer perceptron; inputs and classes come from the data"},
          [&](Binder& t) { bind_network(t, s.network); });
  b.table({"optimiser", "", "how weights move"}, [&](Binder& t) { bind_optimiser(t, s.optimiser); });
}

}  // namespace eos::io
