#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "core/store/run_file.h"

namespace dachlast {

/// The text of a report or of JSON; empty for any other file, such as a database, which its first bytes tell.
/// Errors   throws `Error` (kInput) where the file is too large to be a report.
/// Source   sqlite.org/fileformat.html §1.3.1
std::optional<std::string> document_text(const std::filesystem::path& file);

/// The JSON that a report carries; the whole text where it is JSON.
/// Errors   throws `Error` (kInput) naming `subject` where it carries none.
std::string_view document_data(const std::string& subject, std::string_view text);

/// The run in a document that `dachlast show --format json` or a report wrote: JSON, or HTML that carries it. Spans are
/// in neither; verdicts and shares are computed anew from what was measured.
/// Errors   throws `Error` (kInput) naming `subject` where the text holds no run, or one that contradicts itself.
StoredRun run_from_document(const std::string& subject, std::string_view text);

}  // namespace dachlast
