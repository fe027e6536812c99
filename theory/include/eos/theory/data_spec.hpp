// State what is learned: which labelled data, how many samples, in which order, how disturbed, how augmented.
//
// Data come from files (IDX images, CIFAR, text) or are generated. Generated tasks need no files, have a law that is
// known in closed form, and every one of their draws has an address: a sample does not depend on how many others there
// are. sim/data.hpp loads them all.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace eos::theory {

/// Largest number of inputs of the tasks that keep square matrices of them.
inline constexpr int k_most_generated_inputs = 4096;

/// A generated task: inputs from a Gaussian mixture, labels from a random teacher network of the given width.
struct TeacherSpec {
  int inputs = 784;
  int classes = 10;
  int hidden = 64;      ///< width of the teacher's hidden layer
  double margin = 0.5;  ///< samples whose top-two logit gap is below it are redrawn: 0 gives a harder task
  std::uint64_t seed = 1;
};

/// Gaussian teacher and student: inputs x of independent standard normals; label = the largest output of the teacher
/// W x (hidden 0: perceptrons, Seung, Sompolinsky & Tishby, Phys. Rev. A 45, 6056, 1992) or V erf(W x / sqrt 2) (soft
/// committees, Saad & Solla, Phys. Rev. E 52, 4225, 1995), each output with noise. Rows of W are orthonormal.
struct GaussianSpec {
  int inputs = 100;
  int classes = 2;
  int hidden = 0;    ///< hidden units of the teacher; 0: linear
  double noise = 0;  ///< standard deviation of a Gaussian noise on every output, in units of that of the output
  std::uint64_t seed = 1;
};

/// Inputs whose covariance has the eigenvalues k^-exponent in a random orthonormal basis; a linear teacher f with unit
/// variance, of which the share k^-(source exponent + 1) lies along mode k (capacity and source conditions: Bordelon,
/// Canatar & Pehlevan, ICML 2020; Spigler, Geiger & Wyart, J. Stat. Mech. 2020). Labels are the classes-quantiles of
/// f + noise, so that all classes are equally probable and a linear classifier can represent them.
struct PowerLawSpec {
  int inputs = 100;
  int classes = 2;
  double exponent = 1.5;  ///< of the spectrum
  double source = 0.5;    ///< large: the teacher lies in the directions of largest variance
  double noise = 0;       ///< standard deviation of a Gaussian noise on f
  std::uint64_t seed = 1;
};

/// Random hierarchy model (Cagnetta, Petrini, Tomasini, Favero & Wyart, Phys. Rev. X 14, 031001, 2024): a class is
/// rewritten as one of `synonyms` random tuples of `tuple` symbols, each symbol again, through `levels` levels. The
/// input is the string of tuple^levels symbols, each as one of `vocabulary` channels.
struct HierarchySpec {
  int classes = 8;
  int vocabulary = 8;  ///< symbols of every level
  int synonyms = 4;    ///< rules per symbol; no two symbols share a tuple, so classes x synonyms and vocabulary x
                       ///< synonyms are at most vocabulary^tuple
  int tuple = 2;
  int levels = 3;
  std::uint64_t seed = 1;
};

/// Text of a stationary Markov chain of the given order; rows of its transition matrix are drawn from the symmetric
/// Dirichlet distribution. Its entropy rate (Shannon 1948) is the floor of a language model's loss.
struct MarkovSpec {
  int vocabulary = 32;         ///< tokens, at most 256; vocabulary^(order + 1) is at most 2^24
  int order = 1;               ///< tokens that the next one depends on
  double concentration = 0.1;  ///< of the Dirichlet distribution; small: nearly deterministic text
  std::uint64_t seed = 1;
};

/// Random changes of training images, drawn anew at every presentation; order: flip, translate, cutout. Evaluation sees
/// the images as they are.
struct AugmentSpec {
  double flip = 0;    ///< probability of a left-right reflection
  int translate = 0;  ///< pixels: shift by up to so many along each axis, filled with zero bytes
  int cutout = 0;     ///< pixels: side of a square of zeros, after standardise (DeVries & Taylor 2017); 0: none

  bool any() const { return flip > 0 || translate > 0 || cutout > 0; }
};

/// Order of the stream: a new permutation every epoch, the order of the file every epoch, or independent draws.
enum class Order { shuffled, file, replacement };
/// What a text is cut into: bytes (vocabulary 256), or the distinct UTF-8 characters that it holds (at most 256).
enum class TextTokens { byte, character };

struct DataSpec {
  /// fashion-mnist, mnist, idx, cifar-10, cifar-100, text, teacher, gaussian, power-law, hierarchical, markov, or auto:
  /// the first of mnist and fashion-mnist that is found, else teacher
  std::string name = "auto";
  std::string path;                ///< folder of the files, or a text file; empty: the search path
  int train_samples = 50000;       ///< taken from the front of the training file
  int validation_samples = 10000;  ///< taken from its end; steers everything that is steered
  int test_samples = 10000;        ///< from the test file; only reported
  Order order = Order::shuffled;
  bool centred = false;      ///< the global mean of the training inputs is subtracted from every input
  bool standardise = false;  ///< every channel of an input minus its mean, over its standard deviation, of the training
                             ///< inputs
  double input_noise = 0;    ///< standard deviation of a fixed noise on every input, in units of full scale
  double label_noise = 0;    ///< share of training labels replaced by a uniformly random other class, [0, 1)
  int sequence = 128;        ///< tokens of a sample; text and markov
  TextTokens tokens = TextTokens::byte;
  AugmentSpec augment;
  TeacherSpec teacher;
  GaussianSpec gaussian;
  PowerLawSpec power_law;
  HierarchySpec hierarchical;
  MarkovSpec markov;

  /// Samples are windows of tokens.
  bool is_text() const { return name == "text" || name == "markov"; }
  /// Key of what is drawn for the data: the seed of the generated task, for files that of `teacher`.
  std::uint64_t seed() const;
  /// throws Error E104, E107 with one diagnostic per mistake.
  void check() const;
};

/// Every word that DataSpec::name may be.
const std::vector<std::string>& data_names();

}  // namespace eos::theory
