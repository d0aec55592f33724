#include "core/import/profile_file.h"

#include <array>
#include <fstream>
#include <string_view>

#include "core/base/csv.h"
#include "core/base/error.h"
#include "core/import/kernel_tables.h"
#include "core/import/kineto_trace.h"
#include "core/import/nsys_trace.h"
#include "core/store/nsys_export.h"

namespace dachlast {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kGzipMagic = "\x1f\x8b";
constexpr std::string_view kSqliteMagic = "SQLite format 3";

std::string head_of(const fs::path& file) {
  if (!fs::exists(file)) throw Error(ErrorKind::kInput, file.string(), "does not exist.", "Check the path.");
  if (fs::is_directory(file)) throw Error(ErrorKind::kInput, file.string(), "is a folder.", "Name one file in it.");
  std::ifstream stream(file, std::ios::binary);
  std::array<char, 64> bytes{};
  stream.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (stream.gcount() == 0) throw Error(ErrorKind::kInput, file.string(), "is empty or cannot be read.");
  return {bytes.data(), static_cast<std::size_t>(stream.gcount())};
}

Error unknown_kind(const fs::path& file) {
  return {
      ErrorKind::kInput, file.string(), "is no recording this program knows.",
      "It reads PyTorch profiler traces (.json, .json.gz), Nsight Systems exports (`nsys export --type sqlite`, `nsys "
      "stats --report cuda_gpu_kern_sum --format csv`) and Nsight Compute tables (`ncu --csv --page details`)."};
}

bool looks_like_json(std::string_view head) {
  if (head.starts_with("\xEF\xBB\xBF")) head.remove_prefix(3);
  const std::size_t first = head.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && (head[first] == '{' || head[first] == '[');
}

GpuProfile read_table(const fs::path& file, const NameRules& rules) {
  const CsvTable table = read_csv(file, ShortRows::kFill);
  if (is_nsys_kernel_sum(table)) return read_nsys_kernel_sum(table, rules);
  if (is_ncu_details(table)) return read_ncu_details(table, rules);
  throw unknown_kind(file);
}

}  // namespace

GpuProfile read_profile(const fs::path& file, const NameRules& rules) {
  const std::string head = head_of(file);
  if (head.starts_with(kGzipMagic) || looks_like_json(head)) return summarize(read_kineto_trace(file, rules), rules);
  if (head.starts_with(kSqliteMagic)) {
    if (!is_nsys_export(file)) throw unknown_kind(file);
    return summarize(read_nsys_trace(file, rules), rules);
  }
  if (head.find('\0') != std::string::npos || head.find(',') == std::string::npos) throw unknown_kind(file);
  return read_table(file, rules);
}

}  // namespace dachlast
