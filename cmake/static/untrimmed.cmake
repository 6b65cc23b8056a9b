# The toolchain of the preset "untrimmed": as "static", on OpenSSL and curl as their authors made them. For the tests.
set(CERTLATCH_UNTRIMMED ON)
include(${CMAKE_CURRENT_LIST_DIR}/toolchain.cmake)
