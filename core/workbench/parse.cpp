#include "core/workbench/parse.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <set>

#include "core/base/error.h"

namespace dachlast {
namespace {

constexpr std::size_t kMaxListLength = 4096;

[[noreturn]] void refuse(std::string_view option, std::string_view text, std::string_view reason) {
  throw Error(ErrorKind::kUsage, fmt::format("{} {}", option, text), fmt::format("{}.", reason),
              "Counts are whole numbers such as 4096 or 32k; lists look like 512,4096 or 1..64*2.");
}

std::int64_t factor_of(std::string_view suffix) {
  if (suffix.empty()) return 1;
  if (suffix == "k" || suffix == "K") return 1024;
  if (suffix == "m" || suffix == "M") return 1024 * 1024;
  return 0;
}

void append_unique(std::vector<int>& list, int value) {
  if (std::find(list.begin(), list.end(), value) == list.end()) list.push_back(value);
}

struct Range {
  int first;
  int last;
  char step_kind;  // '+' or '*'
  int step;
};

Range parse_range(std::string_view option, std::string_view text, std::size_t dots) {
  const std::string_view rest = text.substr(dots + 2);
  const std::size_t sign = rest.find_first_of("*+");
  Range range{parse_count(option, text.substr(0, dots)), parse_count(option, rest.substr(0, sign)), '+', 1};
  if (sign != std::string_view::npos) {
    range.step_kind = rest[sign];
    range.step = parse_count(option, rest.substr(sign + 1));
  }
  if (range.last < range.first) refuse(option, text, "the range falls");
  if (range.step_kind == '*' && range.step < 2) refuse(option, text, "a factor of 1 never reaches the end");
  return range;
}

void append_range(std::string_view option, std::string_view text, const Range& range, std::vector<int>& list) {
  for (std::int64_t value = range.first; value <= range.last;
       value = range.step_kind == '*' ? value * range.step : value + range.step) {
    append_unique(list, static_cast<int>(value));
    if (list.size() > kMaxListLength) refuse(option, text, "more than 4,096 values");
  }
}

[[noreturn]] void refuse_measured(std::string_view option, std::string_view text, std::string_view item) {
  throw Error(
      ErrorKind::kUsage, fmt::format("{} {}", option, text), fmt::format("\"{}\" tells nothing measured.", item),
      "Write it as batch=8,ttft=312ms,tpot=11.2ms, one of the times at least; prompt=1024 and output=256 where they "
      "are not those planned.");
}

void read_measured(const std::string& option, std::string_view name, std::string_view value, MeasuredSpeed& measured) {
  if (name == "batch")
    measured.load.n_sequences = parse_count(option, value);
  else if (name == "prompt")
    measured.load.prompt_tokens = parse_count(option, value);
  else if (name == "output")
    measured.load.output_tokens = parse_count(option, value);
  else if (name == "ttft")
    measured.ttft_s = parse_time(option, value);
  else if (name == "tpot")
    measured.tpot_s = parse_time(option, value);
  else
    refuse_measured("--measured", fmt::format("{}={}", name, value), name);
}

}  // namespace

int parse_count(std::string_view option, std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::int64_t factor = factor_of(text.substr(static_cast<std::size_t>(end - text.data())));
  if (error == std::errc::invalid_argument || factor == 0) refuse(option, text, "not a whole number");
  if (error == std::errc::result_out_of_range || value > std::numeric_limits<int>::max() / factor)
    refuse(option, text, "too large");
  if (value <= 0) refuse(option, text, "must be at least 1");
  return static_cast<int>(value * factor);
}

std::vector<int> parse_count_list(std::string_view option, std::string_view text) {
  std::vector<int> list;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t comma = std::min(text.find(',', begin), text.size());
    const std::string_view item = text.substr(begin, comma - begin);
    const std::size_t dots = item.find("..");
    if (dots == std::string_view::npos)
      append_unique(list, parse_count(option, item));
    else
      append_range(option, item, parse_range(option, item, dots), list);
    begin = comma + 1;
  }
  if (list.size() > kMaxListLength) refuse(option, text, "more than 4,096 values");
  return list;
}

double parse_percent(std::string_view option, std::string_view text) {
  const std::string_view digits = text.ends_with('%') ? text.substr(0, text.size() - 1) : text;
  double value = 0.0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{} || end != digits.data() + digits.size() || !std::isfinite(value) || value < 0.0)
    throw Error(ErrorKind::kUsage, fmt::format("{} {}", option, text), "not a percentage.",
                "Write it like 5% or 2.5%.");
  return value / 100.0;
}

double parse_time(std::string_view option, std::string_view text) {
  double value = 0.0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string_view unit(read.ptr, static_cast<std::size_t>(text.data() + text.size() - read.ptr));
  const double scale = unit == "s" ? 1.0 : unit == "ms" || unit.empty() ? 1e-3 : 0.0;
  constexpr double kMostSeconds = 1e6;
  if (read.ec == std::errc{} && value > 0.0 && scale > 0.0 && value * scale < kMostSeconds) return value * scale;
  throw Error(ErrorKind::kUsage, fmt::format("{} {}", option, text), "is not a time above 0.",
              "Write it as 200ms or 0.2s.");
}

MeasuredSpeed parse_measured(std::string_view option, std::string_view text, const ServedLoad& usual) {
  MeasuredSpeed measured{.load = usual, .ttft_s = {}, .tpot_s = {}};
  std::set<std::string_view> seen;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t comma = std::min(text.find(',', begin), text.size());
    const std::string_view item = text.substr(begin, comma - begin);
    const std::size_t sign = std::min(item.find('='), item.size());
    const std::string_view name = item.substr(0, sign);
    if (sign == item.size() || !seen.insert(name).second) refuse_measured(option, text, item);
    read_measured(fmt::format("{} {}", option, name), name, item.substr(sign + 1), measured);
    begin = comma + 1;
  }
  if (!measured.ttft_s && !measured.tpot_s) refuse_measured(option, text, text);
  return measured;
}

}  // namespace dachlast
