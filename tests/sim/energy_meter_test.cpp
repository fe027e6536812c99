// Energy meters against counters whose joules are known: a folder that looks like the kernel's power capping interface
// and a library that looks like NVML.
#include "eos/sim/energy_meter.hpp"

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <limits>
#include <thread>

#include "support.hpp"

namespace eos::sim {
namespace {

namespace fs = std::filesystem;
using testing::error_code;
using ::testing::HasSubstr;

/// Time that the test moves.
struct Clock {
  double now = 100;
  std::function<double()> read() {
    return [this] { return now; };
  }
};

class Rapl : public ::testing::Test {
 protected:
  Rapl() : root_(fs::temp_directory_path() / ("eos-rapl-" + std::to_string(::getpid()))) {
    fs::remove_all(root_);
    fs::create_directories(root_);
    fs::permissions(root_, fs::perms::all);
  }
  ~Rapl() override { fs::remove_all(root_); }

  void zone(const std::string& folder, const std::string& name, double microjoules, double range = 262143328850) {
    fs::create_directories(root_ / folder);
    write(root_ / folder / "name", name);
    write(root_ / folder / "max_energy_range_uj", range);
    counter(folder, microjoules);
  }
  void counter(const std::string& folder, double microjoules) { write(root_ / folder / "energy_uj", microjoules); }
  MeterOptions options(const std::string& source = "rapl") {
    MeterOptions o;
    o.source = source;
    o.rapl_root = root_.string();
    o.nvml_library = "no-such-library.so";
    o.idle_seconds = 0;
    o.sample_period = 0;
    o.clock = clock_.read();
    return o;
  }
  template <class Value>
  static void write(const fs::path& path, const Value& value) {
    std::ofstream(path) << std::fixed << value << "\n";
  }

