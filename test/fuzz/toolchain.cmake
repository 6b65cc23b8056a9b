# The toolchain of the preset "hostile": clang, with sanitizers, on the trimmed libraries of libraries.sh, which this builds
# when they are not there. Sets CERTLATCH_HOSTILE_PREFIX.
set(CMAKE_CXX_COMPILER clang++-19)

# CMake reads this file several times; the first finds out.
if(NOT DEFINED ENV{CERTLATCH_HOSTILE_PREFIX_FOUND})
  execute_process(COMMAND ${CMAKE_CURRENT_LIST_DIR}/libraries.sh
    OUTPUT_VARIABLE CERTLATCH_HOSTILE_PREFIX OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE failed)
  if(failed)
    message(FATAL_ERROR "test/fuzz/libraries.sh failed: see above")
  endif()
  set(ENV{CERTLATCH_HOSTILE_PREFIX_FOUND} "${CERTLATCH_HOSTILE_PREFIX}")
endif()
set(CERTLATCH_HOSTILE_PREFIX "$ENV{CERTLATCH_HOSTILE_PREFIX_FOUND}")
