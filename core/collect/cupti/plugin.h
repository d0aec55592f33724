#pragma once

/// What the plugin `libdachlast_cupti.so` shows to whoever opens it.
extern "C" {

/// Called by the CUDA driver. Returns 1 where recording began, 0 where it was refused; why stands in the spool.
int InitializeInjection();

/// Version of the CUPTI library it found, as CUPTI numbers it: 130001 is CUDA 13.0, update 1. 0: it does not say.
unsigned dachlast_cupti_version();
}