  fs::path root_;
  Clock clock_;
};

TEST_F(Rapl, adds_packages_and_memory_and_counts_no_part_twice) {
  zone("intel-rapl:0", "package-0", 1e6);
  zone("intel-rapl:0:0", "core", 5e5);
  zone("intel-rapl:0:1", "dram", 2e6);
  zone("intel-rapl:1", "package-1", 3e6);
  zone("intel-rapl:2", "psys", 9e6);
  zone("intel-rapl-mmio:0", "package-0", 1e6);
  EnergyMeter meter(options());
  meter.start();
  clock_.now += 30;
  for (const auto& [folder, microjoules] : {std::pair{"intel-rapl:0", 11e6},
                                            {"intel-rapl:0:0", 8e6},
                                            {"intel-rapl:0:1", 7e6},
                                            {"intel-rapl:1", 23e6},
                                            {"intel-rapl:2", 99e6},
                                            {"intel-rapl-mmio:0", 11e6}})
    counter(folder, microjoules);
  const EnergyReading reading = meter.stop();
  EXPECT_DOUBLE_EQ(reading.joules("cpu"), 10 + 20);
  EXPECT_DOUBLE_EQ(reading.joules("dram"), 5);
  EXPECT_DOUBLE_EQ(reading.joules(), 35);
  EXPECT_EQ(reading.duration, 30);
  EXPECT_EQ(reading.samples, 1);
  EXPECT_EQ(reading.source(), "rapl");
  EXPECT_EQ(reading.uncertainty, Uncertainty::counter);
}

TEST_F(Rapl, follows_a_counter_over_its_wrap) {
  zone("intel-rapl:0", "package-0", 900, 1000);
  EnergyMeter meter(options());
  meter.start();
  for (const double value : {990.0, 50.0, 800.0, 10.0}) {  // 90, 60, 750, 210 microjoules
    counter("intel-rapl:0", value);
    clock_.now += 1;
    meter.sample();
  }
  EXPECT_NEAR(meter.stop().joules(), 1110e-6, 1e-15);
}

TEST_F(Rapl, measures_idle_power_before_the_window_and_leaves_it_in_the_joules) {
  zone("intel-rapl:0", "package-0", 0);
  MeterOptions o = options();
  o.idle_seconds = 0.001;
  int reads = 0;
  o.clock = [&] {  // idle: 40 J in 2 s; work: 500 J in 10 s
    static constexpr double k_time[] = {0, 2, 2, 12};
    static constexpr double k_joules[] = {0, 40, 40, 540};
    counter("intel-rapl:0", 1e6 * k_joules[reads]);
    return k_time[reads++];
  };
  EnergyMeter meter(o);
  meter.start();
  const EnergyReading reading = meter.stop();
  EXPECT_DOUBLE_EQ(reading.idle_watts, 20);
  EXPECT_DOUBLE_EQ(reading.joules(), 500);
  EXPECT_DOUBLE_EQ(reading.above_idle(), 300);
}

TEST_F(Rapl, is_uncertain_below_a_tenth_of_a_second) {
  zone("intel-rapl:0", "package-0", 0);
  EnergyMeter meter(options());
  meter.start();
  clock_.now += 0.05;
  EXPECT_EQ(meter.stop().uncertainty, Uncertainty::short_window);
}

TEST_F(Rapl, says_how_to_allow_reading_when_it_is_not_allowed) {
  zone("intel-rapl:0", "package-0", 0);
  fs::permissions(root_ / "intel-rapl:0/energy_uj", fs::perms::none);
  const bool root = ::geteuid() == 0;
  if (root && ::seteuid(65534) != 0) GTEST_SKIP() << "root may read everything and cannot become another user";
  const std::vector<MeterReport> reports = probe_meters(options(), {});
  std::string message;
  try {
    EnergyMeter meter(options());
  } catch (const core::Error& error) {
    message = error.diagnostics().front().code + error.diagnostics().front().message;
  }
  if (root) {
    ASSERT_EQ(::seteuid(0), 0);
  }
  EXPECT_EQ(reports[1].source, "rapl");
  EXPECT_FALSE(reports[1].works);
  EXPECT_THAT(reports[1].text, HasSubstr("chmod a+r " + root_.string()));
  EXPECT_THAT(message, HasSubstr("E307"));
  EXPECT_THAT(message, HasSubstr("may not be read by this user"));
}

TEST_F(Rapl, that_is_missing_is_a_reason_for_auto_and_an_error_when_asked_for) {
  EXPECT_EQ(error_code([&] { EnergyMeter meter(options()); }), "E307");
  MeterOptions o = options("auto");
  o.rapl_root = (root_ / "nowhere").string();
  EnergyMeter meter(o);
  meter.start();
  const EnergyReading reading = meter.stop();
  EXPECT_FALSE(reading.measured());
  EXPECT_EQ(reading.source(), "none");
  EXPECT_EQ(reading.uncertainty, Uncertainty::none);
  EXPECT_THAT(reading.note, HasSubstr("nvml: the work runs on the CPU"));
  EXPECT_THAT(reading.note, HasSubstr("rapl: no counters under"));
  EXPECT_THAT(reading.note, HasSubstr("model: no coefficients were given"));
}

TEST_F(Rapl, that_fails_during_the_work_gives_no_joules_and_stops_nothing) {
  zone("intel-rapl:0", "package-0", 0);
  EnergyMeter meter(options());
  meter.start();
  fs::remove(root_ / "intel-rapl:0/energy_uj");
  clock_.now += 20;
  const EnergyReading reading = meter.stop();
  EXPECT_FALSE(reading.measured());
  EXPECT_THAT(reading.note, HasSubstr("could not be read any more"));
}

TEST_F(Rapl, is_read_by_a_thread_of_the_meter) {
  zone("intel-rapl:0", "package-0", 0);
  MeterOptions o = options();
  o.sample_period = 0.001;
  o.clock = {};
  EnergyMeter meter(o);
  meter.start();
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_GT(meter.stop().samples, 3);
}

/// The layout of struct FakeGpu in fake_nvml.c.
struct FakeGpu {
  int init_status = 0, has_counter = 1, has_instant = 0, has_power = 1;
  unsigned long long millijoules = 0;
  unsigned milliwatts = 0, instant_milliwatts = 0, celsius = 40, megahertz = 1980;
  const char *uuid = "GPU-00112233-4455-6677-8899-aabbccddeeff", *bus = "0000:3b:00.0";
};

class Nvml : public ::testing::Test {
 protected:
  Nvml() : library_(dlopen(EOS_FAKE_NVML, RTLD_NOW)) {
    EXPECT_NE(library_, nullptr) << dlerror();
    set_ = reinterpret_cast<void (*)(const FakeGpu*)>(dlsym(library_, "fake_nvml_set"));
    users_ = reinterpret_cast<int (*)()>(dlsym(library_, "fake_nvml_users"));
    set_(&gpu_);
  }
  ~Nvml() override { dlclose(library_); }

  void set(double joules, double watts) {
    gpu_.millijoules = static_cast<unsigned long long>(1000 * joules);
    gpu_.milliwatts = static_cast<unsigned>(1000 * watts);
    set_(&gpu_);
  }
  MeterOptions options(const std::string& source = "nvml") {
    MeterOptions o;
    o.source = source;
    o.rapl_root = "/nonexistent";
    o.nvml_library = EOS_FAKE_NVML;
    o.idle_seconds = 0;
    o.sample_period = 0;
    o.clock = clock_.read();
    return o;
  }
  MeteredDevice device() const { return {true, gpu_.uuid, gpu_.bus}; }
  EnergyReading after(EnergyMeter& meter, double seconds, double joules, double watts) {
    clock_.now += seconds;
    set(joules, watts);
    return meter.stop();
  }

