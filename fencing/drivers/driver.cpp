#include "fencing/drivers/driver.hpp"

namespace primacy::fencing {}
