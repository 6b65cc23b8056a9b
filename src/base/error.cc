#include "base/error.h"

#include <cstdarg>

#include "base/text.h"

namespace certlatch {

Error Failure(Code code, const char* pattern, ...) {
  va_list arguments;
  va_start(arguments, pattern);
  Error error{code, FormatList(pattern, arguments)};
  va_end(arguments);
  return error;
}

Error Error::With(std::string_view context) && {
  return Failure(code, "%.*s: %s", Length(context), context.data(), text.c_str());
}

}  // namespace certlatch
