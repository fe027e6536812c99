#include "work_counter.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <filesystem>

#include "eos/core/error.hpp"
#include "run_program.hpp"

namespace eos::cli {

namespace {

#ifdef EOS_MPI_MODULE

/// Beside the program, as it is built, or where it is installed.
std::string module_path() {
  const std::filesystem::path folder = std::filesystem::path(this_program()).parent_path();
  for (const std::filesystem::path& place : {folder / EOS_MPI_MODULE, folder / EOS_MPI_INSTALLED / EOS_MPI_MODULE})
    if (std::filesystem::exists(place)) return place;
  throw core::Error("E308",
                    fmt::format("MPI: {} is not beside the program in {}, nor in {}", EOS_MPI_MODULE, folder.string(),
                                (folder / EOS_MPI_INSTALLED).lexically_normal().string()),
                    "copy it there, or install eos anew with -DEOS_MPI=ON");
}

void* symbol(const char* name) {
  // Global, because MPI libraries load plugins that look for the symbols of MPI itself. Never closed: MPI starts once.
  void* library = dlopen(module_path().c_str(), RTLD_NOW | RTLD_GLOBAL);
  void* found = library == nullptr ? nullptr : dlsym(library, name);
  if (found == nullptr)
    throw core::Error("E308", fmt::format("MPI cannot be loaded: {}", dlerror()),
                      "install the MPI that eos was built with (Open MPI: package libopenmpi3), or build eos again");
  return found;
}

#else

void* symbol(const char*) {
  throw core::Error("E308", "MPI was asked for, but this eos was built without it",
                    "install an MPI (Debian: libopenmpi-dev) and configure with -DEOS_MPI=ON, or start several "
                    "`eos sweep DIR` by hand: they share the work through the folder");
}

#endif

}  // namespace

std::unique_ptr<WorkCounter> mpi_counter() {
  const char* error = nullptr;
  std::unique_ptr<WorkCounter> counter(reinterpret_cast<MakeCounter>(symbol(k_make_counter))(&error));
  if (!counter) throw core::Error("E308", fmt::format("MPI does not start: {}", error), "start eos with mpirun");
  return counter;
}

std::string mpi_version() { return reinterpret_cast<DescribeMpi>(symbol(k_describe_mpi))(); }

}  // namespace eos::cli
