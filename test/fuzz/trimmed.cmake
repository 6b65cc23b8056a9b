# The trimmed libraries of the preset "hostile", under the names that the rest of the build knows.
set(prefix ${CERTLATCH_HOSTILE_PREFIX})
include_directories(BEFORE SYSTEM ${prefix}/include)  # before the machine's own OpenSSL
include(${PROJECT_SOURCE_DIR}/cmake/static/libraries.cmake)
certlatch_import_libraries(${prefix} OpenSSL::Crypto=crypto OpenSSL::SSL=ssl CURL::libcurl=curl)
find_package(simdjson 3 REQUIRED)

# A changed recipe is a changed prefix: configure again.
file(GLOB_RECURSE recipe CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/cmake/static/*)
set_property(DIRECTORY ${PROJECT_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
  ${recipe} ${PROJECT_SOURCE_DIR}/test/fuzz/libraries.sh)
