# What every target of the project has in common.

add_library(inkmesh_common INTERFACE)
target_include_directories(inkmesh_common INTERFACE ${CMAKE_SOURCE_DIR}/include ${CMAKE_SOURCE_DIR}/src)
target_compile_options(inkmesh_common INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror
                                                -fno-omit-frame-pointer)
target_link_libraries(inkmesh_common INTERFACE Threads::Threads)
if(INKMESH_SANITIZE)
  target_compile_options(inkmesh_common INTERFACE -fsanitize=${INKMESH_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(inkmesh_common INTERFACE -fsanitize=${INKMESH_SANITIZE})
  # GCC sees std::optional's unused room through the instrumentation and takes it for a mistake; the release build,
  # without it, keeps the warning.
  target_compile_options(inkmesh_common INTERFACE -Wno-maybe-uninitialized)
  if(INKMESH_SANITIZE MATCHES thread)
    # GCC's ThreadSanitizer does not know atomic_thread_fence; libraries' headers use it.
    target_compile_options(inkmesh_common INTERFACE -Wno-tsan)
  endif()
endif()

# inkmesh_library(NAME SOURCES... ): a static library of one floor.
function(inkmesh_library name)
  add_library(${name} STATIC ${ARGN})
  target_link_libraries(${name} PUBLIC inkmesh_common)
endfunction()

# inkmesh_test(NAME LABELS "a;b" SOURCES ... LINKS ...): a GoogleTest program whose tests ctest runs one by one.
# The label `threads` puts it into the ThreadSanitizer run.
function(inkmesh_test name)
  cmake_parse_arguments(arg "" "" "LABELS;SOURCES;LINKS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE inkmesh_common ${arg_LINKS} GTest::gmock GTest::gtest GTest::gtest_main)
  gtest_discover_tests(${name} TEST_LIST ${name}_tests PROPERTIES TIMEOUT 120 DISCOVERY_TIMEOUT 60)
  # gtest_discover_tests keeps but the first of several labels: they are set once the tests are known.
  set(labels ${CMAKE_CURRENT_BINARY_DIR}/${name}_labels.cmake)
  file(WRITE ${labels} "set_tests_properties(\${${name}_tests} PROPERTIES LABELS \"${arg_LABELS}\")\n")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${labels})
endfunction()
