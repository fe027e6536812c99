#include "eos/io/atomic_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "descriptor.hpp"
#include "eos/core/error.hpp"

namespace eos::io {

namespace fs = std::filesystem;

namespace {

std::string folder_of(const std::string& path) {
  const std::string folder = fs::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

/// Where the bytes go: the target of a symbolic link, so that the link stays.
std::string resolved(const std::string& path) {
  std::error_code error;
  if (!fs::is_symlink(path, error)) return path;
  const fs::path real = fs::weakly_canonical(path, error);
  return error ? path : real.string();
}

}  // namespace

void fail_to_write(const std::string& path, int error, std::size_t bytes) {
  const std::string folder = folder_of(path);
  std::string why = std::strerror(error), help;
  std::error_code ignored;
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      if (!fs::is_directory(folder, ignored)) {
        why = fmt::format("the folder '{}' does not exist", folder);
        help = fmt::format("mkdir -p '{}'", folder);
      }
      break;
    case EISDIR:
      why = "it is a folder";
      help = "give the name of a file";
      break;
    case EROFS:
      why = "the file system is read-only";
      help = "write to another folder with -o";
      break;
    case EACCES:
    case EPERM:
      why = fs::exists(path, ignored) ? "the file is write-protected, or its folder is"
                                      : fmt::format("no permission to write in '{}'", folder);
      help = "write to another folder with -o, or change the permissions";
      break;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      why = fmt::format("the disk is full or the quota used up ({} bytes were to be written)", bytes);
      help = "free some space or write to another disk with -o; a file that was there before is unchanged";
      break;
    default:
      break;
  }
  throw core::Error("E301", fmt::format("cannot write '{}': {}", path, why), help);
}

int write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return 0;
}

int write_all_at(int fd, std::string_view bytes, off_t offset) {
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(fd, bytes.data(), bytes.size(), offset);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(n));
    offset += n;
  }
  return 0;
}

void sync_folder_of(const std::string& path) {
  const Descriptor folder(::open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.ok()) ::fsync(folder.get());  // not every file system can; the rename itself has happened
}

Descriptor lock_file(const std::string& path) {
  for (;;) {
    Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
    if (!file.ok()) fail_to_write(path, errno);
    if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno == EWOULDBLOCK) return Descriptor();
      if (errno == EINTR) continue;
      fail_to_write(path, errno);
    }
    // Its holder may have removed the file between our open and our lock: then the lock is on a file without a name.
    struct stat ours {
    }, named{};
    if (::fstat(file.get(), &ours) == 0 && ::stat(path.c_str(), &named) == 0 && ours.st_ino == named.st_ino &&
        ours.st_dev == named.st_dev)
      return file;
  }
}

void publish_file(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) fail_to_write(to, errno);
  sync_folder_of(to);
}

void write_file(const std::string& path, std::string_view bytes) {
  const std::string target = resolved(path);
  struct stat old {};
  const bool exists = ::stat(target.c_str(), &old) == 0;
  if (exists && S_ISDIR(old.st_mode)) fail_to_write(path, EISDIR);
  if (exists && !S_ISREG(old.st_mode)) {  // a device or a pipe cannot be renamed over
    Descriptor device(::open(target.c_str(), O_WRONLY | O_CLOEXEC));
    if (!device.ok()) fail_to_write(path, errno);
    if (const int error = write_all(device.get(), bytes); error != 0) fail_to_write(path, error, bytes.size());
    return;
  }
  if (exists && ::access(target.c_str(), W_OK) != 0)
    fail_to_write(path, errno);  // a write-protected file stays as it is
  static std::atomic<unsigned> counter{0};
  const fs::path where(target);
  const std::string temporary =
      (where.parent_path() / fmt::format(".{}.tmp-{}-{}", where.filename().string(), ::getpid(), counter++)).string();
  Descriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (!file.ok()) fail_to_write(path, errno);
  int error = write_all(file.get(), bytes);
  if (error == 0 && exists && ::fchmod(file.get(), old.st_mode & 07777) != 0) error = errno;
  if (error == 0 && ::fsync(file.get()) != 0) error = errno;
  if (file.close() != 0 && error == 0) error = errno;
  if (error == 0 && ::rename(temporary.c_str(), target.c_str()) != 0) error = errno;
  if (error != 0) {
    ::unlink(temporary.c_str());
    fail_to_write(path, error, bytes.size());
  }
  sync_folder_of(target);
}

std::string read_file(const std::string& path, std::size_t limit) {
  const auto refuse = [&](const std::string& why, const std::string& help = {}) {
    return core::Error("E201", fmt::format("cannot read '{}': {}", path, why), help);
  };
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.ok())
    throw refuse(std::strerror(errno), errno == ENOENT ? "check the spelling and the current folder" : "");
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) throw refuse(std::strerror(errno));
  if (S_ISDIR(info.st_mode)) throw refuse("it is a folder");
  std::string bytes;
  if (S_ISREG(info.st_mode)) bytes.reserve(std::min(static_cast<std::size_t>(info.st_size), limit) + 1);
  for (char block[1 << 16];;) {
    const ssize_t n = ::read(file.get(), block, sizeof block);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw refuse(std::strerror(errno));
    if (n == 0) return bytes;
    bytes.append(block, static_cast<std::size_t>(n));
    if (bytes.size() > limit) throw refuse(fmt::format("it is longer than {} bytes", limit));
  }
}

}  // namespace eos::io
