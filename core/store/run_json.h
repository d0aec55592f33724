#pragma once

#include <string>
#include <string_view>

#include "core/store/run_file.h"

namespace dachlast {

/// The run in a document that `dachlast show --format json` or a report wrote: JSON, or HTML that carries it. Spans are
/// in neither; verdicts and shares are computed anew from what was measured.
/// Errors   throws `Error` (kInput) naming `subject` where the text holds no run, or one that contradicts itself.
StoredRun run_from_document(const std::string& subject, std::string_view text);

}  // namespace dachlast
