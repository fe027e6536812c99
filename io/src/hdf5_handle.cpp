#include "hdf5_handle.hpp"

#include <fmt/format.h>

#include <mutex>

#include "eos/core/error.hpp"

namespace eos::io::h5 {

namespace {

std::recursive_mutex& library_lock() {
  static std::recursive_mutex lock;
  return lock;
}

/// The innermost message of HDF5's error stack.
std::string library_words() {
  std::string words;
  const auto visit = [](unsigned depth, const H5E_error2_t* error, void* target) -> herr_t {
    if (depth == 0 && error->desc != nullptr) *static_cast<std::string*>(target) = error->desc;
    return 0;
  };
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, visit, &words);
  H5Eclear2(H5E_DEFAULT);
  return words;
}

[[noreturn]] void fail(const char* what) {
  throw core::Error("E306", fmt::format("HDF5 could not {}: {}", what, library_words()));
}

}  // namespace

Handle::Handle(hid_t id, Closer closer, const char* what) : id_(id), closer_(closer) {
  if (id < 0) fail(what);
}

void check(herr_t result, const char* what) {
  if (result < 0) fail(what);
}

Session::Session() {
  library_lock().lock();
  // After a damaged file libhdf5 1.10 complains about an endless loop while the program exits; eos closes all it opens.
  static const herr_t k_no_exit_handler = H5dont_atexit();
  static_cast<void>(k_no_exit_handler);
  H5Eget_auto2(H5E_DEFAULT, &printer_, &data_);
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

Session::~Session() {
  H5Eset_auto2(H5E_DEFAULT, printer_, data_);
  library_lock().unlock();
}

hid_t text_type() {
  static const Handle k_type = [] {
    Handle type(H5Tcopy(H5T_C_S1), H5Tclose, "copy a type");
    check(H5Tset_size(type, H5T_VARIABLE), "make a text type");
    check(H5Tset_cset(type, H5T_CSET_UTF8), "make a text type");
    return type;
  }();
  return k_type;
}

}  // namespace eos::io::h5
