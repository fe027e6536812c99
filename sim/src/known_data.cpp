// The data sets that eos knows by name, with the checksums of their published files.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdlib>
#include <filesystem>

#include "data_files.hpp"
#include "eos/core/hash.hpp"

namespace eos::sim {
namespace {

namespace fs = std::filesystem;

constexpr const char* k_kriz = "https://www.cs.toronto.edu/~kriz/";

// Two checksums a file: of the published .gz, which a download must match, and of the IDX bytes inside, which also
// recognise a file that was compressed again (Debian's package does that).
KnownData mnist() {
  const std::string url = "https://ossci-datasets.s3.amazonaws.com/mnist/";
  return {"mnist",
          "MNIST: handwritten digits, 28 x 28, 60 000 + 10 000 (LeCun, Bottou, Bengio & Haffner, Proc. IEEE 1998)",
          "",
          "CC BY-SA 3.0",
          {{"train-images-idx3-ubyte.gz", "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            url + "train-images-idx3-ubyte.gz", "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"},
           {"train-labels-idx1-ubyte.gz", "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            url + "train-labels-idx1-ubyte.gz", "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"},
           {"t10k-images-idx3-ubyte.gz", "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            url + "t10k-images-idx3-ubyte.gz", "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"},
           {"t10k-labels-idx1-ubyte.gz", "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            url + "t10k-labels-idx1-ubyte.gz", "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"}}};
}

KnownData fashion_mnist() {
  const std::string url = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/";
  return {"fashion-mnist",
          "Fashion-MNIST: photographs of clothes, 28 x 28, 60 000 + 10 000 (Xiao, Rasul & Vollgraf, arXiv 1708.07747)",
          "",
          "MIT",
          {{"train-images-idx3-ubyte.gz", "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            url + "train-images-idx3-ubyte.gz", "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"},
           {"train-labels-idx1-ubyte.gz", "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            url + "train-labels-idx1-ubyte.gz", "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"},
           {"t10k-images-idx3-ubyte.gz", "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            url + "t10k-images-idx3-ubyte.gz", "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"},
           {"t10k-labels-idx1-ubyte.gz", "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            url + "t10k-labels-idx1-ubyte.gz", "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"}}};
}

KnownData::File unpacked(const std::string& name, const std::string& content) { return {name, "", "", content}; }

// The authors publish MD5 alone. The SHA-256 of the archives are those of TensorFlow Datasets
// (url_checksums/cifar10.txt and cifar100.txt), those of the files inside those of TorchVision for Ruby
// (datasets/cifar10.rb and cifar100.rb), which has the same for the archives; we have not computed them from the
// published files.
KnownData cifar_10() {
  const std::string folder = "cifar-10-batches-bin/", archive = "cifar-10-binary.tar.gz";
  return {"cifar-10",
          "CIFAR-10: colour photographs of 10 classes, 32 x 32 x 3, 50 000 + 10 000 (Krizhevsky, 2009)",
          "",
          "none stated",
          {unpacked(folder + "data_batch_1.bin", "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5"),
           unpacked(folder + "data_batch_2.bin", "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed"),
           unpacked(folder + "data_batch_3.bin", "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67"),
           unpacked(folder + "data_batch_4.bin", "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48"),
           unpacked(folder + "data_batch_5.bin", "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add"),
           unpacked(folder + "test_batch.bin", "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b")},
          {archive, "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd", k_kriz + archive, ""}};
}

KnownData cifar_100() {
  const std::string folder = "cifar-100-binary/", archive = "cifar-100-binary.tar.gz";
  return {"cifar-100",
          "CIFAR-100: colour photographs of 100 classes, 32 x 32 x 3, 50 000 + 10 000 (Krizhevsky, 2009)",
          "",
          "none stated",
          {unpacked(folder + "train.bin", "f31298fc616915fa142368359df1c4ca2ae984d6915ca468b998a5ec6aeebf29"),
           unpacked(folder + "test.bin", "d8b1e6b7b3bee4020055f0699b111f60b1af1e262aeb93a0b659061746f8224a")},
          {archive, "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec", k_kriz + archive, ""}};
}

}  // namespace

std::vector<std::string> data_search_path() {
  std::vector<std::string> folders;
  const char* environment = std::getenv("EOS_DATA");
  if (environment != nullptr && *environment != '\0') folders.emplace_back(environment);
  folders.emplace_back("./data");
  folders.emplace_back("/usr/share/datasets");
  return folders;
}

std::string idx_path(const std::string& folder, const std::string& stem) {
  for (const char* suffix : {".gz", ""}) {
    const fs::path path = fs::path(folder) / (stem + suffix);
    std::error_code ignored;
    if (fs::is_regular_file(path, ignored)) return path.string();
  }
  return {};
}

bool holds_idx_files(const std::string& folder) {
  for (const char* stem : k_idx_stems)
    if (idx_path(folder, stem).empty()) return false;
  return true;
}

std::string idx_sha256(const std::string& path) {
  const IdxFile file = read_idx(path);
  core::Sha256 hash;
  const std::array<std::uint8_t, 4> magic{0, 0, 8, static_cast<std::uint8_t>(file.dims.size())};
  hash.update(magic.data(), magic.size());
  for (int length : file.dims) {
    const auto word = static_cast<std::uint32_t>(length);
    const std::array<std::uint8_t, 4> big{static_cast<std::uint8_t>(word >> 24), static_cast<std::uint8_t>(word >> 16),
                                          static_cast<std::uint8_t>(word >> 8), static_cast<std::uint8_t>(word)};
    hash.update(big.data(), big.size());
  }
  hash.update(file.bytes.data(), file.bytes.size());
  return hash.hex();
}

namespace {

std::vector<std::string> cifar_places(const std::string& name, const std::vector<std::string>& search) {
  const KnownData set = name == "cifar-10" ? cifar_10() : cifar_100();
  const fs::path unpacked_to = fs::path(set.files[0].name).parent_path();
  std::vector<std::string> places;
  for (const fs::path folder : search)
    for (const fs::path& place : {folder / name / unpacked_to, folder / name, folder / unpacked_to, folder})
      places.push_back(place.string());
  return places;
}

std::string find_cifar_folder(const std::string& name, const std::vector<std::string>& search) {
  for (const std::string& place : cifar_places(name, search))
    if (missing_cifar_files(name, place).empty()) return place;
  return {};
}

}  // namespace

std::string incomplete_cifar(const std::string& name, const std::vector<std::string>& search) {
  const std::size_t all = cifar_files(name, false).size() + cifar_files(name, true).size();
  for (const std::string& place : cifar_places(name, search)) {
    const std::vector<std::string> missing = missing_cifar_files(name, place);
    if (missing.size() < all) return fmt::format("{} lacks {}", place, fmt::join(missing, ", "));
  }
  return {};
}

std::string find_known_folder(const std::string& name, const std::vector<std::string>& search) {
  if (is_cifar(name)) return find_cifar_folder(name, search);
  for (const std::string& folder : search) {
    const std::string named = (fs::path(folder) / name).string();
    if (holds_idx_files(named)) return named;
    if (!holds_idx_files(folder)) continue;
    // Files directly in the folder carry no name: they are this set unless they are another set that eos knows.
    const std::string labels = idx_sha256(idx_path(folder, "t10k-labels-idx1-ubyte"));
    bool other = false;
    for (const KnownData& known : {mnist(), fashion_mnist()})
      other = other || (known.name != name && known.files.back().content_sha256 == labels);
    if (!other) return folder;
  }
  return {};
}

std::vector<KnownData> known_data() {
  std::vector<KnownData> all{fashion_mnist(), mnist(), cifar_10(), cifar_100()};
  for (KnownData& known : all) known.folder = find_known_folder(known.name, data_search_path());
  return all;
}

}  // namespace eos::sim
