#include "eos/io/fetch.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>

#include <cstdio>
#include <vector>

#include "eos/core/hash.hpp"
#include "support.hpp"

namespace {

using eos::io::fetch;
using eos::io::FetchRequest;
using eos::io::FetchResult;
using eos::io::testing::error_of;
using eos::io::testing::Scratch;
using eos::io::testing::slurp;
using eos::io::testing::spill;
using ::testing::HasSubstr;

/// Records what it is told, and may ask to stop.
class Watcher : public eos::core::Progress {
 public:
  void begin(const std::string&, double total, const std::string&) override { total_ = total; }
  void update(const std::string&, double done, const std::string&) override { done_ = done; }
  void end(const std::string&) override { ended_ = true; }
  bool stop_requested() const override { return stop_; }
  double total_ = 0, done_ = 0;
  bool ended_ = false, stop_ = false;
};

std::string content() {
  std::string text;
  for (int i = 0; i < 40000; ++i) text += fmt::format("{} ", i);
  return text;
}

struct Source {
  Scratch scratch;
  FetchRequest request;
  Watcher watcher;
  Source() {
    spill(scratch / "source.bin", content());
    request.url = "file://" + (scratch / "source.bin");
    request.path = scratch / "made/target.bin";
    request.sha256 = eos::core::sha256_hex(content());
  }
};

TEST(Fetch, brings_a_file_whole_and_only_once) {
  Source s;
  EXPECT_EQ(fetch(s.request, s.watcher), FetchResult::downloaded);
  EXPECT_EQ(slurp(s.request.path), content());
  EXPECT_FALSE(std::filesystem::exists(s.request.path + ".part"));
  EXPECT_EQ(s.watcher.total_, static_cast<double>(content().size()));
  EXPECT_EQ(s.watcher.done_, s.watcher.total_);
  EXPECT_TRUE(s.watcher.ended_);
  std::filesystem::remove(s.scratch / "source.bin");  // a second call does not look at the source
  EXPECT_EQ(fetch(s.request, s.watcher), FetchResult::already_there);
}

TEST(Fetch, resumes_from_the_part_that_is_there) {
  Source s;
  std::filesystem::create_directories(s.scratch / "made");
  spill(s.request.path + ".part", content().substr(0, 100000));
  // The source's front is replaced by other bytes of the same length: only a resumed download gives the right hash.
  spill(s.scratch / "source.bin", std::string(100000, 'x') + content().substr(100000));
  EXPECT_EQ(fetch(s.request, s.watcher), FetchResult::downloaded);
  EXPECT_EQ(slurp(s.request.path), content());
}

TEST(Fetch, a_part_that_does_not_fit_is_thrown_away) {
  for (const std::string& part : {std::string(1000, 'x'), content() + "more"}) {
    Source s;
    std::filesystem::create_directories(s.scratch / "made");
    spill(s.request.path + ".part", part);
    EXPECT_EQ(fetch(s.request, s.watcher), FetchResult::downloaded);
    EXPECT_EQ(slurp(s.request.path), content());
  }
}

TEST(Fetch, a_complete_part_needs_no_source) {
  Source s;
  std::filesystem::create_directories(s.scratch / "made");
  spill(s.request.path + ".part", content());
  std::filesystem::remove(s.scratch / "source.bin");
  EXPECT_EQ(fetch(s.request, s.watcher), FetchResult::downloaded);
  EXPECT_EQ(slurp(s.request.path), content());
}

TEST(Fetch, a_wrong_checksum_is_refused_and_the_old_file_stays) {
  Source s;
  std::filesystem::create_directories(s.scratch / "made");
  spill(s.request.path, "old");
  s.request.sha256 = std::string(64, '0');
  const auto error = error_of([&] { fetch(s.request, s.watcher); });
  EXPECT_EQ(error.diagnostics()[0].code, "E204");
  EXPECT_THAT(error.what(), HasSubstr(eos::core::sha256_hex(content())));
  EXPECT_EQ(slurp(s.request.path), "old");
  EXPECT_FALSE(std::filesystem::exists(s.request.path + ".part"));
}

TEST(Fetch, what_cannot_be_reached_says_what_to_do_instead) {
  Source s;
  s.request.url = "file:///no/such/file";
  const auto missing = error_of([&] { fetch(s.request, s.watcher); });
  EXPECT_EQ(missing.diagnostics()[0].code, "E205");
  EXPECT_EQ(missing.fault(), eos::core::Fault::machine);
  s.request.url = "http://127.0.0.1:9/file";  // the discard port: nothing listens there
  const auto offline = error_of([&] { fetch(s.request, s.watcher); });
  EXPECT_EQ(offline.diagnostics()[0].code, "E205");
  EXPECT_THAT(offline.what(), HasSubstr("offline"));
  EXPECT_THAT(offline.diagnostics()[0].help, HasSubstr(s.request.path));
  s.request.url = "gopher://127.0.0.1/";
  EXPECT_EQ(error_of([&] { fetch(s.request, s.watcher); }).diagnostics()[0].code, "E205");
}

TEST(Fetch, a_request_to_stop_keeps_the_part) {
  Source s;
  s.watcher.stop_ = true;
  EXPECT_EQ(fetch(s.request, s.watcher), FetchResult::stopped);
  EXPECT_FALSE(std::filesystem::exists(s.request.path));
  s.watcher.stop_ = false;
  EXPECT_EQ(fetch(s.request, s.watcher), FetchResult::downloaded);
}

TEST(Fetch, a_folder_that_cannot_be_made_is_explained) {
  Source s;
  s.request.path = "/proc/none/target";
  EXPECT_EQ(error_of([&] { fetch(s.request, s.watcher); }).diagnostics()[0].code, "E301");
}

/// Python's own web server on a free port of this machine.
class Server {
 public:
  explicit Server(const std::string& folder) {
    pipe_ = ::popen(
        fmt::format("echo $$; exec /usr/bin/python3 -u -m http.server 0 --bind 127.0.0.1 --directory '{}' 2>/dev/null",
                    folder)
            .c_str(),
        "r");
    char line[256] = {};
    if (pipe_ == nullptr || std::fgets(line, sizeof line, pipe_) == nullptr) return;
    pid_ = std::atoi(line);
    if (std::fgets(line, sizeof line, pipe_) != nullptr) std::sscanf(line, "Serving HTTP on 127.0.0.1 port %d", &port_);
  }
  ~Server() {
    if (pid_ > 0) ::kill(pid_, SIGTERM);
    if (pipe_ != nullptr) ::pclose(pipe_);
  }
  int port() const { return port_; }

 private:
  std::FILE* pipe_ = nullptr;
  int pid_ = 0, port_ = 0;
};

TEST(Fetch, a_web_server_is_asked_and_its_refusal_reported) {
  Source s;
  const Server server(s.scratch.path());
  if (server.port() == 0) GTEST_SKIP() << "no /usr/bin/python3 to serve files";
  s.request.url = fmt::format("http://127.0.0.1:{}/source.bin", server.port());
  std::filesystem::create_directories(s.scratch / "made");
  spill(s.request.path + ".part", content().substr(0, 5000));  // this server cannot resume: everything is sent again
  EXPECT_EQ(fetch(s.request, s.watcher), FetchResult::downloaded);
  EXPECT_EQ(slurp(s.request.path), content());
  s.request.url += ".absent";
  s.request.path += "2";
  EXPECT_THAT(error_of([&] { fetch(s.request, s.watcher); }).what(), HasSubstr("404"));
}

}  // namespace
