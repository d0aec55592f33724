#include "core/memory/llamacpp_log.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>

#include "core/base/error.h"

namespace dachlast {
namespace {

using Row = std::map<std::string, std::string>;

std::string cell(const Row& row, const std::string& column) {
  const auto found = row.find(column);
  return found == row.end() ? std::string() : found->second;
}

[[noreturn]] void refuse(const std::string& column, std::string_view text, std::string_view wanted) {
  throw Error(ErrorKind::kInput, column, fmt::format("holds \"{}\", which is not {}.", text, wanted),
              "Give the cell as the log prints it, or leave it empty.");
}

template <class Number>
std::optional<Number> number_in(std::string_view text, const std::string& column) {
  if (text.empty()) return std::nullopt;
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !(value >= Number{}))
    refuse(column, text, "a number");
  return value;
}

template <class Number>
std::optional<Number> number_in(const Row& row, const std::string& column) {
  return number_in<Number>(cell(row, column), column);
}

/// "CUDA0=4403.49;CPU=281.81", in that order; a device may stand in it more than once.
std::vector<LlamaCppBuffer> buffers_in(const Row& row, const std::string& column) {
  const std::string text = cell(row, column);
  std::vector<LlamaCppBuffer> buffers;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(';', begin), text.size());
    const std::string_view part = std::string_view(text).substr(begin, end - begin);
    const std::size_t equals = part.find('=');
    if (equals == std::string_view::npos || equals == 0 || equals + 1 == part.size())
      refuse(column, part, "device=MiB");
    buffers.emplace_back(part.substr(0, equals), *number_in<double>(part.substr(equals + 1), column));
    begin = end + 1;
  }
  return buffers;
}

}  // namespace

LlamaCppLog read_llamacpp_log(const Row& row) {
  LlamaCppLog log;
  log.engine = cell(row, "engine");
  log.build = number_in<int>(row, "engine_build");
  log.parameters = cell(row, "model_params");
  log.file_type = cell(row, "file_type");
  log.n_ctx = number_in<std::int64_t>(row, "n_ctx").value_or(0);
  log.n_batch = number_in<int>(row, "n_batch");
  log.n_ubatch = number_in<int>(row, "n_ubatch");
  log.n_gpus = number_in<int>(row, "n_gpus");
  log.flash_attention = cell(row, "flash_attn") == "1";
  log.mla_mode = number_in<int>(row, "mla_mode");
  log.layers_offloaded = cell(row, "layers_offloaded");
  log.type_k = cell(row, "type_k");
  log.type_v = cell(row, "type_v");
  log.notes = cell(row, "notes");
  log.model_gib = number_in<double>(row, "model_size_gib");
  log.k_mib = number_in<double>(row, "k_mib");
  log.v_mib = number_in<double>(row, "v_mib");
  log.vram_model_mib = number_in<double>(row, "vram_model_mib");
  log.model_buffers = buffers_in(row, "model_buffers_mib");
  log.kv_buffers = buffers_in(row, "kv_buffers_mib");
  log.compute_buffers = buffers_in(row, "compute_buffers_mib");
  log.output_buffers = buffers_in(row, "output_buffers_mib");
  return log;
}

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
