#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/planner/known_load.h"

namespace dachlast {

/// Reads a count: "4096", "32k" (= 32 · 1024), "1M" (= 1024²). `option` names the culprit in the error.
/// Errors   throws `Error` (kUsage) for anything else, for zero and negatives, and beyond 2^31 − 1.
int parse_count(std::string_view option, std::string_view text);

/// Reads a list of counts: commas and ranges, "512,4096", "1..8" (1, 2, …, 8), "1..64*2" (1, 2, 4, …, 64), "1k..8k+1k".
/// Keeps order, drops repeats.
/// Errors   as parse_count; also for empty items, falling ranges, steps that stand still, and more than 4,096 values.
std::vector<int> parse_count_list(std::string_view option, std::string_view text);

/// Reads a percentage, with or without the sign: "5%", "2.5". Returns the fraction, 0.05.
double parse_percent(std::string_view option, std::string_view text);

/// Reads a time: "200ms", "0.2s"; a bare number is milliseconds. Returns seconds.
/// Errors   throws `Error` (kUsage) for what is none, not above 0, or beyond ten days.
double parse_time(std::string_view option, std::string_view text);

/// Reads what was measured of a deployment: "batch=8,ttft=312ms,tpot=11.2ms,prompt=1024,output=1024"; any order, no name twice. What
/// is left out of the load is that of `usual`.
/// Errors   throws `Error` (kUsage) for other names, and where neither ttft nor tpot is given.
MeasuredSpeed parse_measured(std::string_view option, std::string_view text, const ServedLoad& usual);

}  // namespace dachlast
