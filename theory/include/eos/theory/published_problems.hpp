// State the control problems of the literature on learning: each a model of models.hpp with the paper's terms and
// numbers.
//
// curriculum      which difficulty when; control u = share of easy examples, budget on its integral (curriculum.hpp)
// denoising       noise level Delta(t) of a denoising autoencoder (denoising.hpp)
// dropout         activation probability p(alpha), and p_F at test time (order_parameters.hpp)
// committee       learning rate and fraction of weights written, of a soft committee machine (order_parameters.hpp)
// perceptron      which examples to train on when screening costs (perceptron.hpp)
// effort          learning rate of one or two modes against quadratic effort; closed form known
// scaling-law, batch-ramp: schedules of the functional scaling law (scaling_law.hpp, power_schedule.hpp)
// effort-linear-unit, effort-linear-network, rate-linear-network: learning effort (learning_effort.hpp)
#pragma once

#include "eos/theory/models.hpp"

namespace eos::theory {

/// Minimise the final error, averaged over difficulties by their shares, by the share u(alpha) in [0, 1] of easy
/// examples (drifts add by shares, which is what fine alternation does); int u dalpha = easy_share alpha_F is the final
/// value of the state `easy`. Mignacco & Mori, arXiv:2507.07907, section 3.1.
Model curriculum_model();

/// Minimise the reconstruction error at the test noise Delta_F by the noise Delta(t) in training. Mignacco & Mori,
/// section 3.3.
Model denoising_model();

/// Minimise half of eps_g (the published cost) by p(alpha) in [0, 1]; the scale p_F of outputs at test time is a state
/// that keeps its free initial value. Mignacco & Mori, section 3.2.
Model dropout_model();

/// Minimise eps_g(T) and what writing costs, by the learning rate (Saad & Rattray, PRL 79, 2578 (1997)) and the
/// fraction kappa of weights written.
Model committee_model();

/// Minimise the final error and the cost of screening and training, by the step f and the band |h| < c.
Model perceptron_model();

/// One mode or two: e' = -eta lambda e, cost int exp(-r t) ( lambda e^2/2 + c eta^2/2 ) dt: for r = 0 the rate is
/// sqrt(2 (L(t) - L(T))/c). After Njaradi, Carrasco-Davis, Latham & Saxe, arXiv:2601.07830; closed form in
/// docs/order-parameters.md.
Model effort_model();

/// One weight, cost int gamma^t ( r L + beta g^2 ) dt over the gain g (the paper maximises the negative).
/// Carrasco-Davis, Masis & Saxe, arXiv:2310.19919.
Model linear_unit_effort_model();

/// Gains on both layers of a two-layer linear network that learns two aspects of strength s_1, s_2 (Sx = I,
/// Sxy = diag(s)), cost exp(beta sum g^2) - 1. The same paper; aspects in place of its data sets.
Model linear_network_effort_model();

/// One learning-rate gain 1 + g for both layers, cost beta (g - g_0)^2. The same paper.
Model linear_network_rate_model();

/// Minimise (1+T)^-s + sigma^2 int_0^T K(T - z) gamma(z) dz over gamma <= gamma_max within N steps, K(u) = (1+u)^-(2 -
/// 1/beta); steps run from the end. Closed form: power_schedule.hpp. After Li et al., arXiv:2602.06797.
Model scaling_law_model();

/// Minimise eta sigma^2 int K(T - t)/b dt + c_b int b dt over b(t); closed form: PricedBatch in power_schedule.hpp.
/// After Li et al., arXiv:2602.14208.
Model batch_ramp_model();

}  // namespace eos::theory
