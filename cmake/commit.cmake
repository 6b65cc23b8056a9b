# CERTLATCH_COMMIT: what `certlatch version` says it was built from. From git where there is a
# checkout, else from the caller (-DCERTLATCH_COMMIT=...), else "unknown".
set(CERTLATCH_COMMIT "" CACHE STRING "The commit this is built from")
if(NOT CERTLATCH_COMMIT)
  execute_process(
    COMMAND git -C "${PROJECT_SOURCE_DIR}" rev-parse --short=12 HEAD
    OUTPUT_VARIABLE CERTLATCH_COMMIT OUTPUT_STRIP_TRAILING_WHITESPACE
    ERROR_QUIET RESULT_VARIABLE git_failed)
  if(git_failed)
    set(CERTLATCH_COMMIT "unknown")
  endif()
endif()
