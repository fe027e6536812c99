#include "compiled_problem.hpp"

#include <numeric>

namespace eos::solvers {

namespace {

using theory::Expr;

std::vector<Expr> path_rows(const theory::ControlProblem& problem) {
  std::vector<Expr> rows;
  for (const auto& state : problem.states) rows.push_back(state.dynamics);
  rows.push_back(problem.running_cost());
  for (const auto& constraint : problem.path) rows.push_back(constraint.expression);
  return rows;
}

std::vector<Expr> end_rows(const theory::ControlProblem& problem) {
  std::vector<Expr> rows{problem.terminal_cost()};
  for (const auto& constraint : problem.ends) rows.push_back(constraint.expression);
  return rows;
}

/// Q = l + p . f + nu . g over the rows of path_rows; the multipliers are inputs.
Expr path_lagrangian(const theory::ControlProblem& problem, const std::vector<Expr>& rows) {
  const int n = static_cast<int>(problem.states.size()), slots = problem.path_slots();
  Expr q = rows[n];
  for (int i = 0; i < n; ++i) q += Expr::input(slots + i) * rows[i];
  for (std::size_t i = n + 1; i < rows.size(); ++i) q += Expr::input(slots + static_cast<int>(i) - 1) * rows[i];
  return q;
}

Expr end_lagrangian(const theory::ControlProblem& problem, const std::vector<Expr>& rows) {
  Expr q = rows[0];
  for (std::size_t i = 1; i < rows.size(); ++i)
    q += Expr::input(problem.end_slots() + static_cast<int>(i) - 1) * rows[i];
  return q;
}

/// Columns are the input slots 0 .. columns-1.
DerivativeSet derive(const std::vector<Expr>& rows, const Expr& lagrangian, int columns, int inputs) {
  DerivativeSet set;
  set.rows = static_cast<int>(rows.size()), set.columns = columns;
  std::vector<int> variables(columns);
  std::iota(variables.begin(), variables.end(), 0);
  std::vector<Expr> outputs = rows;
  set.values = theory::Program(outputs, inputs);
  for (int row = 0; row < set.rows; ++row) {
    const std::vector<Expr> gradient = theory::gradient(rows[row], variables);
    for (int column = 0; column < columns; ++column)
      if (!gradient[column].is_constant(0)) {
        set.jacobian.push_back({row, column});
        outputs.push_back(gradient[column]);
      }
  }
  set.first = theory::Program(outputs, inputs);
  const std::vector<Expr> slope = theory::gradient(lagrangian, variables);
  for (int row = 0; row < columns; ++row) {
    if (slope[row].is_constant()) continue;
    const std::vector<Expr> second = theory::gradient(slope[row], variables);
    for (int column = 0; column <= row; ++column)
      if (!second[column].is_constant(0)) {
        set.hessian.push_back({row, column});
        outputs.push_back(second[column]);
      }
  }
  set.nonlinear = !set.hessian.empty();
  set.second = theory::Program(outputs, inputs);
  return set;
}

theory::Program parameter_program(const std::vector<Expr>& rows, const Expr& lagrangian, int columns, int inputs,
                                  int slot) {
  std::vector<Expr> outputs;
  for (const Expr& row : rows) outputs.push_back(theory::differentiate(row, slot));
  std::vector<int> variables(columns);
  std::iota(variables.begin(), variables.end(), 0);
  for (const Expr& slope : theory::gradient(theory::differentiate(lagrangian, slot), variables))
    outputs.push_back(slope);
  return theory::Program(outputs, inputs);
}

}  // namespace

CompiledProblem::CompiledProblem(const theory::ControlProblem& problem) : problem_(problem) {
  problem_.check();
  n_ = static_cast<int>(problem_.states.size());
  m_ = static_cast<int>(problem_.controls.size());
  k_ = static_cast<int>(problem_.parameters.size());
  autonomous_ = problem_.autonomous();
  const std::vector<Expr> path = path_rows(problem_), end = end_rows(problem_);
  path_ = derive(path, path_lagrangian(problem_, path), 1 + n_ + m_, path_inputs());
  end_ = derive(end, end_lagrangian(problem_, end), 1 + 2 * n_, end_inputs());
  for (int i = 0; i < n_; ++i) {
    bool found = false;
    for (const Expr& row : end) found |= theory::depends_on(row, problem_.initial_slot(i));
    initial_in_end_.push_back(found);
  }
  std::vector<Expr> running, terminal;
  for (const auto& cost : problem_.costs) running.push_back(cost.running), terminal.push_back(cost.terminal);
  running_terms_ = theory::Program(running, path_inputs());
  terminal_terms_ = theory::Program(terminal, end_inputs());
}

std::vector<double> CompiledProblem::parameter_values() const {
  std::vector<double> values;
  for (const auto& parameter : problem_.parameters) values.push_back(parameter.value);
  return values;
}

ParameterDerivative differentiate_in_parameter(const CompiledProblem& compiled, int parameter) {
  const theory::ControlProblem& problem = compiled.problem();
  const std::vector<Expr> path = path_rows(problem), end = end_rows(problem);
  return {parameter_program(path, path_lagrangian(problem, path), compiled.path().columns, compiled.path_inputs(),
                            problem.parameter_slot(parameter)),
          parameter_program(end, end_lagrangian(problem, end), compiled.end().columns, compiled.end_inputs(),
                            problem.end_parameter_slot(parameter))};
}

}  // namespace eos::solvers
