# The helpers that declare every target of the tree, and the one INTERFACE target they share.
include(GoogleTest)

# Language level and warnings. Everything the project compiles links this; third-party headers are system headers.
add_library(sluice_warnings INTERFACE)
target_compile_features(sluice_warnings INTERFACE cxx_std_20)
target_compile_options(sluice_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast -Wcast-align -Wnon-virtual-dtor
  -Woverloaded-virtual -Wnull-dereference -Wdouble-promotion -Wformat=2 -Werror
  -fno-fast-math -fno-omit-frame-pointer
  # __FILE__ in an assertion's message is the path in the repository, on every machine.
  -fmacro-prefix-map=${PROJECT_SOURCE_DIR}/=)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 reports -Wrestrict for correct std::string concatenation (GCC bug 105651).
  target_compile_options(sluice_warnings INTERFACE -Wno-restrict)
endif()
target_include_directories(sluice_warnings INTERFACE ${PROJECT_SOURCE_DIR})
target_link_libraries(sluice_warnings INTERFACE Threads::Threads)

if(SLUICE_SANITIZE STREQUAL "address")
  set(sanitizers -fsanitize=address,undefined -fno-sanitize-recover=all)
elseif(SLUICE_SANITIZE STREQUAL "thread")
  set(sanitizers -fsanitize=thread)
elseif(SLUICE_SANITIZE)
  message(FATAL_ERROR "SLUICE_SANITIZE=${SLUICE_SANITIZE}: allowed are empty, address and thread")
endif()
target_compile_options(sluice_warnings INTERFACE ${sanitizers})
target_link_options(sluice_warnings INTERFACE ${sanitizers})
if(SLUICE_SANITIZE AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # The instrumentation hides initialisations and constants (c ? 1 : 0) from GCC's analysis; the plain builds keep these
  # warnings. And GCC warns that TSan does not model fences, which are argued in their decision records.
  target_compile_options(sluice_warnings INTERFACE
    -Wno-maybe-uninitialized -Wno-null-dereference -Wno-sign-conversion -Wno-tsan)
endif()
if(SLUICE_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "SLUICE_FUZZ needs clang's libFuzzer: configure with --preset fuzz (package clang-19)")
  endif()
  target_compile_options(sluice_warnings INTERFACE -fsanitize=fuzzer-no-link)
endif()

# The binaries of all tests labelled `unit`, of those also labelled `tsan`, and of all fuzzers: what the sanitizer
# builds need, and nothing else.
add_custom_target(unit_tests)
add_custom_target(thread_tests)
add_custom_target(fuzzers)

# Compiles the planted faults of common/base/fault.hpp into `target`, when the build asks for them. Only the sources that
# contain one see the definition: the objects of all others are those of the release build (ccache has them already).
function(sluice_plant_bugs target)
  if(NOT SLUICE_PLANT_BUGS)
    return()
  endif()
  get_target_property(sources ${target} SOURCES)
  foreach(source IN LISTS sources)
    cmake_path(ABSOLUTE_PATH source BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source})
    file(STRINGS ${source} plants REGEX "SLUICE_PLANTED" LIMIT_COUNT 1)
    if(plants)
      set_property(SOURCE ${source} APPEND PROPERTY COMPILE_DEFINITIONS SLUICE_PLANT_BUGS=1)
    endif()
  endforeach()
endfunction()

# sluice_library(name SOURCES a.cpp … DEPS targets…). Without SOURCES the library is INTERFACE (headers only).
# Includes are written from the repository's root: #include "common/base/fixed.hpp".
function(sluice_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPS;PRIVATE_DEPS")
  if(arg_SOURCES)
  add_library(${name} STATIC ${arg_SOURCES})
    target_link_libraries(${name} PUBLIC sluice_warnings ${arg_DEPS} PRIVATE ${arg_PRIVATE_DEPS})
    sluice_plant_bugs(${name})
  else()
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE sluice_warnings ${arg_DEPS})
  endif()
endfunction()

