// [train], [optimiser].
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
  b.number({"goal_accuracy", "1", "end the run at the first evaluation at or above it; 0: none"}, s.goal.accuracy,
           k_unit);
  b.flag(
      {"goal_on_test", "", "the goal is that of the test set, as in published protocols; else of the validation set"},
      s.goal.on_test);
  b.integer({"patience", "evaluations", "end the run after so many without a better accuracy; 0: never"},
            s.goal.patience, k_count_or_none);
  b.integer({"checkpoint_seconds", "s", "wall time between checkpoints, 0: none"}, s.checkpoint_seconds,
            k_count_or_none);
  b.integer({"record_every", "updates", "between rows of the step table, 0: none"}, s.record_every, k_count_or_none);
}

void bind_muon(Binder& b, theory::MuonSpec& m) {
  b.number({"momentum", "1", "of the matrices"}, m.momentum, k_below_one);
  b.flag({"nesterov", "", "Nesterov's momentum"}, m.nesterov);
  b.integer({"steps", "1", "Newton-Schulz steps"}, m.steps, Range{1, 99});
  b.flag({"first", "", "the first layer is moved by Muon too; its authors leave it to AdamW"}, m.first);
  b.flag({"output", "", "the output layer is moved by Muon too; its authors leave it to AdamW"}, m.output);
  b.choice({"rest", "", "update rule of all other parameters, among them gains, biases and embeddings"}, m.rest,
           {"sgd", "adamw"});
  b.number({"rest_rate", "1", "learning rate of all other parameters, times learning_rate"}, m.rest_rate,
           k_not_negative);
}

void bind_optimiser(Binder& b, theory::OptimiserSpec& o) {
  b.choice({"kind", "", "update rule"}, o.kind, {"sgd", "adamw", "muon"});
  b.number({"learning_rate", "1", "at the start"}, o.learning_rate, k_not_negative);
  b.choice({"law", "", "course of the learning rate; linear falls to 0 at the horizon, schedule: see [schedule]"},
           o.law, {"constant", "linear", "cosine", "inverse-time", "schedule", "effort"});
  b.number({"decay", "1/epoch", "of law inverse-time: 1 / (1 + decay t)"}, o.decay, k_not_negative);
  b.number({"warmup_epochs", "epochs", "linear rise from 0 at the start"}, o.warmup_epochs, k_not_negative);
  b.number(
      {"effort_price", "1", "kappa of law effort: rate sqrt(2 (P_T - P) / kappa), P the running training accuracy"},
      o.effort_price, k_positive);
  b.number({"expected_performance", "1", "P_T of law effort: training accuracy expected at the end"},
           o.expected_performance, k_share);
  b.number({"momentum", "1", "sgd"}, o.momentum, k_below_one);
  b.flag({"nesterov", "", "sgd: Nesterov's momentum"}, o.nesterov);
  b.number({"weight_decay", "1", "L2 for sgd, decoupled for adamw and muon"}, o.weight_decay, k_not_negative);
  b.number({"beta1", "1", "adamw"}, o.beta1, k_below_one);
  b.number({"beta2", "1", "adamw"}, o.beta2, k_below_one);
  b.number({"epsilon", "1", "adamw"}, o.epsilon, k_positive);
  b.number({"clip", "1", "largest norm of the gradient of all parameters, longer ones are shortened to it; 0: none"},
           o.clip, k_not_negative);
  b.table({"muon", "", "of kind muon: orthogonalised momentum for the matrices of hidden layers"},
          [&](Binder& m) { bind_muon(m, o.muon); });
}

}  // namespace

void bind(Binder& b, TrainingSpec& s) {
  b.table({"train", "", "how long, how often, which seeds"}, [&](Binder& t) { bind_train(t, s); });
  b.table({"data", "", "what is learned"}, [&](Binder& t) { bind_data(t, s.data); });
  b.table({"network", "", "an architecture with its sizes, or a list of layers; inputs and classes come from the data"},
          [&](Binder& t) { bind_network(t, s.network); });
  b.table({"optimiser", "", "how weights move"}, [&](Binder& t) { bind_optimiser(t, s.optimiser); });
}

}  // namespace eos::io
