// [selection]: which samples are presented and learned.
#include "toml_schema.hpp"

namespace eos::io {

void bind(Binder& b, theory::SelectionSpec& s) {
  b.choice({"present", "", "which samples are forwarded at all"}, s.present, {"all", "random", "infobatch", "spaced"});
  b.choice({"gate", "", "which forwarded samples are back-propagated"}, s.gate,
           {"all", "threshold", "ranked", "errors", "ratio"});
  b.choice({"batching", "",
            "full: kept samples are collected into full batches; shrinking batches take the mean over the "
            "kept, or their sum over the nominal batch"},
           s.batching, {"full", "shrink-mean", "shrink-sum"});
  b.flag({"two_forward", "", "score in a separate forward, then forward the kept again"}, s.two_forward);
  b.number({"tau", "1", "gate threshold: keep samples whose true class has probability < tau"}, s.tau, k_unit);
  b.choice({"fraction_source", "", "where the fraction of present random and gate ranked comes from"},
           s.fraction_source, {"constant", "law", "stored", "schedule"});
  b.number({"fraction", "1", "fraction_source constant"}, s.fraction, k_share);
  b.choice({"law", "", "fraction_source law, over epochs t: a; a^t; a (t+1)^-b; a / (1 + b t); a - b ln(t+1)"}, s.law,
           {"constant", "geometric", "power", "inverse-linear", "logarithmic"});
  b.number({"law_a", "1", "a of the law"}, s.law_a, k_positive);
  b.number({"law_b", "1", "b of the law"}, s.law_b, k_not_negative);
  b.numbers({"stored", "1", "fraction_source stored: one fraction per epoch"}, s.stored, k_share);
  b.number({"floor", "1", "smallest fraction"}, s.floor, k_share);
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
  b.integer({"minimum_kept", "samples", "shrinking batches below it are skipped"}, s.minimum_kept, k_count);
}

}  // namespace eos::io
