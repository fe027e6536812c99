#include "eos/io/hdf5.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <hdf5.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <chrono>
#include <cmath>
#include <csignal>
#include <cstring>
#include <limits>
#include <thread>

#include "eos/core/philox.hpp"
#include "support.hpp"

namespace {

using eos::core::Dataset;
using eos::core::Variable;
using eos::io::read_hdf5;
using eos::io::write_hdf5;
using eos::io::testing::check_property;
using eos::io::testing::code_of;
using eos::io::testing::error_of;
using eos::io::testing::Scratch;
using eos::io::testing::slurp;
using eos::io::testing::spill;
using ::testing::HasSubstr;

Dataset small() {
  Dataset d;
  d.attributes["title"] = std::string("a table");
  d.add_dim("epoch", {0.5, 1.0, 1.5}, "1", "passes over the training set");
  d.add_dim("layer", 2, "layer");
  d.add("loss", {"epoch"}, std::vector<double>{2.0, 1.0, 0.5}, "1", "training loss").attributes["source"] =
      std::string("test");
  d.add("writes", {"epoch", "layer"}, std::vector<std::int64_t>{1, 2, 3, 4, 5, 6}, "1", "writes");
  d.add("name", {"layer"}, std::vector<std::string>{"hidden", "öutput"}, "1", "name of the layer");
  d.add("objective", {}, std::vector<double>{0.25}, "J", "objective");
  Dataset child;
  child.add_dim("step", 4);
  child.add("rate", {"step", "epoch"}, std::vector<float>(12, 0.1f), "1", "learning rate");
  d.groups["diagnostics"] = child;
  d.groups["provenance"].attributes["seed"] = std::int64_t{7};
  return d;
}

/// Equality of content and presentation, NaN equal to NaN, but for the root attributes that the writer adds.
void expect_equal(const Dataset& a, const Dataset& b, bool root = true) {
  EXPECT_EQ(a.dims, b.dims);
  ASSERT_EQ(a.variables.size(), b.variables.size());
  for (std::size_t i = 0; i < a.variables.size(); ++i) {
    const Variable &x = a.variables[i], &y = b.variables[i];
    EXPECT_EQ(x.name, y.name);
    EXPECT_EQ(x.dims, y.dims);
    EXPECT_EQ(x.units, y.units);
    EXPECT_EQ(x.long_name, y.long_name);
    EXPECT_EQ(x.attributes, y.attributes);
    ASSERT_EQ(x.values.index(), y.values.index());
    std::visit(
        [&](const auto& v) {
          const auto& w = std::get<std::decay_t<decltype(v)>>(y.values);
          ASSERT_EQ(v.size(), w.size());
          if constexpr (!std::is_same_v<std::decay_t<decltype(v)>, std::vector<std::string>>) {
            if (!v.empty()) {
              EXPECT_EQ(std::memcmp(v.data(), w.data(), v.size() * sizeof v[0]), 0);
            }
          } else {
            EXPECT_EQ(v, w);
          }
        },
        x.values);
  }
  for (const auto& [name, value] : a.attributes) EXPECT_EQ(b.attributes.at(name), value);
  if (!root) {
    EXPECT_EQ(a.attributes.size(), b.attributes.size());
  }
  ASSERT_EQ(a.groups.size(), b.groups.size());
  for (const auto& [name, group] : a.groups) expect_equal(group, b.groups.at(name), false);
}

TEST(Hdf5, comes_back_as_it_was_written) {
  const Scratch scratch;
  write_hdf5(scratch / "a.h5", small());
  const Dataset back = read_hdf5(scratch / "a.h5");
  expect_equal(small(), back);
  EXPECT_EQ(back.text("Conventions"), "CF-1.8 EOS-1");
  EXPECT_EQ(back.text("eos_schema"), "1.0");
  EXPECT_EQ(back.text("status"), "complete");
  EXPECT_EQ(back.text("content_sha256"), eos::core::content_sha256(small()));
}

TEST(Hdf5, keeps_every_type_and_every_bit) {
  const Scratch scratch;
  Dataset d;
  d.add_dim("i", 3);
  const double inf = std::numeric_limits<double>::infinity();
  d.add("f8", {"i"}, std::vector<double>{std::nan(""), -inf, 5e-324}, "1", "");
  d.add("f4", {"i"}, std::vector<float>{1e-45f, -0.0f, 3.4e38f}, "1", "");
  d.add("i8", {"i"}, std::vector<std::int64_t>{INT64_MIN, INT64_MAX, -1}, "1", "");
  d.add("i4", {"i"}, std::vector<std::int32_t>{INT32_MIN, INT32_MAX, -1}, "1", "");
  d.add("u1", {"i"}, std::vector<std::uint8_t>{0, 128, 255}, "1", "");
  d.add("text", {"i"}, std::vector<std::string>{"", "a\nb\t\"", "λ→∞"}, "1", "");
  d.add("one_text", {}, std::vector<std::string>{"alone"}, "1", "");
  d.add("one_number", {}, std::vector<std::int32_t>{5}, "1", "");
  for (int i = 0; i < 30; ++i) d.attributes[fmt::format("a{}", i)] = std::int64_t{i};  // beyond compact storage
  d.attributes["empty"] = std::string();
  d.attributes["nothing"] = std::nan("");
  write_hdf5(scratch / "a.h5", d);
  const Dataset back = read_hdf5(scratch / "a.h5");
  EXPECT_TRUE(std::isnan(std::get<double>(back.attributes.at("nothing"))));
  d.attributes.erase("nothing");
  expect_equal(d, back);
}

TEST(Hdf5, large_arrays_are_compressed_and_checksummed) {
  const Scratch scratch;
  Dataset d;
  d.add_dim("run", 300);
  d.add_dim("step", 2000);
  std::vector<float> smooth(600000);
  for (std::size_t i = 0; i < smooth.size(); ++i) smooth[i] = static_cast<float>(i % 2000) * 0.25f;
  d.add("loss", {"run", "step"}, smooth, "1", "loss");
  write_hdf5(scratch / "a.h5", d);
  expect_equal(d, read_hdf5(scratch / "a.h5"));
  EXPECT_LT(std::filesystem::file_size(scratch / "a.h5"), 600000u);  // 2.4 MB of numbers
  const hid_t file = H5Fopen((scratch / "a.h5").c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  const hid_t loss = H5Dopen2(file, "loss", H5P_DEFAULT), plan = H5Dget_create_plist(loss);
  ASSERT_EQ(H5Pget_nfilters(plan), 3);
  const H5Z_filter_t expected[] = {H5Z_FILTER_SHUFFLE, H5Z_FILTER_DEFLATE, H5Z_FILTER_FLETCHER32};
  for (unsigned i = 0; i < 3; ++i) {
    unsigned flags = 0, config = 0, value = 0;
    std::size_t n = 1;
    EXPECT_EQ(H5Pget_filter2(plan, i, &flags, &n, &value, 0, nullptr, &config), expected[i]);
    if (i == 1) {
      EXPECT_EQ(value, 4u);
    }
  }
  H5Pclose(plan), H5Dclose(loss), H5Fclose(file);
}

TEST(Hdf5, equal_tables_give_equal_bytes) {
  const Scratch scratch;
  Dataset d = small();
  d.add("big", {"epoch"}, std::vector<double>{1, 2, 3}, "1", "");
  write_hdf5(scratch / "a.h5", d);
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));  // object times would have a resolution of a second
  write_hdf5(scratch / "b.h5", d);
  EXPECT_EQ(slurp(scratch / "a.h5"), slurp(scratch / "b.h5"));
}

