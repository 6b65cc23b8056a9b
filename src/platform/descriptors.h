// What a child must not keep of its parent's descriptors.
#pragma once

namespace certlatch {

// Closes all but the standard three and `kept`. A child that holds our connections would keep them
// open after we have closed them. Linux before 5.9 refuses: then only close-on-exec holds.
void CloseAllBut(int kept);

}  // namespace certlatch
