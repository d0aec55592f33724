#pragma once

#include <string>
#include <string_view>

namespace dachlast::reports {

/// Foreign text made valid: broken UTF-8 becomes U+FFFD, control and direction-changing characters become visible
/// stand-ins, so that no name can break a document, move a cursor or reverse the text behind it.
std::string safe_text(std::string_view text);

/// `safe_text` as XML or HTML text or attribute value: & < > " ' as entities.
std::string html_escape(std::string_view text);

}  // namespace dachlast::reports
