#include "test/node/node.h"
