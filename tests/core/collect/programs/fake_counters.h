#pragma once

/// What a test makes the stand-in for CUPTI's counters do.
extern "C" {
/// A kernel was launched.
void fake_counters_launch();
/// Sets need so many passes from now on.
void fake_counters_passes(int n);
/// So many samples were taken, where something is sampled.
void fake_counters_sample(int n);
/// The next decoding reports a full buffer.
void fake_counters_overflow();
/// 0: no GPU is set up for sampling.
int fake_counters_sampling();
/// 0: the counters were let go.
int fake_counters_state();
}
