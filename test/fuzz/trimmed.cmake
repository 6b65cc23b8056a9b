# The trimmed libraries of the preset "hostile", under the names that the rest of the build knows.
set(prefix ${CERTLATCH_HOSTILE_PREFIX})
include_directories(BEFORE SYSTEM ${prefix}/include)  # before the machine's own OpenSSL
foreach(library OpenSSL::Crypto=crypto OpenSSL::SSL=ssl CURL::libcurl=curl)
  string(REPLACE "=" ";" library ${library})
  list(GET library 0 name)
  list(GET library 1 file)
  add_library(${name} STATIC IMPORTED GLOBAL)
  set_target_properties(${name} PROPERTIES IMPORTED_LOCATION ${prefix}/lib/lib${file}.a)
endforeach()
target_link_libraries(OpenSSL::SSL INTERFACE OpenSSL::Crypto)
target_link_libraries(CURL::libcurl INTERFACE OpenSSL::SSL)
find_package(simdjson 3 REQUIRED)

# A changed recipe is a changed prefix: configure again.
file(GLOB_RECURSE recipe CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/cmake/static/*)
set_property(DIRECTORY ${PROJECT_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
  ${recipe} ${PROJECT_SOURCE_DIR}/test/fuzz/libraries.sh)
