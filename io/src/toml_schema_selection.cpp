// [selection]: which samples are presented and learned.
#include "toml_schema.hpp"

namespace eos::io {

namespace {

void bind_gate(Binder& b, theory::SelectionSpec& s) {
  b.choice({"gate", "", "which samples are back-propagated, by their scores"}, s.gate,
           {"all", "threshold", "ranked", "errors", "gap", "chance", "flat", "ratio"});
  b.choice({"score", "", "what the gate looks at; all but current spare what is dropped the whole forward"}, s.score,
           {"current", "stale", "shallow", "proxy"});
  b.choice({"batching", "",
            "full: kept samples are collected into full batches; shrinking batches take the mean over the "
            "kept, or their sum over the nominal batch"},
           s.batching, {"full", "shrink-mean", "shrink-sum"});
  b.flag({"two_forward", "", "score in a separate forward, then forward the kept again"}, s.two_forward);
  b.number({"tau", "1", "gate threshold: keep samples whose true class has probability < tau"}, s.tau, k_unit);
  b.choice({"tau_law", "", "course of tau over the run, from tau to tau_end"}, s.tau_law,
           {"constant", "linear", "cosine", "exponential"});
  b.number({"tau_end", "1", "tau at the end of the run"}, s.tau_end, k_unit);
  b.number({"tau_steepness", "1", "tau_law exponential: e-foldings over the run"}, s.tau_steepness, k_positive);
  b.number({"margin", "1",
            "gate errors: keep right samples whose probability is below it too; gate gap: keep when the two largest "
            "probabilities are closer"},
           s.margin, k_unit);
  b.choice({"rank_by", "", "gate ranked: difficulty"}, s.rank_by, {"residual", "loss"});
  b.number({"confidence", "1", "gate ranked: drop only what is right with at least this probability; 0: by rank alone"},
           s.confidence, k_unit);
  b.number({"chance_power", "1", "gate chance: keep with probability CDF(loss) to this power"}, s.chance_power,
           k_not_negative);
  b.integer({"chance_window", "samples", "gate chance: recent losses that make the CDF"}, s.chance_window, k_count);
  b.number({"flatness", "nats", "gate flat: drop when the second difference of the loss is smaller for 3 epochs"},
           s.flatness, k_not_negative);
}

void bind_fraction(Binder& b, theory::SelectionSpec& s) {
  b.choice({"fraction_source", "", "where the fraction of present random and gate ranked comes from"},
           s.fraction_source, {"constant", "law", "stored", "schedule", "milestones", "adaptive"});
  b.number({"fraction", "1", "fraction_source constant; adaptive: at the start"}, s.fraction, k_share);
  b.choice({"law", "",
            "fraction_source law, over epochs t: a; a^t; a (t+1)^-b; a / (1 + b t); a - b ln(t+1); a ln b / ln(t+b); "
            "a exp(-b t); 2 a / (1 + exp(b t))"},
           s.law,
           {"constant", "geometric", "power", "inverse-linear", "logarithmic", "inverse-logarithmic", "exponential",
            "sigmoid"});
  b.number({"law_a", "1", "a of the law"}, s.law_a, k_positive);
  b.number({"law_b", "1", "b of the law"}, s.law_b, k_not_negative);
  b.numbers({"stored", "1", "fraction_source stored: one fraction per epoch"}, s.stored, k_share);
  b.number({"hide", "1", "fraction_source milestones: largest share hidden"}, s.hide, k_below_one);
  b.numbers({"milestones", "1", "shares of the run at which the factor on `hide` changes"}, s.milestones, k_unit);
  b.numbers({"hide_factors", "1", "one before the first milestone and one after each"}, s.hide_factors, k_unit);
  b.number({"adaptive_step", "1", "fraction_source adaptive: largest move in an epoch"}, s.adaptive_step, k_unit);
  b.number({"adaptive_tolerance", "1", "the fraction falls when the training accuracy rose by more, else it rises"},
           s.adaptive_tolerance, Range{-1, 1});
  b.choice({"rounding", "", "present random: unbiased over the epoch, or floor(fraction batch) of every batch"},
           s.rounding, {"unbiased", "batch-floor"});
  b.number({"floor", "1", "smallest fraction"}, s.floor, k_share);
}

void bind_scores(Binder& b, theory::SelectionSpec& s) {
  b.integer({"refresh_epochs", "epochs", "score stale: hidden samples are forwarded at the end of every n-th epoch"},
            s.refresh_epochs, k_count);
  b.choice({"rate_compensation", "", "learning rate over the fraction of the law, or over that really trained"},
           s.rate_compensation, {"none", "nominal", "realised"});
  b.integer({"shallow_centres", "samples", "score shallow: samples whose features make the density"}, s.shallow_centres,
            Range{2, 1 << 20});
  std::vector<std::int64_t> hidden(s.proxy_hidden.begin(), s.proxy_hidden.end());
  b.integers({"proxy_hidden", "1", "score proxy: widths of its hidden layers"}, hidden, Range{1, 1 << 20});
  s.proxy_hidden.assign(hidden.begin(), hidden.end());
  b.integer({"proxy_every", "chunks", "score proxy: it learns from every n-th chunk it scored"}, s.proxy_every,
            k_count);
  b.number({"proxy_rate", "1", "score proxy: its learning rate over the network's"}, s.proxy_rate, k_not_negative);
}

}  // namespace

void bind(Binder& b, theory::SelectionSpec& s) {
  b.choice({"present", "", "which samples are forwarded at all"}, s.present,
           {"all", "random", "infobatch", "spaced", "inspected"});
  bind_gate(b, s);
  bind_fraction(b, s);
  bind_scores(b, s);
  b.number({"revision_epochs", "epochs", "all data during the last so many epochs"}, s.revision_epochs, k_not_negative);
  b.number({"revision_share", "1", "all data during the last share of the epochs; the longer one applies"},
           s.revision_share, k_unit);
  b.number({"start_epochs", "epochs", "all data during the first so many epochs"}, s.start_epochs, k_not_negative);
  b.number({"infobatch_r", "1", "present infobatch: probability to drop an easy sample"}, s.infobatch_r, k_below_one);
  b.number({"spaced_threshold", "1", "present spaced: samples below it in squared residual are easy"},
           s.spaced_threshold, k_not_negative);
  b.flag({"spaced_relative", "", "that threshold is relative to the running mean"}, s.spaced_relative);
  b.number({"spaced_probability", "1", "present spaced: probability to present an easy sample"}, s.spaced_probability,
           k_share);
  b.number({"ratio_alpha", "1", "gate ratio: keep when benefit per joule >= alpha times the average"}, s.ratio_alpha,
           k_not_negative);
  b.number({"ratio_exponent", "1", "gate ratio: benefit is residual^exponent"}, s.ratio_exponent, k_positive);
  b.number({"token_share", "1", "sequences: share of a batch's tokens, the hardest, that is back-propagated"},
           s.token_share, k_share);
  b.choice({"row_gate", "",
            "which rows (tokens, else samples) of each dense layer are back-propagated: all, those with an error, the "
            "share with the largest errors, by benefit per multiply-add as gate ratio, or drawn by size without bias, "
            "for weight gradients alone or for errors too"},
           s.row_gate, {"none", "zeros", "share", "ratio", "drawn", "drawn-through"});
  b.number({"row_share", "1", "row_gate share: of the rows of each dense layer"}, s.row_share, k_share);
  b.integer({"minimum_kept", "samples", "shrinking batches below it are skipped"}, s.minimum_kept, k_count);
}

}  // namespace eos::io
