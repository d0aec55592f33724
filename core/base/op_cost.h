#pragma once

#include "core/base/units.h"

namespace dachlast {

/// Work and memory traffic of one call, traffic split by what is moved. Counts each byte the operation must touch once:
/// the traffic of an ideal cache, which measured traffic can only exceed.
struct OpCost {
  Flops flops{};
  Bytes weight_bytes{};
  Bytes activation_bytes{};  // read and written
  Bytes kv_read_bytes{};
  Bytes kv_write_bytes{};

  constexpr Bytes bytes() const { return weight_bytes + activation_bytes + kv_read_bytes + kv_write_bytes; }

  friend constexpr bool operator==(const OpCost&, const OpCost&) = default;
  constexpr OpCost& operator+=(const OpCost& other) {
    flops += other.flops;
    weight_bytes += other.weight_bytes;
    activation_bytes += other.activation_bytes;
    kv_read_bytes += other.kv_read_bytes;
    kv_write_bytes += other.kv_write_bytes;
    return *this;
  }
};

}  // namespace dachlast
