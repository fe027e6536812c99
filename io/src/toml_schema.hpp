// The keys of every table that eos reads, each with unit, range, default and meaning. Private to io/.
#pragma once

#include "eos/io/toml.hpp"
#include "toml_binder.hpp"

namespace eos::io {

/// Tables train, data and those inside, network, optimiser.
void bind(Binder& b, theory::TrainingSpec& spec);
/// The keys of [data].
void bind_data(Binder& b, theory::DataSpec& data);
/// The keys of [network].
void bind_network(Binder& b, theory::NetworkSpec& network);
/// The keys of [selection] and [plasticity] but `method`, whose preset is already in the value.
void bind(Binder& b, theory::SelectionSpec& selection);
void bind(Binder& b, theory::PlasticitySpec& plasticity);
void bind(Binder& b, theory::UnitSpec& units);
void bind(Binder& b, theory::FreezeSpec& freeze);
void bind(Binder& b, theory::GroupSpec& groups);
void bind(Binder& b, theory::GrowthSpec& growth);
void bind(Binder& b, theory::TopologySpec& topology);
/// The keys of [schedule] but `file`.
void bind(Binder& b, theory::Schedule& schedule);
/// The keys of [prices].
void bind(Binder& b, theory::PriceList& prices);
/// Tables problem, modes, price, data_fraction, weight_fraction, learning_rate.
void bind(Binder& b, theory::ModeProblem& problem);
/// Table energy_model.
void bind(Binder& b, theory::EnergyModel& model);
/// Table fly.
void bind(Binder& b, theory::FlySpec& spec);
/// Tables perceptron, perceptron.cache.
void bind(Binder& b, theory::PerceptronSpec& spec);
/// Table plan.
void bind(Binder& b, PlanRequest& request);

}  // namespace eos::io
