# How our own code is compiled and linked in the preset "static"; the toolchain file has built the libraries.
set(prefix ${CERTLATCH_STATIC_PREFIX})
set(target ${CMAKE_CXX_COMPILER_TARGET})

# A changed recipe is a changed prefix: configure again.
file(GLOB_RECURSE recipe CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/*)
set_property(DIRECTORY ${PROJECT_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${recipe})

# As cmake/static/flags.sh compiles the libraries, but with the stack protector (flags.cmake).
add_compile_options(
  -nostdlibinc -nostdinc++
  "SHELL:-isystem ${prefix}/include/c++" "SHELL:-isystem ${prefix}/include/c++/${target}"
  "SHELL:-isystem ${prefix}/include" "SHELL:-isystem ${prefix}/include/kernel"
  -Oz -flto -fPIE -ffunction-sections -fdata-sections -fvisibility=hidden -fomit-frame-pointer -fno-ident
  -fno-asynchronous-unwind-tables -fno-unwind-tables
  -Wno-deprecated-declarations  # clang finds one in libstdc++'s own std::stable_sort
  # the same bytes in every directory
  -ffile-prefix-map=${PROJECT_SOURCE_DIR}/= -ffile-prefix-map=${prefix}/=)
if(CERTLATCH_ARCH STREQUAL arm64)
  add_compile_options(-mno-outline-atomics)
endif()
add_compile_definitions(NDEBUG)
file(STRINGS ${CMAKE_CURRENT_LIST_DIR}/simdjson/options simdjson_options REGEX "^-DSIMDJSON_IMPL")

# --- the libraries, under the names that the rest of the build knows --------------------------------------------------

include(${CMAKE_CURRENT_LIST_DIR}/libraries.cmake)
certlatch_import_libraries(${prefix} OpenSSL::Crypto=crypto OpenSSL::SSL=ssl CURL::libcurl=curl simdjson::simdjson=simdjson)
target_compile_options(simdjson::simdjson INTERFACE ${simdjson_options})
file(STRINGS ${prefix}/include/simdjson.h simdjson_version REGEX "^#define SIMDJSON_VERSION ")
string(REGEX MATCH "[0-9]+\\.[0-9]+\\.[0-9]+" simdjson_VERSION "${simdjson_version}")

if(CERTLATCH_UNTRIMMED)  # a server for the tests
  file(COPY ${prefix}/bin/openssl DESTINATION ${CMAKE_BINARY_DIR})
endif()

# --- the link ---------------------------------------------------------------------------------------------------------

# certlatch_link_static(TARGET): no interpreter and no library at run time; position-independent all the same; every
# address resolved and sealed before main.
function(certlatch_link_static name)
  set(prefix ${CERTLATCH_STATIC_PREFIX})
  target_sources(${name} PRIVATE ${PROJECT_SOURCE_DIR}/cmake/static/runtime.cc)
  target_link_options(${name} PRIVATE
    -nostdlib -static-pie -flto --ld-path=ld.lld-19
    ${prefix}/lib/rcrt1.o ${prefix}/lib/crti.o
    LINKER:-z,relro,-z,now,-z,text,-z,noexecstack,-z,noseparate-code,-z,pack-relative-relocs
    LINKER:--gc-sections,--icf=safe,--build-id=none,--no-eh-frame-hdr,--hash-style=gnu,-s
    LINKER:-O2,--lto-O2
    # Repeated sequences of instructions, and equal functions, only once; no inlining that makes the code longer.
    LINKER:-mllvm,-enable-machine-outliner=always,-mllvm,-enable-merge-functions,-mllvm,-inline-threshold=-10
    # No copies of blocks, spills or constants for the sake of speed (sizes: cmake/README.md).
    LINKER:-mllvm,-disable-block-placement,-mllvm,-disable-early-taildup,-mllvm,-tail-merge-size=2
    LINKER:-mllvm,-disable-machine-licm,-mllvm,-enable-pre=false,-mllvm,-disable-postra-machine-sink,-mllvm,-split-spill-mode=size
    LINKER:-mllvm,-min-jump-table-entries=8
    LINKER:-Map=${CMAKE_BINARY_DIR}/${name}.map)
  target_link_libraries(${name} PRIVATE
    ${prefix}/lib/libstdcxx.a ${prefix}/lib/libc.a ${prefix}/lib/libgcc.a ${prefix}/lib/crtn.o)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
  # What is in it, for those who have to know: an SBOM.
  add_custom_command(TARGET ${name} POST_BUILD VERBATIM
    COMMAND python3 -B ${PROJECT_SOURCE_DIR}/cmake/static/sbom.py ${PROJECT_VERSION} ${prefix}/taken
            $<TARGET_FILE:${name}> > ${CMAKE_BINARY_DIR}/${name}.spdx.json)
endfunction()
