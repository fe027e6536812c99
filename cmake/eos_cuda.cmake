# Decides whether the CUDA backend is built and enables the language with settings that work on
# CMake 3.25 with CUDA 13 (no CUDA_STANDARD 20 and no global CMAKE_CXX_STANDARD: both fail to configure).
set(EOS_HAVE_CUDA OFF)
if(NOT EOS_CUDA STREQUAL "OFF")
  include(CheckLanguage)
  check_language(CUDA)
  if(CMAKE_CUDA_COMPILER)
    if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
      set(CMAKE_CUDA_ARCHITECTURES 90 CACHE STRING "CUDA architectures")
    endif()
    enable_language(CUDA)
    find_package(CUDAToolkit REQUIRED)
    set(EOS_HAVE_CUDA ON)
  elseif(EOS_CUDA STREQUAL "ON")
    message(FATAL_ERROR "EOS_CUDA=ON but no CUDA compiler was found. Put nvcc on PATH, set CUDACXX, "
                        "or configure with -DEOS_CUDA=AUTO to build for the CPU alone.")
  endif()
endif()
