#pragma once

#include <optional>
#include <string>

namespace dachlast {

/// NVIDIA's library for messages between GPUs, as far as this computer has it.
struct NcclState {
  std::optional<std::string> version;  // "2.28.9"
  std::string reason;                  // where it is not to be had
};

/// Opens the library by name.
NcclState read_nccl_state(const std::string& library = "libnccl.so.2");

}  // namespace dachlast
