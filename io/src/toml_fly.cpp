// The keys of [fly].
#include "toml_schema.hpp"

namespace eos::io {

void bind(Binder& b, theory::FlySpec& s) {
  b.table({"fly", "", "flies that pay for long-term memory with the reserve they live on"}, [&](Binder& t) {
    t.text({"title", "", "one line that names the run in tables and pictures"}, s.title);
    t.integer({"flies", "1", "simulated in every cell of the grid, the same ones"}, s.flies, Range{1, 1e8});
    t.integer({"days", "d", "T, one trial a day"}, s.days, Range{1, 1e5});
    t.integer({"seed", "1", "of all draws"}, s.seed, k_not_negative);
    t.numbers({"hazards", "1", "h, of dying on a day on which the punished odour is chosen"}, s.hazards, k_unit);
    t.choices({"gates", "",
               "when a lesson goes to long-term memory: `energy` E > c0, `error` abs(dR) > c1, `and`, `or` of both, "
               "`linear` c0 E + c1 abs(dR) > 1"},
              s.gates, theory::fly_gate_names());
    t.numbers({"energy_thresholds", "1", "c0; a list is searched for the longest life"}, s.energy_thresholds, k_any);
    t.numbers({"error_thresholds", "1", "c1; the same"}, s.error_thresholds, k_any);
    t.number({"starvation_exponent", "1", "k of the daily hazard exp(-k E) of the reserve E"}, s.starvation_exponent,
             k_not_negative);
    t.number({"ltm_cost", "1", "c, reserve per unit of abs(change) of a long-term weight"}, s.ltm_cost, k_not_negative);
    t.number({"ltm_event_cost", "1", "c_0, reserve per day with an open gate"}, s.ltm_event_cost, k_not_negative);
    t.number({"arm_decay", "1/d", "a, what is left of the anaesthesia-resistant memory after a day"}, s.arm_decay,
             k_unit);
    t.number({"expectation_decay", "1/d", "b, what is left of the expected reward after a day"}, s.expectation_decay,
             k_unit);
    t.number({"learning_rate", "1", "eta of both pathways"}, s.learning_rate, k_not_negative);
    t.number({"ltm_initial", "1", "long-term weight of both odours on the first day"}, s.ltm_initial, k_any);
    t.number({"ltm_lower", "1", "its lower bound"}, s.ltm_lower, k_any);
    t.number({"ltm_upper", "1", "its upper bound"}, s.ltm_upper, k_any);
    t.number({"input_mean", "1", "mu, mean rate of an odour in a pathway"}, s.input_mean, k_any);
    t.number({"input_stdev", "1", "sigma; the default is the square root of 10"}, s.input_stdev, k_not_negative);
    t.number({"reserve_lower", "1", "the reserves of the first day are spread evenly from here"}, s.reserve_lower,
             k_unit);
    t.number({"reserve_upper", "1", "to here"}, s.reserve_upper, k_unit);
    t.number({"daily_feed", "1/d", "f, reserve gained each day, below 0 spent"}, s.daily_feed, Range{-1, 1});
    t.number({"punishment_probability", "1", "p, of punishment when the punished odour is chosen"},
             s.punishment_probability, k_unit);
  });
}

}  // namespace eos::io
