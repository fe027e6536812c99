# cmake -DOUTPUT= -DSOURCE= -DVERSION= -DCOMPILER= -DFLAGS= -DCUDA= -P build_info.cmake: the header eos_build_info.hpp.
find_program(GIT git)
set(commit "unknown")
if(GIT AND EXISTS ${SOURCE}/.git)
  execute_process(COMMAND ${GIT} --no-optional-locks -C ${SOURCE} describe --always --dirty --abbrev=12 --exclude=*
                  OUTPUT_VARIABLE found OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE result)
  if(result EQUAL 0 AND found)
    set(commit ${found})
  endif()
endif()
if(CUDA)
  set(cuda "on")
else()
  set(cuda "off")
endif()
file(CONFIGURE OUTPUT ${OUTPUT} @ONLY CONTENT [[
// Made by io/build_info.cmake. What the provenance of a file says about the program that wrote it.
#pragma once

namespace eos::io {
inline constexpr const char* k_version = "@VERSION@";
inline constexpr const char* k_commit = "@commit@";
inline constexpr const char* k_compiler = "@COMPILER@";
inline constexpr const char* k_flags = "@FLAGS@";
inline constexpr const char* k_cuda = "@cuda@";
}  // namespace eos::io
]])
