#include "methods.hpp"

namespace eos::cli {

namespace {

constexpr const char* k_pdd =
    "Sathiyanarayanan, Hao, Hou, Lu, Sevilla-Lara, Arnab & Gowda, Progressive Data Dropout, NeurIPS 2025, "
    "arXiv:2505.22342";
constexpr const char* k_pdd_laws =
    "Sathiyanarayanan et al., Progressive Data Dropout, NeurIPS 2025, and public forks of its code; constants: fit to "
    "a recorded run (tau = 0.3, "
    "29 epochs)";

constexpr const char* k_lazy = "Pache & van Rossum, Lazy learning, arXiv:2303.16067 (2023)";

std::vector<MethodExplanation> selection() {
  return {
      {"selection", "all", "Every sample is forwarded and back-propagated.", "keep s always",
       "plain stochastic gradient descent", "F + B",
       "The baseline of every comparison. Run it at several horizons: its accuracy-energy curve is what savings are "
       "measured on."},
      {"selection", "dbpd",
       "Difficulty-based progressive dropout: a sample is back-propagated when the network is not yet sure of it. One "
       "masked forward; kept samples are collected into full batches, which is exact because the weights do not change "
       "in between.",
       "keep s  <=>  p_true(s) < tau        (tau = 0.3)", k_pdd,
       "F + k B: never below F, because every sample is scored",
       "Cheap to add. Saves backward passes and writes, never forward passes. Label noise is kept on purpose by the "
       "rule: hard is not always useful."},
      {"selection", "dbpd-two-forward",
       "The published implementation: a scoring forward over the batch, then a second forward and the backward of the "
       "kept samples, as a shrinking batch with the mean over what is left; the last epoch uses all data.",
       "keep s  <=>  p_true(s) < tau        (tau = 0.3)", k_pdd, "F + k (F + B)",
       "To reproduce published numbers. At equal decisions 'dbpd' costs less."},
      {"selection", "dbpd-shrink",
       "As dbpd with one forward, but the update is the mean over what is left of each batch.",
       "keep s  <=>  p_true(s) < tau        (tau = 0.3)", k_pdd,
       "F + k B; one update per batch however few samples are left",
       "To see what collecting full batches is worth: small batches are noisy and write every weight."},
      {"selection", "srd",
       "Scheduled random dropout: a random subset that shrinks geometrically; dropped samples are not even forwarded.",
       "P(keep) = gamma^epoch        (gamma = 0.95)", k_pdd, "k (F + B)",
       "The control that shows how much of a saving comes from using less data at all, rather than from choosing it."},
      {"selection", "smrd",
       "As srd, with the keep fraction of a recorded dbpd run: by default a power law fitted to the published one.",
       "P(keep) = min(1, a (epoch + 1)^-b)        (a = 0.685, b = 0.595)", k_pdd, "k (F + B)",
       "Random selection on the schedule of a difficulty-based run. Put your own run's fractions into "
       "selection.stored."},
      {"selection", "srd-floor",
       "As srd, but the number is rounded down in every batch, as the published program does: it presents fewer "
       "samples "
       "than its law says.",
       "floor(gamma^epoch B) of every B positions        (gamma = 0.95)", k_pdd, "k (F + B)",
       "To reproduce the published counts: 16.09 effective epochs of 30 at batch 32, where the law gives 16.48."},
      {"selection", "power-law", "smrd under the name of its law.",
       "P(keep) = min(1, a (epoch + 1)^-b)        (a = 0.685, b = 0.595)", k_pdd_laws, "k (F + B)",
       "The law that recorded keep fractions of difficulty-based dropout follow best (R^2 = 0.99)."},
      {"selection", "inverse-linear", "A random subset whose share falls as one over the epoch.",
       "P(keep) = a / (1 + b epoch)        (a = 0.63, b = 0.29, fitted)", k_pdd_laws, "k (F + B)",
       "To compare shapes of k(t) at equal effective epochs. R^2 = 0.99 on the recorded series."},
      {"selection", "log-law", "A random subset whose share falls with the logarithm of the epoch.",
       "P(keep) = a - b ln(epoch + 1)        (a = 0.555, b = 0.151, fitted)", k_pdd_laws, "k (F + B)",
       "As inverse-linear; R^2 = 0.95. It reaches 0 after exp(a/b) epochs: set selection.floor in long runs."},
      {"selection", "inverse-log", "A random subset whose share falls as one over the logarithm of the epoch.",
       "P(keep) = a ln(b) / ln(epoch + b)        (a = 0.690, b = 1.829, fitted)", k_pdd_laws, "k (F + B)",
       "As inverse-linear; R^2 = 0.94, a long tail."},
      {"selection", "exponential", "A random subset whose share falls exponentially, from a first share below one.",
       "P(keep) = a exp(-b epoch)        (a = 0.496, b = 0.0966, fitted)", k_pdd_laws, "k (F + B)",
       "As inverse-linear; R^2 = 0.87."},
      {"selection", "sigmoid", "A random subset whose share falls along a complementary sigmoid.",
       "P(keep) = 2 a / (1 + exp(b epoch))        (a = 0.454, b = 0.126, fitted)", k_pdd_laws, "k (F + B)",
       "As inverse-linear; R^2 = 0.81."},
      {"selection", "adaptive",
       "A random subset whose share falls by a random step after an epoch in which the training accuracy rose, and "
       "rises "
       "by one otherwise. The accuracy is that of the samples trained on, so the feedback is free.",
       "k <- k - s u if accuracy rose by more than c, else k + s u,  u uniform on (0, 1)        (s = 0.1, c = 0.001)",
       "after Gahir, Patel & Gowda, Adaptive Data Dropout, arXiv:2604.12945 (2026; its constants are not published: s, "
       "c are ours)",
       "k (F + B)",
       "When no schedule is known beforehand. Noise in the accuracy of small runs makes it a random walk."},
      {"selection", "dbpd-gap",
       "As dbpd, but a sample is easy when it is right and its two most probable classes are apart.",
       "keep s  <=>  wrong, or p_1(s) - p_2(s) < m        (m = 0.1)",
       "public replication of progressive data dropout (M. Goltermann, LearningWithRevisionATDL, 2025)", "F + k B",
       "A threshold that asks for a decision rather than for confidence: it keeps more than tau = 0.3."},
      {"selection", "tau-rising", "dbpd with a threshold that rises over the run: it starts by dropping more.",
       "keep s  <=>  p_true(s) < tau(t),  tau from 0.1 to 0.9        (linear; also cosine, exponential)",
       "public replication of progressive data dropout (M. Goltermann, LearningWithRevisionATDL, 2025)", "F + k B",
       "Tightening late is the safe direction: in the replication it was the best schedule of tau."},
      {"selection", "tau-falling", "dbpd with a threshold that falls over the run.",
       "keep s  <=>  p_true(s) < tau(t),  tau from 0.9 to 0.1        (linear; also cosine, exponential)",
       "public replication of progressive data dropout (M. Goltermann, LearningWithRevisionATDL, 2025)", "F + k B",
       "The control for tau-rising: accuracy before the full last epoch suffers."},
      {"selection", "ranked", "The hardest fraction of each chunk by residual norm is back-propagated.",
       "keep s  <=>  |p - y|_s among the largest rho B of the chunk        (rho = 0.3)",
       "the data control rho of the mode model; Loshchilov & Hutter, Online Batch Selection, 2015; Jiang et al., "
       "Selective-Backprop, 2019",
       "F + rho B", "When the fraction is to be controlled exactly, e.g. to measure capture curves."},
      {"selection", "lazy", "Only misclassified samples are back-propagated.", "keep s  <=>  argmax p(s) != label(s)",
       k_lazy, "F + k B",
       "Few writes early; it starves once the training accuracy is high and then never reaches the accuracy of dense "
       "training."},
      {"selection", "lazy-margin",
       "Misclassified samples, and right ones whose probability is below a margin, are back-propagated.",
       "keep s  <=>  wrong, or p_true(s) < m        (m = 0.5)", k_lazy, "F + k B",
       "As lazy, without its starvation: the margin keeps some samples coming. m = 0 is lazy itself."},
      {"selection", "infobatch",
       "A sample whose last seen loss is below the mean is dropped with probability r; when kept it weighs 1 / (1 - "
       "r), so that the mean gradient stays unbiased. All data at the end.",
       "drop s with probability r  <=>  last loss(s) < mean loss        (r = 0.5; all data in the last 12.5 %)",
       "Qin et al., InfoBatch: lossless training speed up by unbiased dynamic data pruning, ICLR 2024, "
       "arXiv:2303.04947",
       "k (F + B)", "Unbiased and scoring-free; the saving is bounded by r times the share of easy samples."},
      {"selection", "kakurenbo",
       "At the start of an epoch the samples with the lowest last losses are hidden, those that are wrong or not "
       "confident excepted. Hidden samples are forwarded at the end of the epoch; the learning rate grows by what is "
       "hidden at most.",
       "hide s  <=>  last loss(s) among the lowest F f(t), right, p_true(s) >= 0.7;  eta <- eta / (1 - F f(t))        "
       "(F = 0.3, f = 1, 0.8, 0.6, 0.4 from 0, 30, 60, 80 % of the run)",
       "Nguyen et al., KAKURENBO: adaptively hiding samples in deep neural network training, NeurIPS 2023, "
       "arXiv:2310.10102",
       "F + k B: hidden samples are still forwarded once an epoch",
       "Long runs with a learning rate that can bear the factor. selection.rate_compensation = \"realised\" uses what "
       "is really hidden."},
      {"selection", "ies",
       "Instance-dependent early stopping: a sample whose loss has stopped bending is not trained on; it is forwarded "
       "every epoch and returns when its loss moves.",
       "drop s  <=>  mean over 3 epochs of |L_t - 2 L_(t-1) + L_(t-2)| < delta        (delta = 1e-3)",
       "Yuan et al., Instance-dependent Early Stopping, ICLR 2025, arXiv:2502.07547", "F + k B",
       "Runs of many epochs: nothing can be dropped in the first five. A flat loss does not tell learned from stuck."},
      {"selection", "selective-backprop",
       "A sample is back-propagated with a probability that is a power of the rank of its loss among recent losses.",
       "P(keep s) = CDF(loss(s))^beta        (beta = 1: half of the samples; 1024 recent losses)",
       "Jiang et al., Accelerating Deep Learning by Focusing on the Biggest Losers, arXiv:1910.00762 (2019)",
       "F + k B, k = 1 / (beta + 1)", "A soft version of ranked. Joined with 'stale' the forward is spared too."},
      {"selection", "stale",
       "Scores of the last forward of each sample decide. The gate looks at all samples at the start of an epoch; "
       "hidden "
       "ones are not forwarded until every n-th epoch ends.",
       "decide from the scores last seen; refresh every n epochs        (n = 3; alone: the half with the largest loss)",
       "Jiang et al., arXiv:1910.00762 (2019), stale variant; Qin et al., InfoBatch, ICLR 2024",
       "k (F + B) + (1 - k) F / n",
       "Join it with a gate: dbpd+stale, selective-backprop+stale. Nothing is hidden in the first epoch."},
      {"selection", "shallow",
       "Scores of the first hidden layer alone decide. What lies where training samples are dense is redundant; "
       "the others go on from the features computed.",
       "score(s) = 1 / sum_j exp(-|f(s) - f(c_j)|^2 / 2 h^2)        (100 centres, h^2 their mean squared distance)",
       "after Partial Forward Blocking, ICCV 2025, arXiv:2506.23674 (choice of centres and bandwidth are ours)",
       "(1 - k) F_1 + k (F + B) + 100 multiply-adds a unit of layer 1",
       "Deep networks whose first layer is a small part of the forward. In a narrow MLP the first layer is most of "
       "it."},
      {"selection", "proxy",
       "Scores of a small second network decide, which sees the whole stream and learns from every n-th chunk of "
       "its own choices.",
       "keep by the loss of the proxy        (one hidden layer of 32, n = 4; alone: the half with the largest loss)",
       "after airbench96_faster (Jordan, 94 % on CIFAR-10 in 3.29 seconds on a single GPU, arXiv:2404.00498, 2024)",
       "F_p + B_p k / n + k (F + B); its writes are charged",
       "When the network is many times larger than one that can tell hard from easy."},
      {"selection", "spaced",
       "Spaced re-checking: a sample that was easy when last seen is presented only with probability p; what is "
       "presented is trained on.",
       "present s  <=>  last r(s)^2 >= s mean(r^2), else with probability p        (s = 0.3, p = 0.15)",
       "eos; the spacing effect of human learning in its simplest form", "k (F + B)",
       "Removes forward passes too, which no rule that scores every sample can. Needs several passes over the same "
       "data."},
      {"selection", "ratio",
       "Feedback law: a presented sample is back-propagated when its share of the benefit per joule of doing so is at "
       "least alpha times the average benefit per joule so far. All quantities are running means; there is no "
       "multiplier to tune.",
       "keep s  <=>  r(s)^q > alpha mean(r^q) (R / C) (c_b + w),   C = c_f + rho (c_b + w)        (q = 1, alpha = 0.5)",
       "eos: stationarity of the Hamiltonian with H = 0 (free horizon), Dinkelbach's ratio form", "F + k B",
       "When prices of backward passes and writes matter and the right fraction is not known beforehand."},
      {"selection", "token-zeros",
       "Rows of dense layers (tokens, else samples) without any error are left out of their backward pass.",
       "products of rows with delta != 0", "eos", "F + B less what is zero; the same gradient",
       "Always: a class token, or token_share, leaves the other tokens of the last layers without an error."},
      {"selection", "token-share", "Each dense layer back-propagates the share of its rows with the largest errors.",
       "keep row i  <=>  |delta_i| among the largest        (row_share = 0.3)",
       "eos; for units of a sample: Sun et al., meProp, ICML 2017", "F + k B in dense layers",
       "A control: what it drops is missing in every update, so that it is biased to hard tokens."},
      {"selection", "token-ratio",
       "Each dense layer back-propagates the rows whose error per multiply-add is at least alpha times the average of "
       "the layer.",
       "keep row i  <=>  |delta_i|^q > alpha mean(|delta|^q) (R / C) c_b,   C = c_f + rho c_b        (q = 1, alpha = "
       "0.5)",
       "eos: as 'ratio', with the multiply-adds of one layer", "F + k B in dense layers",
       "Where many tokens are easy. Joins with methods that choose samples: derived+token-ratio."},
      {"selection", "token-drawn",
       "Each dense layer estimates its weight gradient from rows drawn by their share of it, weighted by 1 / "
       "probability; all errors are passed on.",
       "p_i = min(1, lambda |delta_i| |x_i|),   lambda^2 = (N c_f + n_1 c_b) / (c_b (A + sum_1 |g|^2)),   A = |sum "
       "g|^2 - "
       "sum |g|^2; n_1 rows are certain",
       "eos: least cost times second moment; probabilities by size: Neyman, J. R. Stat. Soc. 97:558 (1934)",
       "2 F + k F in dense layers instead of 3 F; unbiased", "Large batches, whose rows say much the same."},
      {"selection", "token-drawn-through", "As token-drawn, and the drawn rows alone, so weighted, pass errors on.",
       "as token-drawn, with c_f = 1 and c_b = 2", "eos; compare Wang et al., VCAS, ICLR 2024, with a tuned variance",
       "F + k B in dense layers; unbiased",
       "Where rows say much the same (images as patches). The noise of each layer reaches those below, which the law "
       "of "
       "a layer does not weigh."},
      {"selection", "joint",
       "The feedback law: ratio on top of spaced presentation. Combine it with plasticity 'error-feedback'.",
       "present as in 'spaced', keep as in 'ratio'", "eos", "k_present F + k B",
       "The strongest rule of eos where writes or path length are expensive. With cheap writes most of its gain is the "
       "data half."},
      {"selection", "derived",
       "The feedback law with every constant derived: ratio, and samples are looked at again as often as pays, by what "
       "re-checks of equally easy ones have found. Combine it with plasticity 'derived'.",
       "present s  <=>  draw < sqrt(g / c_f),   g = sum of surplus / sum of age over re-checks of its class;   keep as "
       "in "
       "'ratio'        (alpha = 1/2)",
       "eos; optimal inspection: Barlow, Hunter & Proschan, Optimum checking procedures, J. SIAM 11:1078 (1963)",
       "k_present F + k B",
       "Whenever several passes are made over the same data. There is nothing to tune: prices decide."},
      {"selection", "schedule", "The fraction of a stored plan, the hardest samples first.",
       "keep s  <=>  |p - y|_s among the largest rho(t) B of the chunk,  rho(t) from the plan",
       "eos: optimal control of the mode model", "F + rho(t) B",
       "To follow 'eos plan' open loop and to compare prediction with measurement."},
  };
}

std::vector<MethodExplanation> plasticity() {
  return {
      {"plasticity", "all", "Every weight is written at every update.", "w <- w + dw",
       "plain stochastic gradient descent", "one write per parameter whose value changes", "The baseline."},
      {"plasticity", "top-k", "Per layer, the largest fraction of the updates is written; the rest is lost.",
       "write i  <=>  |dw_i| among the largest kappa n of its layer        (kappa = 0.1)",
       "sparse updates; capture of the Gaussian tail phi(kappa)", "kappa writes per parameter and update",
       "Few writes, but what is thrown away is missed: more samples are needed and the path length hardly falls. "
       "Prefer accumulation."},
      {"plasticity", "threshold", "Updates above one fixed threshold for all layers are written; the rest is lost.",
       "write i  <=>  |dw_i| > theta        (theta = 2e-4)",
       "van Rossum & Pache, Competitive plasticity to reduce the energetic costs of learning, PLoS Comput Biol "
       "20(10):e1012553 (2024)",
       "as many writes as updates above the threshold",
       "As top-k, with the fraction falling by itself as gradients shrink."},
      {"plasticity", "random", "Each update is written with probability kappa; the rest is lost.",
       "P(write i) = kappa        (kappa = 0.1)", "control; random masks are never optimal in the mode model",
       "kappa writes per parameter and update", "The control for top-k: how much comes from choosing the weights."},
      {"plasticity", "error-feedback",
       "Updates are added to an accumulator; a weight is written when its accumulator exceeds a threshold that falls "
       "with the learning rate.",
       "acc_i <- acc_i + dw_i;  write and clear i  <=>  |acc_i| > theta_0 sqrt(eta / eta_0)        (theta_0 = 0.13 "
       "sqrt(3 eta_0 / B))",
       "Stich, Cordonnier & Jaggi, Sparsified SGD with memory, NeurIPS 2018, arXiv:1809.07599; synaptic caching: Li & "
       "van Rossum, eLife "
       "9:e50804 (2020)",
       "one accumulator update per parameter and update, hundreds of times fewer writes",
       "When a write costs much more than a word of fast memory. If the accumulator sits in the same memory as the "
       "weights there is nothing to gain."},
      {"plasticity", "derived",
       "Error feedback with the threshold of least energy: what holding back adds to the noise of training, paid for "
       "in "
       "further training, against the price of writes. Writes plainly where an accumulator does not pay.",
       "write and clear i  <=>  |acc_i| > theta,   theta = argmin eps C + M_2 (y coth y) (e_w / theta^2 + e_p / theta)",
       "eos; error feedback: Stich, Cordonnier & Jaggi, NeurIPS 2018, arXiv:1809.07599; noise of SGD: Mandt, Hoffman & "
       "Blei, JMLR 18:134 (2017)",
       "one accumulator update per parameter and update, hundreds of times fewer writes; or plain writes",
       "Always: the price list decides whether and how much to hold back."},
      {"plasticity", "schedule", "The fraction of a stored plan, the largest updates first; the rest is lost.",
       "write i  <=>  |dw_i| among the largest kappa(t) n,  kappa(t) from the plan",
       "eos: optimal control of the mode model", "kappa(t) writes per parameter and update",
       "To follow a plan made with --discard."},
      {"plasticity", "schedule-feedback",
       "The fraction of a stored plan, chosen from accumulated updates; nothing is lost.",
       "acc_i <- acc_i + dw_i;  write i  <=>  |acc_i| among the largest kappa(t) n",
       "eos: optimal control of the mode model with memory",
       "kappa(t) writes and one accumulator update per parameter and update", "To follow 'eos plan'."},
  };
}

}  // namespace

const std::vector<MethodExplanation>& method_explanations() {
  static const std::vector<MethodExplanation> k_all = [] {
    std::vector<MethodExplanation> all = selection();
    for (const auto& more : {plasticity(), write_rule_explanations(), structure_methods(), rate_law_explanations()})
      all.insert(all.end(), more.begin(), more.end());
    return all;
  }();
  return k_all;
}

}  // namespace eos::cli