TEST(Hdf5, empty_tables_and_empty_dimensions_are_files_too) {
  const Scratch scratch;
  Dataset d;
  write_hdf5(scratch / "a.h5", d);
  expect_equal(d, read_hdf5(scratch / "a.h5"));
  d.add_dim("none", 0);
  d.add("x", {"none"}, std::vector<double>{}, "1", "");
  d.add("t", {"none"}, std::vector<std::string>{}, "1", "");
  d.dims["bare"] = 4;  // a dimension without coordinate
  d.add("y", {"bare"}, std::vector<double>{1, 2, 3, 4}, "1", "");
  write_hdf5(scratch / "b.h5", d);
  expect_equal(d, read_hdf5(scratch / "b.h5"));
}

TEST(Hdf5, any_tree_of_tables_comes_back) {
  const Scratch scratch;
  check_property("write then read is the identity", [&] {
    Dataset d;
    const int n_dims = *rc::gen::inRange(0, 4);
    for (int i = 0; i < n_dims; ++i) {
      const auto length = *rc::gen::inRange<std::int64_t>(0, 40);
      if (*rc::gen::arbitrary<bool>())
        d.add_dim(fmt::format("dim{}", i), length);
      else
        d.dims[fmt::format("dim{}", i)] = length;
    }
    Dataset* where = &d;
    const int n_variables = *rc::gen::inRange(0, 8);
    for (int i = 0; i < n_variables; ++i) {
      if (*rc::gen::inRange(0, 4) == 0) where = &where->groups[fmt::format("g{}", i)];
      std::vector<std::string> dims;
      std::size_t size = 1;
      for (const auto& [name, length] : d.dims)
        if (*rc::gen::arbitrary<bool>()) dims.push_back(name), size *= static_cast<std::size_t>(length);
      const auto numbers = *rc::gen::container<std::vector<std::int64_t>>(size, rc::gen::arbitrary<std::int64_t>());
      eos::core::Array values;
      switch (*rc::gen::inRange(0, 6)) {
        case 0:
          values = std::vector<double>(numbers.begin(), numbers.end());
          break;
        case 1:
          values = std::vector<float>(numbers.begin(), numbers.end());
          break;
        case 2:
          values = std::vector<std::int64_t>(numbers.begin(), numbers.end());
          break;
        case 3:
          values = std::vector<std::int32_t>(numbers.begin(), numbers.end());
          break;
        case 4:
          values = std::vector<std::uint8_t>(numbers.begin(), numbers.end());
          break;
        default: {
          std::vector<std::string> texts;
          for (const auto v : numbers) texts.push_back(fmt::format("{}µ", v));
          values = texts;
        }
      }
      where->add(fmt::format("v{}", i), dims, values, "J", "a variable").attributes["n"] =
          *rc::gen::arbitrary<std::int64_t>();
    }
    write_hdf5(scratch / "a.h5", d);
    expect_equal(d, read_hdf5(scratch / "a.h5"));
    RC_ASSERT(!::testing::Test::HasFailure());
  });
}

