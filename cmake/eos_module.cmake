# eos_module(NAME PUBLIC_DEPS ... PRIVATE_DEPS ...): one room of the house as a static library `eos::NAME`.
# Sources are all of src/*.cpp (and *.cu when CUDA is on); public headers are include/eos/NAME/*.hpp, each compiled
# alone by the target all_verify_interface_header_sets. A room sees only the rooms it names: a forbidden include
# does not compile.
add_library(eos_flags INTERFACE)
target_compile_features(eos_flags INTERFACE cxx_std_20)
target_compile_options(eos_flags INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra;-Wshadow;-Wconversion;-Wno-sign-conversion;-ffp-contract=off>
  $<$<COMPILE_LANGUAGE:CUDA>:-std=c++20;--fmad=false;-Xcompiler=-Wall>)
if(EOS_ARCH)
  target_compile_options(eos_flags INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-march=${EOS_ARCH}>)
endif()
if(EOS_SANITIZE)
  target_compile_options(eos_flags INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-fsanitize=${EOS_SANITIZE};-fno-omit-frame-pointer>)
  target_link_options(eos_flags INTERFACE -fsanitize=${EOS_SANITIZE})
endif()

function(eos_module name)
  cmake_parse_arguments(arg "" "" "PUBLIC_DEPS;PRIVATE_DEPS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS src/*.cpp)
  file(GLOB headers CONFIGURE_DEPENDS include/eos/${name}/*.hpp)
  if(EOS_HAVE_CUDA)
    file(GLOB cuda_sources CONFIGURE_DEPENDS src/*.cu)
    list(FILTER sources EXCLUDE REGEX "_nocuda\\.cpp$")
  endif()
  add_library(eos_${name} STATIC ${sources} ${cuda_sources})
  add_library(eos::${name} ALIAS eos_${name})
  set_target_properties(eos_${name} PROPERTIES EXPORT_NAME ${name} POSITION_INDEPENDENT_CODE ON
                        VERIFY_INTERFACE_HEADER_SETS ${EOS_TESTS})
  target_sources(eos_${name} PUBLIC FILE_SET HEADERS BASE_DIRS include FILES ${headers})
  target_compile_features(eos_${name} PUBLIC cxx_std_20)
  target_include_directories(eos_${name} PRIVATE src)
  target_link_libraries(eos_${name} PUBLIC ${arg_PUBLIC_DEPS} PRIVATE $<BUILD_INTERFACE:eos_flags> ${arg_PRIVATE_DEPS})
  set_property(GLOBAL APPEND PROPERTY EOS_MODULES eos_${name})
endfunction()

# eos_test(ROOM DEPS ... LABELS ...): tests/ROOM/*.cpp as one GoogleTest program, each test a ctest entry.
function(eos_test room)
  cmake_parse_arguments(arg "" "" "DEPS;LABELS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${room}/*_test.cpp)
  if(NOT sources)
    return()
  endif()
  add_executable(test_${room} ${sources})
  target_link_libraries(test_${room} PRIVATE eos_flags ${arg_DEPS} eos_test_support GTest::gmock GTest::gtest_main)
  target_compile_definitions(test_${room} PRIVATE EOS_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  gtest_discover_tests(test_${room} TEST_PREFIX ${room}. DISCOVERY_TIMEOUT 60
                       PROPERTIES LABELS "${room};${arg_LABELS}" TIMEOUT 300)
endfunction()

# eos_bench(ROOM DEPS ...): bench/ROOM/*.cpp as one Google Benchmark program.
function(eos_bench room)
  cmake_parse_arguments(arg "" "" "DEPS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${room}/*_bench.cpp)
  if(NOT sources)
    return()
  endif()
  add_executable(bench_${room} ${sources})
  target_link_libraries(bench_${room} PRIVATE eos_flags ${arg_DEPS} benchmark::benchmark_main)
  target_compile_definitions(bench_${room} PRIVATE EOS_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
endfunction()
