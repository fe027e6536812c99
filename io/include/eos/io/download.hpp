// Fetch a file from the network and keep it only if its checksum is right.
//
// Guarantees: the bytes are verified before anything is written, and the file appears all or nothing (see atomic_file.hpp).
// Proxies are taken from the environment by libcurl (http_proxy, https_proxy, no_proxy). Only https, http and file URLs.
#pragma once

#include <string>

#include "eos/core/progress.hpp"

namespace eos::io {

/// Downloads `url` to `path`, creating its folder. Progress: one task named after the file, in bytes.
/// throws Error E205 (host unreachable, refused, HTTP status, stopped), E204 (SHA-256 differs from `sha256`), E301.
void download(const std::string& url, const std::string& path, const std::string& sha256, core::Progress& progress);

}  // namespace eos::io
