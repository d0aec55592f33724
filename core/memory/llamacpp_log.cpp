#include "core/memory/llamacpp_log.h"

#include <charconv>

namespace dachlast {

std::optional<double> LlamaCppLog::stated_parameters() const {
  double value = 0;
  const auto [end, error] = std::from_chars(parameters.data(), parameters.data() + parameters.size(), value);
  if (error != std::errc{}) return std::nullopt;
  const std::string_view unit(end, static_cast<std::size_t>(parameters.data() + parameters.size() - end));
  return value * (unit.find('T') != std::string_view::npos   ? 1e12
                  : unit.find('M') != std::string_view::npos ? 1e6
                                                             : 1e9);
}

LoggedLayers LlamaCppLog::logged_layers() const {
  if (notes.starts_with("non-SWA")) return LoggedLayers::kFull;
  return notes.starts_with("SWA") ? LoggedLayers::kWindowed : LoggedLayers::kAll;
}

}  // namespace dachlast
