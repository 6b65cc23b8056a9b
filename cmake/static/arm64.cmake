# The toolchain of the preset "static-arm64": as "static", for 64-bit ARM, on any machine.
set(CERTLATCH_ARCH arm64)
include(${CMAKE_CURRENT_LIST_DIR}/toolchain.cmake)
