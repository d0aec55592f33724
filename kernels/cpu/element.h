#pragma once

#include "core/base/half.h"

namespace dachlast::kernels::cpu {

inline float widen(float value) {
  return value;
}
inline float widen(BF16 value) {
  return to_float(value);
}

/// Rounds `value` to the element type of `target` and stores it there.
inline void narrow(float value, float& target) {
  target = value;
}
inline void narrow(float value, BF16& target) {
  target = to_bf16(value);
}

}  // namespace dachlast::kernels::cpu
