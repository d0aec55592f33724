#pragma once

#include <string_view>

namespace dachlast::cupti {

/// Throws `Error` (kDevice) with cause and way out unless `cupti_result` is 0. `call` names what was tried.
void require_cupti(int cupti_result, std::string_view call);

}  // namespace dachlast::cupti
