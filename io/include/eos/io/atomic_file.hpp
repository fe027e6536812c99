// Replace a file's content all or nothing, and read a whole file.
//
// Statement: the bytes go to a temporary name in the same folder, are fsync'ed, renamed over the target, and the folder
// is fsync'ed. After a crash at any moment the target holds either the old or the new content, never a mixture (POSIX
// rename). A symbolic link is followed; a device such as /dev/stdout is written directly.
#pragma once

#include <string>
#include <string_view>

namespace eos::io {

/// throws Error E301 that names the cause: no such folder, no permission, disk full. The old file stays as it was.
void write_file(const std::string& path, std::string_view bytes);

/// The whole file. throws Error E201 when it is missing, a folder, unreadable or longer than `limit` bytes.
std::string read_file(const std::string& path, std::size_t limit = std::size_t{1} << 40);

/// Renames `from` to `to` in the same folder and fsyncs it. throws Error E301.
void publish_file(const std::string& from, const std::string& to);

}  // namespace eos::io