# sluice_executable(name SOURCES … DEPS …): a binary in <build>/bin. mimalloc replaces malloc and new by being linked;
# under a sanitizer it is left out, since both want to own the heap.
function(sluice_executable name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPS")
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE sluice_warnings ${arg_DEPS})
  sluice_plant_bugs(${name})
  if(NOT SLUICE_SANITIZE)
    # No symbol of mimalloc is named by our code, so the linker must be told to keep it.
    target_link_libraries(${name} PRIVATE -Wl,--no-as-needed mimalloc -Wl,--as-needed)
  endif()
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
endfunction()

# sluice_test(name SOURCES … DEPS … [LABELS unit|process|chaos|e2e] [TIMEOUT seconds] [SERIAL]): one GoogleTest binary.
# unit (default): every TEST is its own ctest entry. Others: the binary is one entry, since its tests share set-up.
# `LABELS unit tsan` marks a concurrent test that also runs under ThreadSanitizer.
# Tests see SLUICE_SOURCE_DIR and SLUICE_BIN_DIR (where the process binaries are) as string macros.
function(sluice_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "SERIAL" "TIMEOUT" "SOURCES;DEPS;LABELS")
  if(NOT BUILD_TESTING)
    return()
  endif()
  if(NOT arg_LABELS)
    set(arg_LABELS unit)
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE sluice_warnings ${arg_DEPS} GTest::gmock GTest::gtest GTest::gtest_main)
  sluice_plant_bugs(${name})
  target_compile_definitions(${name} PRIVATE
    SLUICE_SOURCE_DIR="${PROJECT_SOURCE_DIR}" SLUICE_BIN_DIR="${CMAKE_BINARY_DIR}/bin")
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  if("unit" IN_LIST arg_LABELS)
    add_dependencies(unit_tests ${name})
    if("tsan" IN_LIST arg_LABELS)
      add_dependencies(thread_tests ${name})
    endif()
    string(JOIN "-" label ${arg_LABELS}) # discovery passes no list-valued property: the two become one, unit-tsan
    gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
                         PROPERTIES LABELS "${label}" TIMEOUT ${arg_TIMEOUT})
  else()
    add_test(NAME ${name} COMMAND ${name})
    set_tests_properties(${name} PROPERTIES LABELS "${arg_LABELS}" TIMEOUT ${arg_TIMEOUT})
    if(arg_SERIAL)
      set_tests_properties(${name} PROPERTIES RUN_SERIAL TRUE)
    endif()
  endif()
endfunction()

# sluice_bench(bench_<suite> SOURCES … DEPS …): the binary <build>/bench/bench_<suite>. tools/bench runs it as a Google
# Benchmark binary, unless bench/<suite>/run exists and does so itself.
function(sluice_bench name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPS")
  if(NOT BUILD_TESTING)
    return()
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE sluice_warnings ${arg_DEPS} benchmark::benchmark)
  target_compile_definitions(${name} PRIVATE
    SLUICE_SOURCE_DIR="${PROJECT_SOURCE_DIR}" SLUICE_BIN_DIR="${CMAKE_BINARY_DIR}/bin")
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
endfunction()

# sluice_fuzz(name SOURCES … DEPS … [RUNS n]): a libFuzzer target. The `fuzz` preset makes it a binary in <build>/fuzz
# (clang, coverage-guided, minutes behind --long). Every other preset makes it the unit test Fuzz.<name>, which calls the
# same function with n pseudo-random inputs (default 2000), so that no target waits for clang to be tried.
function(sluice_fuzz name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "RUNS" "SOURCES;DEPS")
  if(NOT SLUICE_FUZZ)
    if(NOT arg_RUNS)
      set(arg_RUNS 2000)
    endif()
    sluice_test(${name} SOURCES ${arg_SOURCES} ${PROJECT_SOURCE_DIR}/tests/fuzz/driver.cpp DEPS ${arg_DEPS} TIMEOUT 300)
    if(TARGET ${name})
      target_compile_definitions(${name} PRIVATE SLUICE_FUZZ_NAME=${name} SLUICE_FUZZ_RUNS=${arg_RUNS})
    endif()
    return()
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE sluice_warnings ${arg_DEPS})
  # Only the driver comes with this flag; the coverage counters are in every object (sluice_warnings).
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
  add_dependencies(fuzzers ${name})
endfunction()
