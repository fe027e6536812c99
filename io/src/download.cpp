#include "eos/io/download.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "eos/core/error.hpp"
#include "eos/core/hash.hpp"
#include "eos/io/atomic_file.hpp"

namespace eos::io {

namespace {

using core::Error;

constexpr long k_connect_timeout_s = 20, k_stalled_after_s = 60;

struct Transfer {
  std::string bytes;
  std::string task;
  core::Progress* progress = nullptr;
  bool begun = false;
};

std::size_t on_data(char* data, std::size_t size, std::size_t count, void* transfer) {
  static_cast<Transfer*>(transfer)->bytes.append(data, size * count);
  return size * count;
}

int on_progress(void* context, curl_off_t total, curl_off_t done, curl_off_t, curl_off_t) {
  Transfer& transfer = *static_cast<Transfer*>(context);
  if (total > 0 && !transfer.begun) {
    transfer.progress->begin(transfer.task, static_cast<double>(total), "bytes");
    transfer.begun = true;
  }
  if (transfer.begun) transfer.progress->update(transfer.task, static_cast<double>(done));
  return transfer.progress->stop_requested() ? 1 : 0;
}

void set_up_library() {
  static const CURLcode k_ready = curl_global_init(CURL_GLOBAL_DEFAULT);  // once, before any thread uses it
  if (k_ready != CURLE_OK) throw Error("E306", fmt::format("libcurl: {}", curl_easy_strerror(k_ready)));
}

std::string fetch(const std::string& url, Transfer& transfer) {
  set_up_library();
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> handle(curl_easy_init(), &curl_easy_cleanup);
  if (!handle) throw Error("E306", "libcurl: no handle");
  char reason[CURL_ERROR_SIZE] = {};
  curl_easy_setopt(handle.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle.get(), CURLOPT_ERRORBUFFER, reason);
  curl_easy_setopt(handle.get(), CURLOPT_PROTOCOLS_STR, "https,http,file");
  curl_easy_setopt(handle.get(), CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(handle.get(), CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(handle.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle.get(), CURLOPT_CONNECTTIMEOUT, k_connect_timeout_s);
  curl_easy_setopt(handle.get(), CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(handle.get(), CURLOPT_LOW_SPEED_TIME, k_stalled_after_s);
  curl_easy_setopt(handle.get(), CURLOPT_WRITEFUNCTION, on_data);
  curl_easy_setopt(handle.get(), CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(handle.get(), CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(handle.get(), CURLOPT_XFERINFODATA, &transfer);
  curl_easy_setopt(handle.get(), CURLOPT_NOPROGRESS, 0L);
  const CURLcode code = curl_easy_perform(handle.get());
  if (transfer.begun) transfer.progress->end(transfer.task);
  if (code != CURLE_OK)
    throw Error("E205", fmt::format("{}: {}", url, *reason != '\0' ? reason : curl_easy_strerror(code)),
                "fetch the file on another machine and put it in ./data or $EOS_DATA");
  return std::move(transfer.bytes);
}

}  // namespace

void download(const std::string& url, const std::string& path, const std::string& sha256, core::Progress& progress) {
  namespace fs = std::filesystem;
  Transfer transfer;
  transfer.task = fs::path(path).filename().string();
  transfer.progress = &progress;
  const std::string bytes = fetch(url, transfer);
  if (const std::string found = core::sha256_hex(bytes); found != sha256)
    throw Error("E204", fmt::format("{} has SHA-256 {}, expected {}", url, found, sha256), "nothing was written; try again or use another source");
  std::error_code ignored;
  fs::create_directories(fs::path(path).parent_path(), ignored);  // write_file says what is wrong
  write_file(path, bytes);
}

}  // namespace eos::io
