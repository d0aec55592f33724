#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace dachlast::reports {

/// What in a document breaks the rules of HTML that a program can break: elements that are not closed or nest wrongly,
/// ids that stand twice, references to ids that are not there, raw "<" or "&" in text, attributes without quotes, p and
/// heading elements that hold blocks. Empty where it is sound.
std::vector<std::string> html_faults(std::string_view html);

}  // namespace dachlast::reports
