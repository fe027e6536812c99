// The GPU's energy counter through the NVIDIA Management Library, opened at run time. Prototypes and numbers are those
// of the NVML API reference: they are stable, and no header of it need be installed to build eos.
#include <dlfcn.h>
#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "energy_source.hpp"

namespace eos::sim {
namespace {

using Handle = void*;  // nvmlDevice_t
using Status = int;    // nvmlReturn_t
constexpr Status k_success = 0;
constexpr int k_temperature_gpu = 0;       // NVML_TEMPERATURE_GPU
constexpr int k_clock_sm = 1;              // NVML_CLOCK_SM
constexpr unsigned k_power_instant = 186;  // NVML_FI_DEV_POWER_INSTANT

struct FieldValue {  // nvmlFieldValue_t
  unsigned field = 0, scope = 0;
  long long timestamp = 0, latency = 0;
  int value_type = 0;
  Status status = 0;
  union {
    double d;
    unsigned ui;
    unsigned long long ull;
  } value{};
};

/// The library and what is used of it. Functions that an old driver lacks are null.
class Library {
 public:
  explicit Library(const std::string& name) : handle_(dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL)) {
    if (handle_ == nullptr) {
      problem = fmt::format("{} cannot be opened: no NVIDIA driver on this machine, or not in this container", name);
      return;
    }
    const auto load = [this](auto& function, const char* symbol) {
      function = reinterpret_cast<std::decay_t<decltype(function)>>(dlsym(handle_, symbol));
      return function != nullptr;
    };
    const bool complete = load(init, "nvmlInit_v2") && load(shutdown, "nvmlShutdown") &&
                          load(error_text, "nvmlErrorString") && load(by_uuid, "nvmlDeviceGetHandleByUUID") &&
                          load(by_pci, "nvmlDeviceGetHandleByPciBusId_v2") && load(power, "nvmlDeviceGetPowerUsage");
    load(total_energy, "nvmlDeviceGetTotalEnergyConsumption");
    load(fields, "nvmlDeviceGetFieldValues");
    load(name_of, "nvmlDeviceGetName");
    load(uuid_of, "nvmlDeviceGetUUID");
    load(driver, "nvmlSystemGetDriverVersion");
    load(temperature, "nvmlDeviceGetTemperature");
    load(clock, "nvmlDeviceGetClockInfo");
    if (!complete) {
      problem = fmt::format("{} lacks functions that eos needs", name);
    } else if (const Status status = init(); status != k_success) {
      problem = fmt::format("{} does not start: {}", name, error_text(status));
    } else {
      ready_ = true;
    }
  }
  ~Library() {
    if (ready_) shutdown();
    if (handle_ != nullptr) dlclose(handle_);
  }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  std::string problem;  ///< empty: usable
  Status (*init)() = nullptr;
  Status (*shutdown)() = nullptr;
  const char* (*error_text)(Status) = nullptr;
  Status (*by_uuid)(const char*, Handle*) = nullptr;
  Status (*by_pci)(const char*, Handle*) = nullptr;
  Status (*total_energy)(Handle, unsigned long long*) = nullptr;  ///< mJ
  Status (*power)(Handle, unsigned*) = nullptr;                   ///< mW
  Status (*fields)(Handle, int, FieldValue*) = nullptr;
  Status (*name_of)(Handle, char*, unsigned) = nullptr;
  Status (*uuid_of)(Handle, char*, unsigned) = nullptr;
  Status (*driver)(char*, unsigned) = nullptr;
  Status (*temperature)(Handle, int, unsigned*) = nullptr;
  Status (*clock)(Handle, int, unsigned*) = nullptr;

 private:
  void* handle_ = nullptr;
  bool ready_ = false;
};

class Nvml final : public HardwareSource {
 public:
  Nvml(std::unique_ptr<Library> library, Handle device) : library_(std::move(library)), device_(device) {}

