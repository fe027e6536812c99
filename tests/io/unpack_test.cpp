// Files out of archives made by the system's tar.
#include "eos/io/unpack.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "support.hpp"

namespace {

namespace fs = std::filesystem;
using eos::io::unpack;
using eos::io::testing::error_of;
using eos::io::testing::Scratch;
using eos::io::testing::slurp;
using eos::io::testing::spill;

TEST(Unpack, takes_the_named_files_out_of_an_archive) {
  for (const std::string format : {"gnu", "ustar"}) {
    const Scratch scratch;
    fs::create_directories(scratch / "in/set");
    const std::string content(1500, 'b');
    spill(scratch / "in/set/a.bin", "a"), spill(scratch / "in/set/b.bin", content),
        spill(scratch / "in/set/c.txt", "c");
    const std::string archive = scratch / "set.tar.gz";
    const std::string command = "tar --format=" + format + " -czf " + archive + " -C " + (scratch / "in") + " set";
    ASSERT_EQ(std::system(command.c_str()), 0);
    unpack(archive, {"set/b.bin", "set/a.bin"}, scratch / "out");
    EXPECT_EQ(slurp(scratch / "out/set/a.bin"), "a");
    EXPECT_EQ(slurp(scratch / "out/set/b.bin"), content);
    EXPECT_FALSE(fs::exists(scratch / "out/set/c.txt"));
    EXPECT_EQ(error_of([&] { unpack(archive, {"set/d.bin"}, scratch / "out"); }).diagnostics()[0].code, "E203");
    fs::resize_file(archive, fs::file_size(archive) / 2);
    EXPECT_EQ(error_of([&] {
                unpack(archive, {"set/a.bin", "set/b.bin", "set/c.txt"}, scratch / "cut");
              })
                  .diagnostics()[0]
                  .code,
              "E203");
    EXPECT_EQ(error_of([&] { unpack(scratch / "none.tar.gz", {"x"}, scratch / "out"); }).diagnostics()[0].code, "E201");
  }
}

}  // namespace
