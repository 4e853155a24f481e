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

# rw_test(NAME SRC a.c USES module ...): one Criterion program, run by ctest.
function(rw_test name)
  cmake_parse_arguments(T "" "" "SRC;USES;LIBS" ${ARGN})
  add_executable(test_${name} ${T_SRC})
  target_include_directories(test_${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_compile_definitions(test_${name} PRIVATE RW_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_link_libraries(test_${name} PRIVATE rw_warnings PkgConfig::CRITERION ${T_LIBS})
  foreach(use IN LISTS T_USES)
    target_link_libraries(test_${name} PRIVATE rw_${use})
  endforeach()
  add_test(NAME ${name} COMMAND test_${name})
endfunction()
