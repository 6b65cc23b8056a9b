/* In place of curl's mprintf.c: the C library's printf, which is linked anyway, with curl's contract: the number of
 * characters that were stored, and memory that curl_free() takes. curl's formats are plain C (checked by the compiler). */
#include "curl_setup.h"

#include <stdio.h>
#include <stdarg.h>

#include "curlx/dynbuf.h"
#include "curl_printf.h"
#include "curl_memory.h"

#undef vfprintf
#undef vsnprintf

const unsigned char Curl_ldigits[] = "0123456789abcdef";
const unsigned char Curl_udigits[] = "0123456789ABCDEF";

int curl_mvsnprintf(char *buffer, size_t size, const char *format, va_list arguments)
{
  int length;

  if(!size)
    return 0;
  length = vsnprintf(buffer, size, format, arguments);
  if(length < 0)
    buffer[length = 0] = 0;
  return (size_t)length < size ? length : (int)size - 1;
}

int curl_msnprintf(char *buffer, size_t size, const char *format, ...)
{
  va_list arguments;
  int length;

  va_start(arguments, format);
  length = curl_mvsnprintf(buffer, size, format, arguments);
  va_end(arguments);
  return length;
}

char *curl_mvaprintf(const char *format, va_list arguments)
{
  va_list again;
  char *text = NULL;
  int length;

  va_copy(again, arguments);
  length = vsnprintf(NULL, 0, format, arguments);
  if(length >= 0 && (text = malloc((size_t)length + 1)))
    vsnprintf(text, (size_t)length + 1, format, again);
  va_end(again);
  return text;
}

char *curl_maprintf(const char *format, ...)
{
  va_list arguments;
  char *text;

  va_start(arguments, format);
  text = curl_mvaprintf(format, arguments);
  va_end(arguments);
  return text;
}

int curl_mfprintf(FILE *file, const char *format, ...)
{
  va_list arguments;
  int length;

  va_start(arguments, format);
  length = vfprintf(file, format, arguments);
  va_end(arguments);
  return length;
}

/* 0 or one of MERR_*; the buffer is freed with the error */
int curlx_dyn_vprintf(struct dynbuf *buffer, const char *format, va_list arguments)
{
  char *text = curl_mvaprintf(format, arguments);
  CURLcode result = text ? curlx_dyn_add(buffer, text) : CURLE_OUT_OF_MEMORY;

  if(!text)
    curlx_dyn_free(buffer);
  free(text);
  return !result ? MERR_OK : result == CURLE_TOO_LARGE ? MERR_TOO_LARGE : MERR_MEM;
}