  FakeGpu gpu_;
  void* library_;
  void (*set_)(const FakeGpu*) = nullptr;
  int (*users_)() = nullptr;
  Clock clock_;
};

TEST_F(Nvml, reads_the_energy_counter_and_says_which_device_it_was) {
  set(5000, 300);
  {
    EnergyMeter meter(options(), device());
    meter.start();
    gpu_.celsius = 61;
    const EnergyReading reading = after(meter, 20, 11000, 300);
    EXPECT_DOUBLE_EQ(reading.joules("gpu"), 6000);
    EXPECT_EQ(reading.source(), "nvml_total");
    EXPECT_EQ(reading.uncertainty, Uncertainty::counter);
    EXPECT_EQ(reading.device_name, "Fake GPU");
    EXPECT_EQ(reading.device_uuid, gpu_.uuid);
    EXPECT_EQ(reading.driver, "580.1");
    EXPECT_EQ(reading.temperature_start, 40);
    EXPECT_EQ(reading.temperature_end, 61);
    EXPECT_EQ(reading.clock_mhz, 1980);
    EXPECT_EQ(users_(), 1);
  }
  EXPECT_EQ(users_(), 0);
}

TEST_F(Nvml, flags_windows_below_ten_seconds) {
  set(0, 100);
  EnergyMeter meter(options(), device());
  meter.start();
  const EnergyReading reading = after(meter, 9.9, 900, 100);
  EXPECT_DOUBLE_EQ(reading.joules(), 900);
  EXPECT_EQ(reading.uncertainty, Uncertainty::short_window);
}

TEST_F(Nvml, integrates_power_when_the_counter_is_too_coarse_or_stands_still) {
  set(50, 100);
  EnergyMeter meter(options(), device());
  meter.start();
  const EnergyReading brief = after(meter, 1, 60, 200);
  EXPECT_DOUBLE_EQ(brief.joules(), 150);
  EXPECT_EQ(brief.source(), "nvml_power");
  EXPECT_EQ(brief.uncertainty, Uncertainty::short_window);
  meter.start();
  const EnergyReading stuck = after(meter, 20, 60, 200);
  EXPECT_DOUBLE_EQ(stuck.joules(), 4000);
  EXPECT_EQ(stuck.uncertainty, Uncertainty::sampled);
}

TEST_F(Nvml, samples_power_without_a_counter_and_prefers_the_instant_value) {
  gpu_.has_counter = 0;
  set(0, 100);
  EnergyMeter meter(options(), device());
  meter.start();
  for (const double watts : {200.0, 400.0}) {
    clock_.now += 10;
    set(0, watts);
    meter.sample();
  }
  const EnergyReading mean = after(meter, 10, 0, 400);
  EXPECT_DOUBLE_EQ(mean.joules(), 1500 + 3000 + 4000);  // trapezia
  EXPECT_EQ(mean.samples, 3);
  gpu_.has_instant = 1, gpu_.instant_milliwatts = 50000;
  set(0, 400);
  meter.start();
  EXPECT_DOUBLE_EQ(after(meter, 10, 0, 400).joules(), 500);
}

TEST_F(Nvml, finds_the_device_by_uuid_or_by_bus_and_never_takes_another) {
  for (const MeteredDevice& good : {MeteredDevice{true, gpu_.uuid, ""}, MeteredDevice{true, "MIG-1", gpu_.bus}})
    EXPECT_TRUE(probe_meters(options(), good)[0].works);
  const MeterReport other = probe_meters(options(), {true, "GPU-other", "0000:5e:00.0"})[0];
  EXPECT_FALSE(other.works);
  EXPECT_THAT(other.text, HasSubstr("does not know the GPU with UUID 'GPU-other'"));
  EXPECT_EQ(users_(), 0);
}

TEST_F(Nvml, gives_a_reason_for_every_way_of_not_working) {
  const auto reason = [&](const MeteredDevice& on, const std::string& library) {
    MeterOptions o = options();
    o.nvml_library = library;
    const MeterReport report = probe_meters(o, on)[0];
    EXPECT_FALSE(report.works);
    return report.text;
  };
  EXPECT_THAT(reason({}, EOS_FAKE_NVML), HasSubstr("runs on the CPU"));
  EXPECT_THAT(reason(device(), "no-such-library.so"), HasSubstr("cannot be opened"));
  EXPECT_THAT(reason(device(), "libz.so.1"), HasSubstr("lacks functions"));
  gpu_.has_counter = gpu_.has_power = 0;
  set(0, 0);
  EXPECT_THAT(reason(device(), EOS_FAKE_NVML), HasSubstr("Not Supported"));
  gpu_.init_status = 9;
  set(0, 0);
  EXPECT_THAT(reason(device(), EOS_FAKE_NVML), HasSubstr("does not start: Driver Not Loaded"));
  EXPECT_EQ(error_code([&] { EnergyMeter meter(options(), device()); }), "E307");
}

TEST_F(Nvml, comes_before_the_model_in_auto) {
  set(0, 100);
  MeterOptions o = options("auto");
  o.model = theory::EnergyModel{"m", "made up", 1, 0, 0};
  EnergyMeter meter(o, device());
  meter.start();
  EXPECT_EQ(after(meter, 20, 2000, 100).source(), "nvml_total");
}

TEST(EnergyModel, multiplies_time_and_work) {
  Clock clock;
  MeterOptions o;
  o.source = "model";
  o.clock = clock.read();
  EXPECT_EQ(error_code([&] { EnergyMeter meter(o); }), "E307");
  o.model = theory::EnergyModel{"desk", "wall meter, 2026", 30, 2e-11, 5e-11};
  EnergyMeter meter(o);
  meter.start();
  clock.now += 100;
  const EnergyReading reading = meter.stop({4e12, 2e12});
  EXPECT_DOUBLE_EQ(reading.joules(), 3000 + 80 + 100);
  EXPECT_DOUBLE_EQ(reading.above_idle(), 180);
  EXPECT_EQ(reading.source(), "model");
  EXPECT_EQ(reading.uncertainty, Uncertainty::model);
}

TEST(EnergyModel, needs_a_source_and_numbers_that_make_sense) {
  const auto code = [](const theory::EnergyModel& model) { return error_code([&] { model.check(); }); };
  EXPECT_EQ(code({"m", "s", 1, 1, 1}), "");
  EXPECT_EQ(code({"m", "", 1, 1, 1}), "E105");
  EXPECT_EQ(code({"m", "s", -1, 1, 1}), "E104");
  EXPECT_EQ(code({"m", "s", 1, std::numeric_limits<double>::quiet_NaN(), 1}), "E104");
}

TEST(EnergyMeter, refuses_a_source_that_it_does_not_know) {
  MeterOptions o;
  o.source = "rappel";
  EXPECT_EQ(error_code([&] { EnergyMeter meter(o); }), "E106");
}

TEST(EnergyMeter, counts_two_operations_a_multiply_add_and_four_bytes_a_word) {
  theory::Ledger ledger;
  ledger.forward_macs = 10, ledger.scoring_macs = 20, ledger.backward_macs = 30;
  ledger.weight_reads = 7, ledger.writes = 3, ledger.input_bytes = 100;
  EXPECT_EQ(counted_work(ledger).flops, 120);
  EXPECT_EQ(counted_work(ledger).bytes, 140);
}

TEST(EnergyMeter, adds_windows_and_keeps_the_worse_uncertainty) {
  EnergyReading a, b;
  a.domains = {{"cpu", 10, EnergySource::rapl}}, a.duration = 1, a.idle_watts = 4;
  a.uncertainty = Uncertainty::counter;
  b.domains = {{"cpu", 5, EnergySource::rapl}, {"gpu", 1, EnergySource::nvml_total}}, b.duration = 3, b.idle_watts = 8;
  b.uncertainty = Uncertainty::short_window;
  a += b;
  EXPECT_EQ(a.joules("cpu"), 15);
  EXPECT_EQ(a.joules(), 16);
  EXPECT_EQ(a.idle_watts, 7);
  EXPECT_EQ(a.source(), "rapl+nvml_total");
  EXPECT_EQ(a.uncertainty, Uncertainty::short_window);
  a += EnergyReading{};
  EXPECT_EQ(a.duration, 4);
}

TEST(Carbon, is_joules_times_intensity_times_pue) {
  EXPECT_DOUBLE_EQ(theory::kg_co2e(3.6e6, {}), 0.481);
  EXPECT_DOUBLE_EQ(theory::kg_co2e(7.2e6, {100, 1.5, "x"}), 0.3);
  EXPECT_EQ(error_code([] { theory::CarbonFactors{100, 0.9, "x"}.check(); }), "E104");
  EXPECT_EQ(error_code([] { theory::CarbonFactors{-1, 1, "x"}.check(); }), "E104");
}

}  // namespace
}  // namespace eos::sim
