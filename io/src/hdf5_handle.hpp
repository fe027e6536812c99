// Own HDF5 identifiers and turn the library's error stack into an eos Error. Private to io/.
#pragma once

#include <hdf5.h>

#include <string>
#include <utility>

namespace eos::io::h5 {

/// An HDF5 identifier that closes itself. Any negative identifier makes the constructor throw Error E306.
class Handle {
 public:
  using Closer = herr_t (*)(hid_t);
  Handle(hid_t id, Closer closer, const char* what);
  ~Handle() {
    if (id_ >= 0) closer_(id_);
  }
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), closer_(other.closer_) {}
  Handle& operator=(Handle&&) = delete;
  operator hid_t() const { return id_; }  // NOLINT: stands for the identifier in every call

 private:
  hid_t id_;
  Closer closer_;
};

/// Throws Error E306 with the library's own words when `result` is negative.
void check(herr_t result, const char* what);

/// While it lives: HDF5 prints nothing, and no other thread of eos is inside the library (which keeps global state).
class Session {
 public:
  Session();
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

 private:
  H5E_auto2_t printer_ = nullptr;
  void* data_ = nullptr;
};

/// Variable-length UTF-8 text, the only text type of EOS-1. Made once; not to be closed.
hid_t text_type();

}  // namespace eos::io::h5
