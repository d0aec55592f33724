#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/op.h"
#include "core/base/units.h"
#include "core/roofline/run.h"

namespace dachlast {

/// What a GPU did in an interval.
enum class GpuWork : std::uint8_t { kKernel, kCommunication, kCopy, kFill };

/// How the host asked for it, as far as the recording shows.
enum class Launch : std::uint8_t { kRecorded, kMissing };

inline constexpr std::int32_t kNoIndex = -1;

/// One kernel, copy or fill. Names, operators and steps are indices into the trace, so that millions stay small.
struct GpuEvent {
  std::int64_t start_ns = 0;
  std::int64_t end_ns = 0;
  std::int64_t bytes = 0;  // moved by a copy or fill; 0: not recorded
  std::uint32_t name = 0;
  std::int32_t host_op = kNoIndex;  // the innermost operator whose call launched it
  std::int32_t step = kNoIndex;     // the annotated step around that call
  std::int32_t device = 0;
  std::int32_t stream = 0;
  std::optional<std::int64_t> launch_ns = {};  // when the host's call began; empty: not recorded
  GpuWork work = GpuWork::kKernel;
  Launch launch = Launch::kRecorded;

  std::int64_t duration_ns() const { return end_ns - start_ns; }
};

/// What an operator was called with, as the recording spells it. Entries that are no tensors have no dimensions.
struct Operands {
  std::vector<std::vector<std::int64_t>> dims;
  std::vector<std::string> types;   // "c10::BFloat16", "Scalar"
  std::vector<std::string> values;  // of scalars: "True", "0.125"; empty for tensors
};

/// One call of an operator on the host, or a range.
struct HostOp {
  std::uint32_t name = 0;
  std::int32_t parent = kNoIndex;    // the call around it
  std::int32_t operands = kNoIndex;  // index into GpuTrace::operands
  std::int32_t layer = kNoIndex;     // of the model, where its payload says so
};

/// A step of an engine as its annotation describes it. What the annotation leaves out is absent.
struct TraceStep {
  std::string name;
  std::optional<Phase> phase = {};  // absent: mixed or not said
  std::int64_t start_ns = 0;
  std::int64_t end_ns = 0;
  std::optional<std::int64_t> n_sequences = {};
  std::optional<std::int64_t> q_tokens = {};   // new tokens of all sequences
  std::optional<std::int64_t> kv_tokens = {};  // tokens in the caches of all sequences
};

/// What the memory of a GPU moved over a short time, all of its work together.
struct DeviceSample {
  std::int64_t start_ns = 0;
  std::int64_t end_ns = 0;
  std::optional<std::int64_t> uncertainty_ns = {};  // of both, either way; empty: nobody knows when it was
  std::int32_t device = 0;
  Bytes read;  // of DRAM, as the next
  Bytes written;
};

/// A GPU of the recorded computer.
struct TraceDevice {
  std::int32_t index = 0;
  std::string name;  // "NVIDIA H100 80GB HBM3"; empty: not recorded
};

/// What another profiler recorded, in one form for all of them. Times are of the recording's own clock.
struct GpuTrace {
  std::string format;  // "PyTorch profiler trace"
  std::vector<std::string> names;
  std::vector<GpuEvent> events;
  std::vector<HostOp> host_ops;
  std::vector<Operands> operands;
  std::vector<TraceStep> steps;  // in order of their start
  std::vector<TraceDevice> devices;
  std::vector<DeviceSample> samples = {};
  std::vector<Remark> remarks;
};

}  // namespace dachlast
