// TlsWords tells the person on call what a TLS failure means. Curl's texts cite OpenSSL's error by
// number
// ("error:0A00045C:..."), with OpenSSL's own words only where it was built with them; these are the
// same in every build.
#pragma once

#include <string>

namespace certlatch {

// The words for the error that `text` cites; "": it cites none that is known here.
std::string TlsWords(const char* text);

// The words for a reason of OpenSSL's library SSL (SSL_R_...), without advice.
std::string TlsWords(int reason);

}  // namespace certlatch
