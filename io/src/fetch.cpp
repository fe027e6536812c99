#include "eos/io/fetch.hpp"

#include <curl/curl.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <mutex>

#include "eos/core/error.hpp"
#include "eos/core/hash.hpp"
#include "eos/io/atomic_file.hpp"

namespace eos::io {

namespace fs = std::filesystem;
using core::Error;

namespace {

struct FileCloser {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, FileCloser>;

struct CurlCloser {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
};
using Curl = std::unique_ptr<CURL, CurlCloser>;

/// What the callbacks of one download share.
struct Transfer {
  std::FILE* file = nullptr;
  core::Progress* progress = nullptr;
  std::string task;
  curl_off_t resumed = 0;
  bool begun = false, stopped = false;
  int write_error = 0;

  static std::size_t on_bytes(char* data, std::size_t size, std::size_t count, void* self) {
    auto& t = *static_cast<Transfer*>(self);
    const std::size_t written = std::fwrite(data, size, count, t.file);
    if (written != count) t.write_error = errno;
    return written * size;
  }
  static int on_progress(void* self, curl_off_t total, curl_off_t now, curl_off_t, curl_off_t) {
    auto& t = *static_cast<Transfer*>(self);
    try {
      if (!t.begun && total > 0) {
        t.progress->begin(t.task, static_cast<double>(total + t.resumed), "B");
        t.begun = true;
      }
      if (t.begun) t.progress->update(t.task, static_cast<double>(now + t.resumed));
      t.stopped = t.progress->stop_requested();
    } catch (...) {  // no exception may cross the C library
      t.stopped = true;
    }
    return t.stopped ? 1 : 0;
  }
};

Error cannot_write(const std::string& path, int error) {
  return Error("E301", fmt::format("cannot write '{}': {}", path, std::strerror(error)),
               error == ENOSPC ? "free some space; what has arrived is kept and the download resumes" : "");
}

[[noreturn]] void refuse_download(const FetchRequest& request, CURLcode code, long status, const char* words) {
  std::string why = words[0] != '\0' ? words : curl_easy_strerror(code);
  std::string help =
      fmt::format("fetch {} with any other program or machine and put it at '{}'", request.url, request.path);
  if (code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_RESOLVE_PROXY || code == CURLE_COULDNT_CONNECT)
    why = fmt::format("this machine seems to be offline or behind a firewall ({})", why);
  if (code == CURLE_HTTP_RETURNED_ERROR) why = fmt::format("the server answered {}", status);
  if (code == CURLE_OPERATION_TIMEDOUT)
    help = "run the command again: the download resumes where it stopped; or " + help;
  throw Error("E205", fmt::format("cannot download {}: {}", request.url, why), help);
}

void set_options(CURL* curl, const FetchRequest& request, Transfer& transfer, char* words) {
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https,http,file");
  curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "https,http");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, 8L);
  curl_easy_setopt(curl, CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "eos");
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, words);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(1000 * request.connect_seconds));
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, std::max(1L, static_cast<long>(request.stall_seconds)));
  curl_easy_setopt(curl, CURLOPT_RESUME_FROM_LARGE, transfer.resumed);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &Transfer::on_bytes);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, &Transfer::on_progress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &transfer);
}

/// One attempt. Returns false when the server cannot continue the part, which is then to be thrown away.
bool attempt(const FetchRequest& request, const std::string& part, Transfer& transfer) {
  std::error_code ignored;
  const auto have = fs::file_size(part, ignored);
  transfer.resumed = ignored ? 0 : static_cast<curl_off_t>(have);
  const File file(std::fopen(part.c_str(), "ab"));
  if (!file) throw cannot_write(part, errno);
  transfer.file = file.get();
  const Curl curl(curl_easy_init());
  if (!curl) throw Error("E306", "libcurl cannot start");
  char words[CURL_ERROR_SIZE] = {};
  set_options(curl.get(), request, transfer, words);
  const CURLcode code = curl_easy_perform(curl.get());
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  const bool flushed = std::fflush(file.get()) == 0 && ::fsync(fileno(file.get())) == 0;
  if (transfer.write_error != 0 || !flushed)
    throw cannot_write(part, transfer.write_error != 0 ? transfer.write_error : errno);
  if (transfer.stopped || code == CURLE_OK) return true;
  constexpr long k_range_not_satisfiable = 416;
  const bool cannot_resume =
      code == CURLE_RANGE_ERROR || code == CURLE_BAD_DOWNLOAD_RESUME || status == k_range_not_satisfiable;
  if (transfer.resumed > 0 && cannot_resume) return false;
  refuse_download(request, code, status, words);
}

/// True when `path` is a file with the wanted hash; without a wanted hash, when it is a file at all.
bool is_right(const std::string& path, const std::string& sha256) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored) && (sha256.empty() || file_sha256(path) == sha256);
}

void start_curl() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

}  // namespace

std::string file_sha256(const std::string& path) {
  const File file(std::fopen(path.c_str(), "rb"));
  if (!file) throw Error("E201", fmt::format("cannot read '{}': {}", path, std::strerror(errno)));
  core::Sha256 hash;
  for (char block[1 << 16];;) {
    const std::size_t n = std::fread(block, 1, sizeof block, file.get());
    hash.update(block, n);
    if (n == sizeof block) continue;
    if (std::ferror(file.get()) != 0) throw Error("E201", fmt::format("cannot read '{}'", path));
    return hash.hex();
  }
}

FetchResult fetch(const FetchRequest& request, core::Progress& progress) {
  if (is_right(request.path, request.sha256)) return FetchResult::already_there;
  start_curl();
  const fs::path target(request.path);
  std::error_code error;
  if (!target.parent_path().empty()) fs::create_directories(target.parent_path(), error);
  if (error)
    throw Error("E301",
                fmt::format("cannot create the folder '{}': {}", target.parent_path().string(), error.message()));
  const std::string part = request.path + ".part";
  // A complete part whose last step was interrupted needs no network.
  if (!request.sha256.empty() && is_right(part, request.sha256)) {
    publish_file(part, request.path);
    return FetchResult::downloaded;
  }
  Transfer transfer;
  transfer.progress = &progress;
  transfer.task = target.filename().string();
  const auto complete = [&] {
    return attempt(request, part, transfer) &&
           (transfer.stopped || request.sha256.empty() || is_right(part, request.sha256));
  };
  bool done = complete();
  if (!done && transfer.resumed > 0) {  // the part does not belong to what the server has now: once more from the start
    fs::remove(part, error);
    done = complete();
  }
  if (transfer.begun) progress.end(transfer.task);
  if (transfer.stopped) return FetchResult::stopped;
  if (!done) {
    const std::string found = file_sha256(part);
    fs::remove(part, error);
    throw Error("E204", fmt::format("{} has SHA-256 {}, expected {}", request.url, found, request.sha256),
                "run the command again; if it happens again, the published file has changed");
  }
  publish_file(part, request.path);
  return FetchResult::downloaded;
}

}  // namespace eos::io
