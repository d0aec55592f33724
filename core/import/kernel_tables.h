#pragma once

#include "core/base/csv.h"
#include "core/profile/gpu_profile.h"
#include "core/profile/name_rules.h"

namespace dachlast {

/// Whether a table is the kernel summary of `nsys stats --report cuda_gpu_kern_sum --format csv`.
bool is_nsys_kernel_sum(const CsvTable& table);

/// Times by kernel; such a table has no timeline.
/// Errors   throws `Error` (kInput) naming file, line and column where a number is none.
GpuProfile read_nsys_kernel_sum(const CsvTable& table, const NameRules& rules);

/// Whether a table is the page of details of `ncu --csv --page details`: one row a metric.
bool is_ncu_details(const CsvTable& table);

/// Counters by kernel launch. Metrics that were not collected ("n/a") are absent.
/// Errors   throws `Error` (kInput) naming file, line and column where a number or unit is unknown.
GpuProfile read_ncu_details(const CsvTable& table, const NameRules& rules);

}  // namespace dachlast
