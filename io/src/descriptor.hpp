// POSIX files: a descriptor that closes itself, whole writes, and the words for what went wrong. Private to io/.
#pragma once

#include <unistd.h>

#include <string>
#include <string_view>
#include <utility>

namespace eos::io {

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor() { close(); }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) close(), fd_ = std::exchange(other.fd_, -1);
    return *this;
  }
  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }
  int close() {
    const int result = fd_ >= 0 ? ::close(fd_) : 0;
    fd_ = -1;
    return result;
  }

 private:
  int fd_;
};

/// Throws Error E301 that names the cause: no such folder, no permission, disk full.
[[noreturn]] void fail_to_write(const std::string& path, int error, std::size_t bytes = 0);
/// Writes everything; returns 0 or errno.
int write_all(int fd, std::string_view bytes);
/// The same at a place in the file.
int write_all_at(int fd, std::string_view bytes, off_t offset);
/// Opens or creates and locks (flock) the file that `path` names; not ok() when somebody else holds it. throws E301.
Descriptor lock_file(const std::string& path);
/// fsync of the folder that holds `path`, where its file system can.
void sync_folder_of(const std::string& path);

}  // namespace eos::io