TEST(Hdf5, tables_that_contradict_themselves_are_refused) {
  const Scratch scratch;
  const auto code = [&](auto&& change) {
    Dataset d = small();
    change(d);
    return code_of([&] { write_hdf5(scratch / "a.h5", d); });
  };
  EXPECT_EQ(code([](Dataset& d) { d.variables[2].values = std::vector<double>(2); }), "E190");
  EXPECT_EQ(code([](Dataset& d) { d.variables[2].dims = {"nowhere"}; }), "E190");
  EXPECT_EQ(code([](Dataset& d) { d.variables[2].name = "Loss"; }), "E190");
  EXPECT_EQ(code([](Dataset& d) { d.groups["diagnostics"].add_dim("epoch", 3); }), "E190");
  EXPECT_EQ(code([](Dataset& d) { d.groups["a/b"] = {}; }), "E190");
  EXPECT_EQ(code([](Dataset& d) { d.attributes["DIMENSION_LIST"] = 1.0; }), "E190");
  EXPECT_EQ(code([](Dataset& d) { d.variables[2].attributes["units"] = std::string("J"); }), "E190");
  EXPECT_EQ(code([](Dataset& d) { d.variables[2].units = "seconds"; }), "E190");
  EXPECT_EQ(code([](Dataset& d) { std::get<std::vector<std::string>>(d.variables[4].values)[0] = "\xFF"; }), "E190");
  EXPECT_FALSE(std::filesystem::exists(scratch / "a.h5"));
}

TEST(Hdf5, attributes_with_bytes_that_are_not_utf8_are_mended) {
  const Scratch scratch;
  Dataset d;
  d.attributes["history"] = std::string("eos train caf\xE9.toml");
  write_hdf5(scratch / "a.h5", d);
  EXPECT_EQ(read_hdf5(scratch / "a.h5").text("history"), "eos train caf\uFFFD.toml");
}

