#include "core/hardware/proc_text.h"

#include <charconv>

namespace dachlast::proc {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

/// Cuts the text before `separator` off `rest`; all of it where there is none.
std::string_view cut(std::string_view& rest, char separator) {
  const auto end = rest.find(separator);
  const std::string_view head = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
  return head;
}

std::optional<double> number(std::string_view text) {
  text = trim(text);
  double value = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string single_blanks(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const std::string_view word = cut(text, ' ');
    if (word.empty()) continue;
    if (!result.empty()) result += ' ';
    result += word;
  }
  return result;
}

/// Whether the comma-separated `list` holds `name`.
bool lists(std::string_view list, std::string_view name) {
  if (name.empty()) return list.empty();
  while (!list.empty())
    if (cut(list, ',') == name) return true;
  return false;
}

}  // namespace

std::optional<std::string> cpu_name(std::string_view cpuinfo) {
  while (!cpuinfo.empty()) {
    std::string_view line = cut(cpuinfo, '\n');
    if (trim(cut(line, ':')) != "model name") continue;
    std::string name = single_blanks(trim(line));
    if (!name.empty()) return name;
  }
  return std::nullopt;
}

std::optional<double> meminfo_bytes(std::string_view meminfo, std::string_view row) {
  while (!meminfo.empty()) {
    std::string_view line = cut(meminfo, '\n');
    if (cut(line, ':') != row) continue;
    line = trim(line);
    const auto kib = number(cut(line, ' '));
    if (!kib || trim(line) != "kB") return std::nullopt;
    return *kib * 1024.0;  // the kernel writes kB and means KiB
  }
  return std::nullopt;
}

std::optional<double> keyed_value(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    std::string_view line = cut(text, '\n');
    if (cut(line, ' ') == key) return number(line);
  }
  return std::nullopt;
}

std::optional<double> cgroup_limit(std::string_view text) {
  // Version 1 writes "no limit" as the largest multiple of the page size below 2^63; no machine has 2^60 bytes.
  constexpr double kNoLimit = 0x1p60;
  const auto value = number(text);
  if (!value || *value < 0.0 || *value >= kNoLimit) return std::nullopt;
  return value;
}

std::optional<double> cgroup_cpus(std::string_view cpu_max) {
  cpu_max = trim(cpu_max);
  const auto quota = cgroup_limit(cut(cpu_max, ' '));
  const auto period = number(cpu_max);
  if (!quota || !period || *period <= 0.0) return std::nullopt;
  return *quota / *period;
}

std::optional<std::string> cgroup_path(std::string_view self_cgroup, std::string_view controller) {
  while (!self_cgroup.empty()) {  // "4:memory:/path"; version 2 is "0::/path"
    std::string_view line = cut(self_cgroup, '\n');
    cut(line, ':');
    if (lists(cut(line, ':'), controller) && line.starts_with('/')) return std::string(line);
  }
  return std::nullopt;
}

}  // namespace dachlast::proc
