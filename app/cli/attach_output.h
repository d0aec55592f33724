#pragma once

#include <string>

#include "app/cli/command.h"
#include "core/viewmodel/attach_view.h"

namespace dachlast::cli {

/// An attached program in the format asked for.
std::string render_attached(const viewmodel::AttachView& view, const CommonOptions& common);

}  // namespace dachlast::cli