  void begin(double now) override {
    problem_.clear();
    first_millijoules_ = last_millijoules_ = read_counter();
    last_watts_ = read_watts();
    last_time_ = now;
    integral_ = 0;
  }
  void sample(double now) override {
    const double watts = read_watts();
    if (now > last_time_) integral_ += 0.5 * (watts + last_watts_) * (now - last_time_);
    last_watts_ = watts;
    last_time_ = now;
    last_millijoules_ = read_counter();
  }
  std::vector<DomainEnergy> energy(double duration) const override {
    if (use_counter(duration))
      return {{"gpu", 1e-3 * (last_millijoules_ - first_millijoules_), EnergySource::nvml_total}};
    if (std::isfinite(integral_)) return {{"gpu", integral_, EnergySource::nvml_power}};
    return {};
  }
  Uncertainty uncertainty(double duration) const override {
    constexpr double k_long = 10;  // s, see energy_meter.hpp
    if (duration < k_long) return Uncertainty::short_window;
    return use_counter(duration) ? Uncertainty::counter : Uncertainty::sampled;
  }
  double sample_period() const override { return 0.1; }
  void describe(EnergyReading& reading, bool first) const override {
    reading.device_name = text(library_->name_of);
    reading.device_uuid = text(library_->uuid_of);
    char version[96] = {};
    if (library_->driver != nullptr && library_->driver(version, sizeof version) == k_success) reading.driver = version;
    (first ? reading.temperature_start : reading.temperature_end) = number(library_->temperature, k_temperature_gpu);
    reading.clock_mhz = number(library_->clock, k_clock_sm);
  }
  std::string problem() const override { return problem_; }

  bool has_counter() { return std::isfinite(read_counter()); }
  bool has_power() { return std::isfinite(read_watts()); }
  std::string device_name() const { return text(library_->name_of); }

 private:
  static constexpr double k_unknown = std::numeric_limits<double>::quiet_NaN();

  /// The counter is refreshed about every 100 ms: too coarse for short windows, in which it may not even move.
  bool use_counter(double duration) const {
    constexpr double k_shortest = 2;  // s: 20 refreshes
    return duration >= k_shortest && last_millijoules_ > first_millijoules_;
  }
  double read_counter() {
    unsigned long long millijoules = 0;
    if (library_->total_energy == nullptr || library_->total_energy(device_, &millijoules) != k_success)
      return k_unknown;
    return static_cast<double>(millijoules);
  }
  /// At this instant where the driver knows it; newer devices otherwise report a mean over the last second.
  double read_watts() {
    FieldValue field;
    field.field = k_power_instant;
    if (library_->fields != nullptr && library_->fields(device_, 1, &field) == k_success && field.status == k_success &&
        field.value_type == 1)  // NVML_VALUE_TYPE_UNSIGNED_INT
      return 1e-3 * field.value.ui;
    unsigned milliwatts = 0;
    const Status status = library_->power(device_, &milliwatts);
    if (status == k_success) return 1e-3 * milliwatts;
    problem_ = fmt::format("the GPU's power cannot be read: {}", library_->error_text(status));
    return k_unknown;
  }
  std::string text(Status (*get)(Handle, char*, unsigned)) const {
    char buffer[96] = {};
    return get != nullptr && get(device_, buffer, sizeof buffer) == k_success ? buffer : "";
  }
  double number(Status (*get)(Handle, int, unsigned*), int which) const {
    unsigned value = 0;
    return get != nullptr && get(device_, which, &value) == k_success ? value : k_unknown;
  }

  std::unique_ptr<Library> library_;
  Handle device_;
  double first_millijoules_ = 0, last_millijoules_ = 0;
  double last_watts_ = 0, last_time_ = 0, integral_ = 0;  ///< W, s, J
  std::string problem_;
};

}  // namespace

OpenedSource open_nvml(const std::string& library_name, const MeteredDevice& device) {
  if (!device.gpu) return {nullptr, "the work runs on the CPU; NVML measures GPUs"};
  auto library = std::make_unique<Library>(library_name);
  if (!library->problem.empty()) return {nullptr, library->problem};
  Handle handle = nullptr;
  Status status = library->by_uuid(device.uuid.c_str(), &handle);
  // A part of a divided GPU has a UUID of its own, but only the whole device has counters.
  if (status != k_success && !device.pci_bus_id.empty()) status = library->by_pci(device.pci_bus_id.c_str(), &handle);
  if (status != k_success)
    return {nullptr, fmt::format("NVML does not know the GPU with UUID '{}' and PCI bus '{}': {}", device.uuid,
                                 device.pci_bus_id, library->error_text(status))};
  auto source = std::make_unique<Nvml>(std::move(library), handle);
  const bool counter = source->has_counter(), power = source->has_power();
  if (!counter && !power) return {nullptr, source->problem()};
  const std::string text =
      fmt::format("{}: {}", source->device_name(), counter ? "energy counter" : "no energy counter, power is sampled");
  return {std::move(source), text};
}

}  // namespace eos::sim
