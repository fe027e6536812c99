// What `eos explain METHOD` says about the solvers of control problems.
#include "methods.hpp"

namespace eos::cli {

const std::vector<SolverExplanation>& solver_explanations() {
  static const std::vector<SolverExplanation> k_all = {
      {"auto", "Chooses one of the methods below by the structure of the problem and says why.", "",
       "as the chosen method", "The default."},
      {"closed-form", "Recognises problems whose optimum is known as a formula.", "the papers of each formula",
       "exact up to rounding", "For checks, and for millions of evaluations."},
      {"adjoint",
       "Single shooting: piecewise constant controls, gradient by the discrete adjoint, bounded quasi-Newton.",
       "Bryson & Ho 1975, ch. 7", "first order in the length of the intervals",
       "For long horizons with many states and few switches. Not for constraints on states."},
      {"sweep",
       "Damped forward-backward sweep: states forward, costates backward, controls from the minimum principle.",
       "Lenhart & Workman, Optimal Control Applied to Biological Models, 2007", "order of its integrator",
       "For problems with free end values whose sweep contracts: short horizons, strong running cost."},
      {"shooting", "Multiple shooting on the two-point problem of the minimum principle, arc by arc.",
       "Bulirsch & Stoer; Oberle & Grimm, BNDSCO, 1989", "order of its integrator, switching times to rounding",
       "To polish: 10 digits and more, once the order of the arcs is known."},
      {"trapezoid", "Direct transcription by the trapezoidal rule, solved by an interior-point method.",
       "Betts, Practical Methods for Optimal Control, 2010", "order 2", "For rough problems and as a cross-check."},
      {"hermite-simpson", "Direct transcription with cubic states (Lobatto IIIA of 3 stages).",
       "Hargraves & Paris 1987; Betts 2010", "order 4", "For smooth problems; does not damp stiff ones."},
      {"radau", "Direct transcription by Radau IIA collocation of 3 stages with mesh refinement.",
       "Hager 2000; Garg et al. 2010", "order 5",
       "The work horse: stiff problems, bounds, free horizons, path constraints."},
      {"ipopt", "The same transcription, solved by Ipopt.", "Waechter & Biegler, Math. Program. 106, 25 (2006)",
       "as the transcription", "A second opinion on the interior point; needs a build with Ipopt."},
      {"hjb", "Dynamic programming on a grid: the value function and the feedback law of every state.",
       "Crandall & Lions 1984; Falcone & Ferretti 2014", "first order in the grid",
       "Up to three states; finds the global optimum and a bound that proves it."}};
  return k_all;
}

}  // namespace eos::cli
