#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/collect/nvtx/spool.h"

namespace dachlast {

/// One field of a structured payload.
struct PayloadField {
  std::string name;
  std::uint64_t type = 0;  // NVTX_PAYLOAD_ENTRY_TYPE_*
  std::uint64_t offset = 0;
};

/// The fields of a schema as a spool holds them.
std::vector<PayloadField> payload_fields(std::string_view entries);

/// "layer=3 tokens=512"; fields of types that are no numbers, or beyond the bytes, read "?".
std::string payload_text(const std::vector<PayloadField>& fields, std::string_view bytes);

/// The one number of an event; empty where it has none.
std::string payload_text(const spool::Event& event);

}  // namespace dachlast
