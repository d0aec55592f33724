#pragma once

#include "core/trace/span.h"

namespace dachlast::trace {

// The seam between marks and NVTX: nvtx_range.cpp where the headers were found, no_nvtx.cpp elsewhere.

/// Whether a profiler listens; asked once, at the first mark of the process.
bool nvtx_listens();

/// Opens and closes a range on the calling thread. Called only where `nvtx_listens`, in pairs, properly nested.
void push_nvtx_range(const Span& span);
void pop_nvtx_range();

}  // namespace dachlast::trace
