#pragma once

#include <span>
#include <string_view>

#include "core/base/dtype.h"

namespace dachlast::kernels {

/// Half-open range of work units, given to one thread. Units are independent: no result depends on how they are sliced.
struct Slice {
  int begin;
  int end;
};

/// One build of an operation in the binary. Lists are ordered fastest first; "reference" is always last and runs
/// anywhere.
template <class Function>
struct Variant {
  std::string_view name;
  Function* run;
  bool (*supported)();             // by this CPU
  DType arithmetic = DType::kF32;  // whose compute roof the variant is held against
};

inline bool always_supported() {
  return true;
}

}  // namespace dachlast::kernels
