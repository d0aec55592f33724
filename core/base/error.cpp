#include "core/base/error.h"

#include <fmt/core.h>

#include <utility>

namespace dachlast {
namespace {

std::string message_of(const std::string& subject, const std::string& reason, const std::string& way_out) {
  return way_out.empty() ? fmt::format("{}: {}", subject, reason) : fmt::format("{}: {} {}", subject, reason, way_out);
}

}  // namespace

Error::Error(ErrorKind kind, std::string subject, std::string reason, std::string way_out)
    : std::runtime_error(message_of(subject, reason, way_out)),
      kind_(kind),
      subject_(std::move(subject)),
      reason_(std::move(reason)),
      way_out_(std::move(way_out)) {}

}  // namespace dachlast
