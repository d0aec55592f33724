#pragma once

#include <cstdint>

/// What a program makes the stand-in for CUPTI report.
extern "C" {
void fake_cupti_device();
/// A call of the runtime now, on this thread, and the kernel it launches: `delay_ns` later, `length_ns` long.
void fake_cupti_launch(const char* kernel, std::uint64_t delay_ns, std::uint64_t length_ns);
/// Buffers that reached the recording.
int fake_cupti_n_delivered();
}
