// Download a file once, whole and checked: https (and http, file) by libcurl, resumed after interruption.
//
// Guarantees: the target appears only when it is complete and its SHA-256 is right; until then the bytes are in
// TARGET.part, from which a later call resumes (HTTP range request; a server that cannot resume sends everything
// again). A target that is there already and right is not downloaded again.
#pragma once

#include <string>

#include "eos/core/progress.hpp"

namespace eos::io {

struct FetchRequest {
  std::string url;              ///< https://, http:// or file://
  std::string path;             ///< target; its folder is created
  std::string sha256;           ///< 64 hex digits; empty: not checked
  double connect_seconds = 20;  ///< until a connection must stand
  double stall_seconds = 60;    ///< without a byte before giving up
};

enum class FetchResult { downloaded, already_there, stopped };

/// Reports bytes to `progress` under the file's name; asks it whether to stop and then keeps the part (result stopped).
/// throws Error E204 (checksum; the part is removed), E205 (no network, no such host or file: says what to do instead),
/// E301 (cannot write).
FetchResult fetch(const FetchRequest& request, core::Progress& progress);

/// SHA-256 of a file's bytes. throws Error E201.
std::string file_sha256(const std::string& path);

}  // namespace eos::io
