#include "eos/io/run_journal.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <zlib.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <mutex>

#include "dataset_codec.hpp"
#include "descriptor.hpp"
#include "eos/core/error.hpp"
#include "eos/core/hash.hpp"

namespace eos::io {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view k_magic = "EOSJRNL1";
constexpr std::size_t k_header_bytes = 8 + 64;
constexpr auto k_sync_every = std::chrono::seconds(1);
constexpr std::uint64_t k_largest_record = std::uint64_t{1} << 40;

/// What stands before the body of a record.
struct RecordHead {
  std::int64_t index = 0;
  std::uint64_t length = 0;
  std::uint32_t checksum = 0;

  static constexpr std::size_t k_bytes = 8 + 8 + 4;
  std::uint32_t checksum_of(std::string_view body) const {
    char numbers[16];
    std::memcpy(numbers, &index, 8);
    std::memcpy(numbers + 8, &length, 8);
    const uLong start = ::crc32_z(0, reinterpret_cast<const Bytef*>(numbers), sizeof numbers);
    return static_cast<std::uint32_t>(::crc32_z(start, reinterpret_cast<const Bytef*>(body.data()), body.size()));
  }
  void store(char* to) const {
    std::memcpy(to, &index, 8);
    std::memcpy(to + 8, &length, 8);
    std::memcpy(to + 16, &checksum, 4);
  }
  void load(const char* from) {
    std::memcpy(&index, from, 8);
    std::memcpy(&length, from + 8, 8);
    std::memcpy(&checksum, from + 16, 4);
  }
};

/// Reads up to `size` bytes into `bytes`; fewer at the end of the file.
void read_at(int fd, off_t offset, std::size_t size, const std::string& path, std::string& bytes) {
  bytes.resize(size);
  std::size_t have = 0;
  while (have < size) {
    const ssize_t n = ::pread(fd, bytes.data() + have, size - have, offset + static_cast<off_t>(have));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw core::Error("E201", fmt::format("cannot read '{}': {}", path, std::strerror(errno)));
    if (n == 0) break;
    have += static_cast<std::size_t>(n);
  }
  bytes.resize(have);
}

/// Calls use(index, body) for every complete record; returns where the last one ends.
template <class Use>
off_t scan(int fd, off_t size, const std::string& path, Use use) {
  off_t at = k_header_bytes;
  std::string bytes;
  while (size - at >= static_cast<off_t>(RecordHead::k_bytes)) {
    read_at(fd, at, RecordHead::k_bytes, path, bytes);
    if (bytes.size() < RecordHead::k_bytes) break;  // somebody cuts it right now
    RecordHead head;
    head.load(bytes.data());
    const auto room = static_cast<std::uint64_t>(size - at) - RecordHead::k_bytes;
    if (head.length > room || head.length > k_largest_record) break;
    read_at(fd, at + static_cast<off_t>(RecordHead::k_bytes), head.length, path, bytes);
    if (bytes.size() != head.length || head.checksum_of(bytes) != head.checksum) break;
    use(head.index, bytes);
    at += static_cast<off_t>(RecordHead::k_bytes + head.length);
  }
  return at;
}

}  // namespace

struct RunJournal::State {
  std::string path;
  Descriptor file;
  std::mutex mutex;
  off_t end = 0;     ///< behind the last complete record
  off_t stored = 0;  ///< behind the last one that is not kept in memory
  std::vector<Record> kept;
  bool dirty = false;
  Clock::time_point synced = Clock::now();
  std::vector<std::int64_t> finished;

  void open(const std::string& sweep) {
    const std::string header = std::string(k_magic) + core::sha256_hex(sweep);
    const off_t size = ::lseek(file.get(), 0, SEEK_END);
    std::string start;
    read_at(file.get(), 0, k_header_bytes, path, start);
    if (std::string_view(header).starts_with(start)) {  // new, or its writer was killed while it wrote the header
      if (start.size() < k_header_bytes) {
        cut(0);
        if (const int error = write_all_at(file.get(), header, 0); error != 0) cut(0), fail_to_write(path, error);
      }
    } else if (!start.starts_with(k_magic)) {
      throw core::Error("E203", fmt::format("'{}' is not a journal of finished runs of this version of eos", path),
                        "remove it: its runs are then run again");
    } else {
      throw core::Error("E501", fmt::format("the journal '{}' holds runs of another sweep", path),
                        "give each sweep a folder of its own");
    }
    end = scan(file.get(), size, path, [&](std::int64_t index, const std::string&) { finished.push_back(index); });
    if (end < size) cut(end);
    stored = end;
  }
  void cut(off_t size) {
    if (::ftruncate(file.get(), size) != 0) fail_to_write(path, errno);
  }
};

