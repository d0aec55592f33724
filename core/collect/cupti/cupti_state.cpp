#include "core/collect/cupti/cupti_state.h"

#include <dlfcn.h>
#include <fmt/core.h>

#include <charconv>
#include <fstream>
#include <string_view>

#include "core/collect/launch.h"

namespace dachlast {
namespace {

namespace fs = std::filesystem;

/// The value behind "KEY:" in a file of lines; empty where there is none.
std::optional<std::string> value_of(const fs::path& file, std::string_view key) {
  std::ifstream stream(file);
  std::string line;
  while (std::getline(stream, line)) {
    if (!line.starts_with(key) || line.size() <= key.size() || line[key.size()] != ':') continue;
    const std::size_t first = line.find_first_not_of(" \t", key.size() + 1);
    return first == std::string::npos ? std::string() : line.substr(first);
  }
  return std::nullopt;
}

constexpr unsigned kSysAdmin = 21;  // CAP_SYS_ADMIN of linux/capability.h

bool is_administrator(const fs::path& status) {
  const auto mask = value_of(status, "CapEff");
  if (!mask) return false;
  std::uint64_t bits = 0;
  std::from_chars(mask->data(), mask->data() + mask->size(), bits, 16);
  return (bits >> kSysAdmin & 1U) != 0;
}

}  // namespace

CounterAccess read_counter_access(const fs::path& params, const fs::path& status) {
  const auto restricted = value_of(params, "RmProfilingAdminOnly");
  if (!restricted) return CounterAccess::kUnknown;
  if (*restricted == "0") return CounterAccess::kEveryone;
  return is_administrator(status) ? CounterAccess::kByRank : CounterAccess::kRestricted;
}

CuptiState read_cupti_state() {
  const auto plugin = cupti_injection_library();
  if (!plugin) return {std::nullopt, "not in this build"};
  void* library = ::dlopen(plugin->c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* reason = ::dlerror();
    return {std::nullopt, reason != nullptr ? reason : plugin->string() + " cannot be loaded"};
  }
  const auto version = reinterpret_cast<unsigned (*)()>(::dlsym(library, "dachlast_cupti_version"));
  const unsigned number = version != nullptr ? version() : 0;
  if (number == 0) return {std::nullopt, "its library does not tell its version"};
  return {static_cast<int>(number), {}};
}

std::string cupti_version_text(int version) {
  const std::string text = fmt::format("{}.{}", version / 10000, version / 100 % 100);
  return version % 100 == 0 ? text : fmt::format("{}, update {}", text, version % 100);
}

}  // namespace dachlast
