# rw_module(NAME SRC a.c b.c USES other ...): one static library per folder. Sources are named, never globbed, and a
# module links only what it declares, so that a stray call across the pipeline does not link.
function(rw_module name)
  cmake_parse_arguments(M "" "" "SRC;USES;LIBS" ${ARGN})
  add_library(rw_${name} STATIC ${M_SRC})
  target_include_directories(rw_${name} PUBLIC ${PROJECT_SOURCE_DIR}/rtpwatch ${PROJECT_SOURCE_DIR})
  target_compile_definitions(rw_${name} PRIVATE _DEFAULT_SOURCE) # POSIX and libpcap's u_int
  target_link_libraries(rw_${name} PRIVATE rw_warnings)
  foreach(use IN LISTS M_USES)
    target_link_libraries(rw_${name} PUBLIC rw_${use})
  endforeach()
  target_link_libraries(rw_${name} PRIVATE ${M_LIBS})
endfunction()

# What every test runs with: sanitizer reports go to files that the last test reads.
set(RW_SANITIZER_LOGS ${PROJECT_BINARY_DIR}/sanitizer)
function(rw_test_properties name)
  set_tests_properties(${name} PROPERTIES
    ENVIRONMENT "ASAN_OPTIONS=log_path=${RW_SANITIZER_LOGS}/${name}:detect_leaks=1;UBSAN_OPTIONS=print_stacktrace=1"
    SKIP_RETURN_CODE 77 TIMEOUT 600 FIXTURES_REQUIRED sanitizer_logs)
endfunction()

# rw_test(NAME SRC a.c USES module ...): one Criterion program, run by ctest.
function(rw_test name)
  cmake_parse_arguments(T "" "" "SRC;USES;LIBS" ${ARGN})
  add_executable(test_${name} ${T_SRC})
  target_include_directories(test_${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_compile_definitions(test_${name} PRIVATE RW_SOURCE_DIR="${PROJECT_SOURCE_DIR}" _GNU_SOURCE)
  target_link_libraries(test_${name} PRIVATE rw_warnings PkgConfig::CRITERION ${T_LIBS})
  foreach(use IN LISTS T_USES)
    target_link_libraries(test_${name} PRIVATE rw_${use})
  endforeach()
  add_test(NAME ${name} COMMAND test_${name})
  rw_test_properties(${name})
endfunction()

# rw_check(NAME COMMAND ...): a program or script as a test; exit status 77 skips it, with a word why.
function(rw_check name)
  cmake_parse_arguments(C "" "" "COMMAND" ${ARGN})
  add_test(NAME ${name} COMMAND ${C_COMMAND} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  rw_test_properties(${name})
endfunction()
