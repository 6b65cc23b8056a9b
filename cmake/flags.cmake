# One set of flags for product and tests: no exceptions and no RTTI anywhere, so that an error is
# either in a Result or an abort, and the static build needs no unwinder.
add_compile_options(-Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor
                    -Werror -fno-exceptions -fno-rtti -fno-semantic-interposition
                    -fstack-protector-strong)
add_compile_definitions(SIMDJSON_EXCEPTIONS=0 _FILE_OFFSET_BITS=64)

if(CERTLATCH_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES Clang)
    message(FATAL_ERROR "CERTLATCH_FUZZ needs clang: -DCMAKE_CXX_COMPILER=clang++")
  endif()
  set(CERTLATCH_SANITIZE ON)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

if(CERTLATCH_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all
                      -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()

# certlatch_room(NAME SOURCES... [NEEDS libraries...])
# One room of the house: a static library that may include only the rooms it names.
function(certlatch_room name)
  cmake_parse_arguments(ROOM "" "" "NEEDS" ${ARGN})
  add_library(certlatch_${name} STATIC ${ROOM_UNPARSED_ARGUMENTS})
  target_include_directories(certlatch_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(certlatch_${name} PUBLIC ${ROOM_NEEDS})
endfunction()