std::optional<RunJournal> RunJournal::claim(const std::string& path, const std::string& sweep) {
  auto state = std::make_unique<State>();
  state->path = path;
  state->file = lock_file(path);
  if (!state->file.ok()) return std::nullopt;
  state->open(sweep);
  return RunJournal(std::move(state));
}

std::vector<RunJournal::Record> RunJournal::look(const std::string& path) {
  std::vector<Record> records;
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.ok()) return records;
  scan(file.get(), ::lseek(file.get(), 0, SEEK_END), path, [&](std::int64_t index, const std::string& body) {
    records.push_back({index, decode(body)});
  });
  return records;
}

RunJournal::RunJournal(std::unique_ptr<State> state) : state_(std::move(state)) {}
RunJournal::RunJournal(RunJournal&&) noexcept = default;
RunJournal& RunJournal::operator=(RunJournal&&) noexcept = default;
RunJournal::~RunJournal() {
  if (state_ != nullptr && state_->file.ok() && state_->dirty) ::fdatasync(state_->file.get());
}

std::vector<std::int64_t> RunJournal::finished() const {
  const std::lock_guard<std::mutex> hold(state_->mutex);
  return state_->finished;
}

std::vector<RunJournal::Record> RunJournal::read() {
  const std::lock_guard<std::mutex> hold(state_->mutex);
  State& s = *state_;
  std::vector<Record> records;
  records.reserve(s.finished.size());
  const off_t end = scan(s.file.get(), s.stored, s.path, [&](std::int64_t index, const std::string& body) {
    records.push_back({index, decode(body)});
  });
  if (end != s.stored)
    throw core::Error("E203", fmt::format("the journal '{}' was damaged while it was in use", s.path),
                      "start the sweep again: it takes the runs that are whole and repeats the others");
  for (Record& record : s.kept) records.push_back(std::move(record));
  s.kept.clear();
  s.stored = s.end;
  return records;
}

void RunJournal::append(std::int64_t index, core::Dataset run) {
  thread_local std::string bytes;
  bytes.assign(RecordHead::k_bytes, '\0');
  encode(run, bytes);
  const std::string_view body = std::string_view(bytes).substr(RecordHead::k_bytes);
  RecordHead head{index, body.size(), 0};
  head.checksum = head.checksum_of(body);
  head.store(bytes.data());
  bool sync_now = false;
  {
    const std::lock_guard<std::mutex> hold(state_->mutex);
    if (const int error = write_all_at(state_->file.get(), bytes, state_->end); error != 0) {
      state_->cut(state_->end);
      fail_to_write(state_->path, error, bytes.size());
    }
    state_->end += static_cast<off_t>(bytes.size());
    state_->finished.push_back(index);
    state_->kept.push_back({index, std::move(run)});
    state_->dirty = true;
    sync_now = Clock::now() - state_->synced >= k_sync_every;
    if (sync_now) state_->synced = Clock::now(), state_->dirty = false;
  }
  if (sync_now && ::fdatasync(state_->file.get()) != 0) fail_to_write(state_->path, errno);
}

void RunJournal::sync() {
  const std::lock_guard<std::mutex> hold(state_->mutex);
  state_->dirty = false;
  state_->synced = Clock::now();
  if (::fdatasync(state_->file.get()) != 0) fail_to_write(state_->path, errno);
}

void RunJournal::remove() {
  const std::lock_guard<std::mutex> hold(state_->mutex);
  if (::unlink(state_->path.c_str()) != 0 && errno != ENOENT) fail_to_write(state_->path, errno);
  state_->dirty = false;
  state_->file.close();
}

}  // namespace eos::io
