// Weight methods that decide which units, layers and connections learn.
#include "methods.hpp"

namespace eos::cli {

namespace {

constexpr const char* k_competitive =
    "van Rossum & Pache, Competitive plasticity, PLoS Comput Biol 20(10):e1012553 (2024)";

std::vector<MethodExplanation> unit_methods() {
  return {
      {"plasticity", "random-neurons",
       "Each unit's back-propagated error is kept with probability p, drawn again for every sample; the others neither "
       "learn nor pass their error on.",
       "delta_i <- b_i delta_i,  P(b_i = 1) = p        (p = 0.3)", k_competitive,
       "weight gradients p F of hidden layers, input gradients between kept units",
       "A control: it saves about what it slows down. Compare with error-gated."},
      {"plasticity", "fixed-neurons", "One fixed random set of units of each hidden layer learns.",
       "delta_i <- m_i delta_i,  sum m = p n        (p = 0.3)", k_competitive, "as random-neurons",
       "Lowers the accuracy that can be reached; the control for rules that choose again at every update."},
      {"plasticity", "class-neurons", "Each class has its own fixed random set of units that learn.",
       "delta_i <- m_i(label) delta_i        (p = 0.3)", k_competitive, "as random-neurons",
       "Between fixed and random sets: classes disturb each other less."},
      {"plasticity", "alternating-neurons", "Fixed random sets of units learn in turn, one a trained sample.",
       "delta_i <- m_i(t mod masks) delta_i        (p = 0.3, two sets)", k_competitive, "as random-neurons",
       "A deterministic form of random-neurons."},
      {"plasticity", "error-gated", "Per sample and layer, the units with the largest error learn.",
       "keep i  <=>  |delta_i| among the largest p n of its layer        (p = 0.3)", k_competitive,
       "weight gradients p F of hidden layers; all errors are needed to rank them",
       "Structured sparse updates that follow the error. Set units.smallest for the published control."},
      {"plasticity", "activity-gated", "Per sample and layer, the most active units learn.",
       "keep i  <=>  |y_i| among the largest p n of its layer        (p = 0.3)", k_competitive, "as random-neurons",
       "The choice is known before the backward pass, so masked errors need not be computed."},
      {"plasticity", "meprop",
       "Per sample, the k entries of each hidden layer's output gradient that are largest are propagated.",
       "keep i  <=>  |delta_i| among the largest k of its layer        (k = 0.16 n; units.unified: ranked over the "
       "batch)",
       "Sun, Ren, Ma & Wang, meProp, ICML 2017", "both backward products of hidden layers scale with k/n",
       "Where the backward pass is the cost. It keeps accuracy down to a few percent of units."},
      {"plasticity", "path",
       "Only k random units of each hidden layer are plastic, in their incoming and outgoing synapses; errors pass "
       "everywhere.",
       "write (i, j)  <=>  i and j plastic        (k = 100)", k_competitive,
       "weight gradients k/n of the first and last layer, (k/n)^2 between",
       "Very wide networks: writes stop growing with width. Join with top-k: path+top-k."},
  };
}

std::vector<MethodExplanation> layer_methods() {
  return {
      {"plasticity", "random-features", "The first layer keeps its random weights; the layers above learn.",
       "dw = 0 in the first layer", k_competitive, "no gradient of the first layer and none of its outputs",
       "The control for learning features at all; needs wide layers."},
      {"plasticity", "freeze", "Layers stop to learn one after the other, from the front to the back.",
       "layer l of L is frozen after t_l = t_0 + (1 - t_0) l/(L - 1) of the horizon        (t_0 = 0.5)",
       "Brock et al., FreezeOut, arXiv:1706.04983 (2017)",
       "a frozen prefix costs neither weight nor input gradients, nor writes",
       "The last half of a run, where early layers hardly change."},
      {"plasticity", "growth", "The network begins with its first residual branches; the others appear later.",
       "x + f_l(x) is x before t_l of the horizon; f_l starts at 0        (a quarter until 0.4, half until 0.8)",
       "progressive stacking: Gong et al., ICML 2019; growth that keeps the function: Chen et al., Net2Net, ICLR 2016",
       "what does not exist yet costs nothing: no pass, no read, no write",
       "Transformers and residual networks, where the first nats of loss need little depth."},
      {"plasticity", "growth-half",
       "The network begins with the first half of its residual branches; the others appear later.",
       "as growth, with one stage: half of the branches until 0.8 of the horizon",
       "progressive stacking: Gong et al., ICML 2019",
       "what does not exist yet costs nothing: no pass, no read, no write",
       "As growth, where a quarter of the depth is too little: vision transformers."},
      {"plasticity", "random-skipping",
       "Half of the updates stop at a block drawn at random; what is below it neither learns nor costs anything "
       "backward.",
       "with probability 1 - depth_share: dw = 0 below block k, k uniform        (depth_share = 0.5)",
       "after Wang et al., E2-Train, NeurIPS 2019, who skip layers forward too",
       "backward products and writes of the blocks from k on",
       "The control for layer-gate: it saves without asking what the lower layers would have learned."},
      {"plasticity", "layer-gate",
       "An update goes as deep as progress per joule is largest; deeper ones are drawn to see whether that has changed.",
       "k = argmax R_k / C_k, R_k = sum of rate |g_l|^2 over blocks l >= k; full with p = sqrt(g / c), g the change of "
       "the full pass's surplus an update, c its extra cost",
       "eos: H = 0 (free horizon); inspection: Barlow, Hunter & Proschan, J. SIAM 11:1078 (1963)",
       "backward products and writes of the blocks from k on",
       "Where lower layers have settled, or writes are dear. Where all layers learn alike it stays at full passes."},
      {"plasticity", "group-random", "A random quarter of the groups of units of every layer learns at each update.",
       "dw = 0 outside of the chosen groups; their gradient is not computed        (fraction 0.25, groups of 16 units)",
       "random block coordinate descent: Nutini, Laradji & Schmidt, JMLR 23 (2022)",
       "weight gradients times the fraction; all input gradients; writes of the groups alone",
       "Saves time, not only writes; progress per update falls with the fraction."},
      {"plasticity", "group-cyclic", "The groups of units of every layer learn in turn, a quarter at each update.",
       "as group-random, with the next groups instead of random ones",
       "cyclic block coordinate descent: Nutini, Laradji & Schmidt, JMLR 23 (2022)",
       "weight gradients times the fraction; all input gradients; writes of the groups alone",
       "Like group-random, with every unit learning equally often."},
      {"plasticity", "set", "A sparse network: the smallest weights are dropped now and then, others grow at random.",
       "drop the smallest f(t) n_l, grow as many at random, at 0        (density 0.1, every 100 updates, f: 0.3 to 0 "
       "as a "
       "cosine, until 0.75 of the horizon)",
       "Mocanu et al., Nat Commun 9:2383 (2018), with the schedule of Evci et al.", "all products times density",
       "The baseline of sparse training; no dense gradient is ever needed."},
      {"plasticity", "rigl",
       "A sparse network: the smallest weights are dropped, those with the largest gradient grow.",
       "drop the smallest f(t) n_l, grow the largest |dL/dw| among the others, at 0, instead of that update",
       "Evci, Gale, Menick, Castro & Elsen, Rigging the Lottery, ICML 2020",
       "all products times density; one dense weight gradient every 100 updates",
       "The usual choice of sparse training from scratch."},
      {"plasticity", "top-kast",
       "The network computes with its largest weights; somewhat more of them learn, under a penalty that makes them "
       "compete.",
       "use A = top D n, learn B = top (D + M) n;  decay lambda on A, lambda/D on B without A        (D = 0.1, D + M = "
       "0.2, lambda = 1e-4)",
       "Jayakumar, Pascanu, Rae, Osindero & Elsen, Top-KAST, NeurIPS 2020",
       "forward and input gradients times D, weight gradients times D + M: never dense",
       "Sparse training without any dense gradient; all weights stay stored."},
  };
}

}  // namespace

std::vector<MethodExplanation> structure_methods() {
  std::vector<MethodExplanation> all = unit_methods();
  const std::vector<MethodExplanation> more = layer_methods();
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

}  // namespace eos::cli
