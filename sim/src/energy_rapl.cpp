// Running average power limit counters of Intel and AMD processors, as the Linux power capping interface shows them
// (kernel documentation, power/powercap/powercap.rst): energy_uj counts microjoules and wraps at max_energy_range_uj.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>

#include "energy_source.hpp"

namespace eos::sim {
namespace {

namespace fs = std::filesystem;

struct FileNumber {
  std::optional<double> value;
  int error = 0;  ///< errno of the failure
};

FileNumber read_number(const fs::path& path) {
  errno = 0;
  std::ifstream file(path);
  double value = 0;
  if (file >> value) return {value, 0};
  return {std::nullopt, errno != 0 ? errno : EIO};
}

std::string read_word(const fs::path& path) {
  std::ifstream file(path);
  std::string word;
  file >> word;
  return word;
}

struct Zone {
  fs::path folder;
  std::string domain;        ///< cpu or dram
  double range = 0;          ///< max_energy_range_uj
  double last = 0, sum = 0;  ///< microjoules

  void advance(double now) {
    sum += now >= last ? now - last : now + range - last;  // at most one wrap between samples, see sample_period()
    last = now;
  }
};

class Rapl final : public HardwareSource {
 public:
  explicit Rapl(std::vector<Zone> zones) : zones_(std::move(zones)) {}

  void begin(double) override {
    problem_.clear();
    for (Zone& zone : zones_) {
      zone.last = read(zone);
      zone.sum = 0;
    }
  }
  void sample(double) override {
    for (Zone& zone : zones_) {
      const double now = read(zone);
      if (problem_.empty()) zone.advance(now);
    }
  }
  std::vector<DomainEnergy> energy(double) const override {
    std::vector<DomainEnergy> domains;
    if (!problem_.empty()) return domains;
    for (const Zone& zone : zones_) {
      const auto same = [&zone](const DomainEnergy& d) { return d.domain == zone.domain; };
      auto found = std::find_if(domains.begin(), domains.end(), same);
      if (found == domains.end()) found = domains.insert(domains.end(), {zone.domain, 0.0, EnergySource::rapl});
      found->joules += zone.sum * 1e-6;
    }
    return domains;
  }
  Uncertainty uncertainty(double duration) const override {
    constexpr double k_long = 0.1;  // s: 100 updates of the counters
    return duration < k_long ? Uncertainty::short_window : Uncertainty::counter;
  }
  /// A 32-bit counter of 15.3 uJ wraps after 65 kJ, one minute at 1 kW.
  double sample_period() const override { return 5; }
  std::string problem() const override { return problem_; }

 private:
  double read(const Zone& zone) {
    const FileNumber number = read_number(zone.folder / "energy_uj");
    if (!number.value)
      problem_ = fmt::format("{} could not be read any more: {}", (zone.folder / "energy_uj").string(),
                             std::strerror(number.error));
    return number.value.value_or(0);
  }

  std::vector<Zone> zones_;
  std::string problem_;
};

/// Packages and memory: cores and graphics are parts of the package, psys counts the packages again.
std::string domain_of(const std::string& name) {
  if (name.rfind("package", 0) == 0) return "cpu";
  return name == "dram" ? "dram" : "";
}

}  // namespace

OpenedSource open_rapl(const std::string& root) {
  std::error_code problem;
  std::vector<Zone> zones;
  for (const auto& entry : fs::directory_iterator(root, problem)) {
    const std::string folder = entry.path().filename().string();
    if (folder.rfind("intel-rapl:", 0) != 0) continue;  // intel-rapl-mmio counts the same packages again
    Zone zone{entry.path(), domain_of(read_word(entry.path() / "name"))};
    if (zone.domain.empty()) continue;
    const FileNumber energy = read_number(zone.folder / "energy_uj"),
                     range = read_number(zone.folder / "max_energy_range_uj");
    if (energy.error == EACCES || energy.error == EPERM)
      return {nullptr,
              fmt::format("{0}/energy_uj may not be read by this user; an administrator can allow it until the "
                          "next start with: chmod a+r {1}/intel-rapl:*/energy_uj",
                          zone.folder.string(), root)};
    if (!energy.value || !range.value || *range.value <= 0) continue;
    zone.range = *range.value;
    zones.push_back(std::move(zone));
  }
  if (zones.empty())
    return {nullptr, fmt::format("no counters under {}/intel-rapl:*; virtual machines and containers rarely have them, "
                                 "on a machine of one's own: modprobe intel_rapl_msr",
                                 root)};
  std::sort(zones.begin(), zones.end(), [](const Zone& a, const Zone& b) { return a.folder < b.folder; });
  const auto count = [&zones](const char* domain) {
    return std::count_if(zones.begin(), zones.end(), [domain](const Zone& z) { return z.domain == domain; });
  };
  const std::string text = fmt::format("{} package(s), {} memory domain(s)", count("cpu"), count("dram"));
  return {std::make_unique<Rapl>(std::move(zones)), text};
}

}  // namespace eos::sim
