#pragma once

#include <span>
#include <string>

#include "core/figure/figure.h"
#include "core/memory/memory_model.h"
#include "core/roofline/run.h"

namespace dachlast::viewmodel {

/// Memory of a run as bars below each other: what was planned, and what the process held when it held most, which are the same
/// segments, code and libraries, and what nothing accounts for. Either one alone where the other is not known.
/// Errors   none; without both the figure is empty.
figure::Figure run_memory_bars(const Run& run, std::span<const MemorySegment> planned, figure::Size size,
                               std::string id);

/// Whether there is anything to draw.
inline bool has_memory_bars(const Run& run, std::span<const MemorySegment> planned) {
  return !planned.empty() || (run.memory && run.memory->modelled_bytes > 0.0);
}

}  // namespace dachlast::viewmodel
