// Numbers from text, whatever the locale.
#pragma once

#include <string_view>

namespace lamina {

// The double nearest to a decimal number such as "-12.5e-3": the one with an even last bit where two are as
// near, infinity beyond the largest. `text` is [-] digits [. digits] [e [+-] digits], with E for e; what else
// it holds is not looked at.
double nearest_double(std::string_view text);

}  // namespace lamina
