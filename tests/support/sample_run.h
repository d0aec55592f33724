#pragma once

#include "core/memory/memory_model.h"
#include "core/roofline/run.h"

namespace dachlast::test {

/// A run written by hand with round numbers, of a 124M-parameter model on a made-up two-core machine: 20 GB/s of DRAM
/// and 100 GFLOP/s in FP32 put the ridge point at 5 FLOP/byte. Two prefill and two decode points, an uncached
/// comparison, a warning.
Run sample_run();

/// The same run with one thread, held against roofs that were measured with one.
Run sample_run_on_one_thread();

/// A memory breakdown for it.
std::vector<MemorySegment> sample_memory();

}  // namespace dachlast::test
