#pragma once

#include <QString>

#include "core/base/error.h"

namespace dachlast::gui {

/// What went wrong, as the window says it: subject, reason, way out, the last two in the reader's language where the catalogue
/// has them.
QString said_error(const Error& error);

}  // namespace dachlast::gui
