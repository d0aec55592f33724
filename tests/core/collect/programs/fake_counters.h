#pragma once

/// What a test makes the stand-in for CUPTI's counters do.
extern "C" {
/// A kernel was launched.
void fake_counters_launch();
/// Sets need so many passes from now on.
void fake_counters_passes(int n);
/// 0: the counters were let go.
int fake_counters_state();
}
