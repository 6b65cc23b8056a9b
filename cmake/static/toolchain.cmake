# The toolchain of the preset "static": clang for musl, on the libraries of cmake/static/build.sh, which this builds when
# they are not there. Sets CERTLATCH_STATIC_PREFIX.
set(CERTLATCH_STATIC ON)
set(CMAKE_SYSTEM_NAME Linux)
if(NOT CERTLATCH_ARCH)  # set by arm64.cmake
  set(CERTLATCH_ARCH amd64)
endif()
set(CMAKE_SYSTEM_PROCESSOR x86_64)
if(CERTLATCH_ARCH STREQUAL arm64)
  set(CMAKE_SYSTEM_PROCESSOR aarch64)
endif()

set(CMAKE_CXX_COMPILER clang++-19)
set(CMAKE_CXX_COMPILER_TARGET ${CMAKE_SYSTEM_PROCESSOR}-linux-musl)
set(CMAKE_AR llvm-ar-19)
set(CMAKE_RANLIB llvm-ranlib-19)
set(CMAKE_CXX_COMPILER_AR llvm-ar-19)
set(CMAKE_CXX_COMPILER_RANLIB llvm-ranlib-19)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)  # what a program needs is not known to CMake's probes

# CMake reads this file several times; the first finds out.
if(NOT DEFINED ENV{CERTLATCH_STATIC_PREFIX_FOUND})
  if(CERTLATCH_UNTRIMMED)  # set by untrimmed.cmake
    set(variant --untrimmed)
  endif()
  execute_process(COMMAND ${CMAKE_COMMAND} -E env CERTLATCH_ARCH=${CERTLATCH_ARCH} ${CMAKE_CURRENT_LIST_DIR}/build.sh ${variant}
    OUTPUT_VARIABLE CERTLATCH_STATIC_PREFIX OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE failed)
  if(failed)
    message(FATAL_ERROR "cmake/static/build.sh failed: see above")
  endif()
  set(ENV{CERTLATCH_STATIC_PREFIX_FOUND} "${CERTLATCH_STATIC_PREFIX}")
endif()
set(CERTLATCH_STATIC_PREFIX "$ENV{CERTLATCH_STATIC_PREFIX_FOUND}")