TEST(Hdf5, files_that_are_not_ours_are_refused_with_a_reason) {
  const Scratch scratch;
  EXPECT_EQ(code_of([&] { read_hdf5(scratch / "absent.h5"); }), "E201");
  EXPECT_EQ(code_of([&] { read_hdf5(scratch.path()); }), "E201");
  EXPECT_EQ(code_of([&] { read_hdf5("/dev/zero"); }), "E210");
  spill(scratch / "text.h5", "not HDF5 at all");
  EXPECT_EQ(code_of([&] { read_hdf5(scratch / "text.h5"); }), "E210");
  spill(scratch / "empty.h5", "");
  EXPECT_EQ(code_of([&] { read_hdf5(scratch / "empty.h5"); }), "E210");
  const hid_t foreign = H5Fcreate((scratch / "foreign.h5").c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  H5Fclose(foreign);
  EXPECT_THAT(error_of([&] { read_hdf5(scratch / "foreign.h5"); }).what(), HasSubstr("eos did not write"));
  write_hdf5(scratch / "good.h5", small());
  const std::string bytes = slurp(scratch / "good.h5");
  spill(scratch / "half.h5", bytes.substr(0, bytes.size() / 2));
  EXPECT_EQ(code_of([&] { read_hdf5(scratch / "half.h5"); }), "E210");
}

/// Overwrites a number or an attribute in a written file through HDF5 itself.
void edit(const std::string& path, const char* variable, const char* attribute, const std::string& value) {
  const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  if (variable != nullptr) {
    const hid_t data = H5Dopen2(file, variable, H5P_DEFAULT);
    const double number = std::stod(value);
    H5Dwrite(data, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, &number);
    H5Dclose(data);
  } else {
    const hid_t a = H5Aopen(file, attribute, H5P_DEFAULT), type = H5Aget_type(a);
    const char* text = value.c_str();
    H5Awrite(a, type, &text);
    H5Tclose(type), H5Aclose(a);
  }
  H5Fclose(file);
}

TEST(Hdf5, an_edited_number_is_found_out) {
  const Scratch scratch;
  write_hdf5(scratch / "a.h5", small());
  edit(scratch / "a.h5", "objective", nullptr, "0.24");
  EXPECT_EQ(code_of([&] { read_hdf5(scratch / "a.h5"); }), "E211");
}

TEST(Hdf5, another_schema_version_is_named) {
  const Scratch scratch;
  write_hdf5(scratch / "a.h5", small());
  edit(scratch / "a.h5", nullptr, "eos_schema", "1.7");
  EXPECT_EQ(read_hdf5(scratch / "a.h5").text("eos_schema"), "1.7");  // a minor version is readable
  edit(scratch / "a.h5", nullptr, "eos_schema", "2.0");
  EXPECT_EQ(code_of([&] { read_hdf5(scratch / "a.h5"); }), "E212");
}

TEST(Hdf5, damaged_bytes_are_an_error_or_harmless_never_another_number) {
  // Flips in numbers, headers and lengths. Bytes of HDF5's heap of texts are left out: a damaged heap is known to
  // crash libhdf5 1.10 itself.
  const Scratch scratch;
  Dataset d;
  d.add_dim("i", 700);
  std::vector<double> x(700);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = std::sin(static_cast<double>(i));
  d.add("x", {"i"}, x, "1", "");
  write_hdf5(scratch / "good.h5", d);
  const std::string good = slurp(scratch / "good.h5");
  const std::size_t heap = good.find("GCOL");
  int refused = 0;
  for (std::uint32_t i = 0; i < 300; ++i) {
    const auto words = eos::core::draw(1, {0, i, eos::core::Purpose::test, 0});
    const std::size_t at = words.v[0] % good.size();
    if (heap != std::string::npos && at >= heap && at < heap + 4096) continue;
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ (1 << (words.v[1] % 8)));
    spill(scratch / "bad.h5", bad);
    try {
      expect_equal(d, read_hdf5(scratch / "bad.h5"));
    } catch (const eos::core::Error& error) {
      EXPECT_THAT(error.diagnostics().front().code, ::testing::AnyOf("E210", "E211", "E212"));
      ++refused;
    }
  }
  EXPECT_GT(refused, 100);  // most of the file is compressed, checksummed numbers
}

