#pragma once

#include <optional>
#include <string>

#include "core/profile/gpu_profile.h"
#include "core/viewmodel/op_filter.h"
#include "core/viewmodel/profile_view.h"
#include "core/viewmodel/roofline_plot.h"

namespace dachlast::viewmodel {

/// What the pages of a window show of a recording, or of a part of its time.
struct RecordingView {
  GpuProfile profile;
  ProfileViewOptions options;
  ProfileView summary;
  OperationRows kernels;
};
RecordingView recording_view(GpuProfile profile, const ProfileViewOptions& options);

/// Operators with shapes under the listed roofs of the device, and the numbered table beside them.
struct RecordingRoofline {
  RooflinePlot plot;
  Table table;
};

/// The longest operators until they cover `coverage` of the time of all that have shapes. Their times are measured, their work
/// and traffic counted from shapes; marks are as large as their share of that time.
/// Errors   none; empty where the device is not known or lists no bandwidth or no peak.
std::optional<RecordingRoofline> recording_roofline(const GpuProfile& profile, const ProfileViewOptions& options,
                                                    double coverage = 0.95);

/// Why a whole recording has no roofline; empty where it has one.
std::string why_no_roofline(const GpuProfile& whole, const ProfileViewOptions& options);

}  // namespace dachlast::viewmodel