TEST(Hdf5, a_place_that_cannot_be_written_is_explained) {
  const Scratch scratch;
  const auto absent = error_of([&] { write_hdf5(scratch / "no/such/a.h5", small()); });
  EXPECT_EQ(absent.diagnostics()[0].code, "E301");
  EXPECT_EQ(absent.fault(), eos::core::Fault::machine);
  EXPECT_THAT(absent.what(), HasSubstr("does not exist"));
  EXPECT_THAT(error_of([&] { write_hdf5(scratch.path(), small()); }).what(), HasSubstr("folder"));
  EXPECT_THAT(error_of([&] { write_hdf5("/dev/full", small()); }).what(), HasSubstr("full"));
  EXPECT_THAT(error_of([&] { write_hdf5("/proc/a.h5", small()); }).what(), HasSubstr("cannot write"));
}

TEST(Hdf5, a_full_disk_leaves_the_old_file_as_it_was) {
  const Scratch scratch;
  write_hdf5(scratch / "a.h5", small());
  const std::string before = slurp(scratch / "a.h5");
  Dataset big = small();
  big.add_dim("i", 100000);
  std::vector<double> noise(100000);
  for (std::size_t i = 0; i < noise.size(); ++i) noise[i] = std::sin(static_cast<double>(i * i));
  big.add("noise", {"i"}, noise, "1", "");
  rlimit old{};
  getrlimit(RLIMIT_FSIZE, &old);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit tight = old;
  tight.rlim_cur = 20000;  // stands for a disk with 20 kB left: write() fails half-way
  setrlimit(RLIMIT_FSIZE, &tight);
  const auto error = error_of([&] { write_hdf5(scratch / "a.h5", big); });
  setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(error.diagnostics()[0].code, "E301");
  EXPECT_THAT(error.what(), HasSubstr("full"));
  EXPECT_EQ(slurp(scratch / "a.h5"), before);
  EXPECT_EQ(scratch.files(), 1u);  // no temporary file stays behind
}

TEST(Hdf5, a_write_protected_file_is_not_replaced) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  const Scratch scratch;
  write_hdf5(scratch / "a.h5", small());
  ::chmod((scratch / "a.h5").c_str(), 0444);
  EXPECT_EQ(code_of([&] { write_hdf5(scratch / "a.h5", Dataset{}); }), "E301");
  expect_equal(small(), read_hdf5(scratch / "a.h5"));
}

TEST(Hdf5, a_link_is_followed_and_permissions_stay) {
  const Scratch scratch;
  write_hdf5(scratch / "real.h5", Dataset{});
  ::chmod((scratch / "real.h5").c_str(), 0600);
  std::filesystem::create_symlink("real.h5", scratch / "link.h5");
  write_hdf5(scratch / "link.h5", small());
  EXPECT_TRUE(std::filesystem::is_symlink(scratch / "link.h5"));
  expect_equal(small(), read_hdf5(scratch / "real.h5"));
  struct stat info {};
  ::stat((scratch / "real.h5").c_str(), &info);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
}

TEST(Hdf5, several_threads_may_read_and_write) {
  const Scratch scratch;
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 5; ++i) {
        write_hdf5(scratch / (fmt::format("t{}.h5", t)), small());
        expect_equal(small(), read_hdf5(scratch / (fmt::format("t{}.h5", t))));
      }
    });
}

TEST(FileSink, stores_replaces_and_removes) {
  const Scratch scratch;
  eos::io::FileSink sink(scratch / "made/on/demand");
  EXPECT_FALSE(sink.read("checkpoint").has_value());
  sink.write("checkpoint", small());
  sink.write("checkpoint-2.part", Dataset{});
  expect_equal(small(), *sink.read("checkpoint"));
  sink.write("checkpoint", Dataset{});
  EXPECT_TRUE(sink.read("checkpoint")->variables.empty());
  sink.remove("checkpoint");
  sink.remove("checkpoint");
  EXPECT_FALSE(sink.read("checkpoint").has_value());
  EXPECT_EQ(code_of([&] { sink.write("../escape", Dataset{}); }), "E190");
}

}  // namespace
