// Requests served by continuous batching: how long they waited, and how well the KV cache was used.
#include <fmt/format.h>

#include <cmath>

#include "core/base/statistics.h"
#include "core/viewmodel/run_view.h"
#include "core/viewmodel/table_builder.h"

namespace dachlast::viewmodel {
namespace {

using Values = std::vector<std::optional<double>>;

struct Latencies {
  std::vector<double> ttft_s;
  std::vector<double> itl_s;
};

Latencies latencies_of(const Serving& serving) {
  Latencies all;
  for (const ServedRequest& request : serving.requests) {
    all.ttft_s.push_back(request.ttft_s);
    all.itl_s.insert(all.itl_s.end(), request.itl_s.begin(), request.itl_s.end());
  }
  return all;
}

std::int64_t generated_tokens(const Serving& serving) {
  std::int64_t sum = 0;
  for (const ServedRequest& request : serving.requests) sum += 1 + static_cast<std::int64_t>(request.itl_s.size());
  return sum;
}

std::optional<double> percentile_of(const std::vector<double>& samples, double percent) {
  if (samples.empty()) return std::nullopt;
  return percentile(samples, percent);
}

double share(std::int64_t part, double whole) {
  return whole > 0.0 ? static_cast<double>(part) / whole : 0.0;
}

/// Rows of the KV table: a name, an amount, and its share of all token slots where that says something.
class UseList {
 public:
  explicit UseList(double n_slots) : n_slots_(n_slots) {}

  void slots(std::string name, std::int64_t tokens) {
    add(std::move(name), counted(tokens, "token", "tokens"), share(tokens, n_slots_));
  }
  void amount(std::string name, std::string text) { add(std::move(name), std::move(text), std::nullopt); }

  Table build() const {
    TableBuilder table("kv-use", "KV cache in use");
    table.text({"figure", "Figure", "", "", Align::kLeft}, names_);
    table.text({"value", "Value", "", ""}, values_);
    table.percent({"share_of_slots", "Of all slots", "%", "Token slots of every block together.", Align::kRight, 1},
                  shares_, Origin::kMeasured);
    return table.build();
  }

 private:
  void add(std::string name, std::string value, std::optional<double> part) {
    names_.push_back(std::move(name));
    values_.push_back(std::move(value));
    shares_.push_back(part);
  }

  double n_slots_;
  std::vector<std::string> names_;
  std::vector<std::string> values_;
  Values shares_;
};

}  // namespace

Table latency_table(const Serving& serving) {
  const Latencies all = latencies_of(serving);
  const auto column = [&](double percent) {
    return Values{percentile_of(all.ttft_s, percent), percentile_of(all.itl_s, percent)};
  };
  std::vector<double> shown = all.ttft_s;
  shown.insert(shown.end(), all.itl_s.begin(), all.itl_s.end());
  const Unit unit = shown.empty() ? unit_for(Measure::kTime, 0.0) : unit_for_all(Measure::kTime, shown);
  TableBuilder table("latencies", "Latencies of the served requests");
  table.text(
      {"latency", "Latency", "", "TTFT: from the start until the first token. ITL: each later gap.", Align::kLeft},
      {"TTFT", "ITL"});
  table.in_unit_of({"p50_s", "p50", "", "Median."}, unit, column(50.0), Origin::kMeasured);
  table.in_unit_of({"p90_s", "p90", "", ""}, unit, column(90.0), Origin::kMeasured);
  table.in_unit_of({"p99_s", "p99", "", ""}, unit, column(99.0), Origin::kMeasured);
  table.in_unit_of({"max_s", "Max", "", "", Align::kRight, 1}, unit, column(100.0), Origin::kMeasured);
  table.count({"n", "Samples", "", "", Align::kRight, 2},
              {static_cast<std::int64_t>(all.ttft_s.size()), static_cast<std::int64_t>(all.itl_s.size())},
              Origin::kMeasured);
  return table.build();
}

Table kv_use_table(const Serving& serving) {
  const KvUsage& kv = serving.kv;
  const double n_slots = 1.0 * kv.n_blocks * kv.block_size;
  UseList list(n_slots);
  list.amount("Blocks",
              fmt::format("{} of {}, {} each", format_count(kv.n_blocks), counted(kv.block_size, "token", "tokens"),
                          format(Measure::kCapacity, kv.block_bytes)));
  list.amount("Blocks in use, mean", format_percent(kv.mean_block_use));
  list.amount("Token slots in use, mean", format_percent(kv.mean_token_use));
  list.amount("Most blocks at once", format_count(kv.peak_blocks));
  list.slots("Held at the fullest step", kv.held_tokens);
  list.slots("Waste, reserved", kv.reserved_tokens);
  list.slots("Waste, internal fragmentation", kv.internal_fragmentation_tokens);
  list.slots("Waste, external fragmentation", 0);  // equal blocks leave no gaps
  list.slots("Saved by sharing", kv.saved_tokens);
  if (kv.looked_up_tokens > 0)
    list.amount("Prompt tokens found in the cache",
                fmt::format("{} of {}", format_count(kv.hit_tokens), format_count(kv.looked_up_tokens)));
  list.amount("Blocks evicted", format_count(kv.n_evicted));
  list.amount("Copies on write", format_count(kv.n_copied));
  if (kv.n_dropped_tokens > 0) list.amount("Tokens let go by the ring", format_count(kv.n_dropped_tokens));
  return list.build();
}

std::string serving_sentence(const Serving& serving) {
  const std::int64_t n_tokens = generated_tokens(serving);
  int n_preempted = 0;
  for (const ServedRequest& request : serving.requests) n_preempted += request.n_preempted;
  std::string text = fmt::format(
      "Served {}, at most {} at once, in {} and {}: {} generated, {}.",
      counted(static_cast<std::int64_t>(serving.requests.size()), "request", "requests"), serving.max_sequences,
      format_time(Seconds{serving.seconds}), counted(serving.n_steps, "step", "steps"),
      counted(n_tokens, "token", "tokens"),
      format(Measure::kTokenRate, serving.seconds > 0.0 ? static_cast<double>(n_tokens) / serving.seconds : 0.0));
  if (n_preempted > 0)
    text += fmt::format(" {} lost blocks to older ones and began anew.",
                        counted(n_preempted, "time a request", "times requests"));
  return text;
}

std::string memory_sentence(const MemoryReading& memory) {
  const auto amount = [](double bytes) { return format(Measure::kCapacity, bytes); };
  const double unaccounted = memory.unaccounted_bytes();
  return fmt::format(
      "The process held {}: {} as the memory model counts, {} of code and libraries before the weights "
      "came, and {} {} ({}).",
      amount(memory.resident_bytes), amount(memory.modelled_bytes), amount(memory.program_bytes),
      amount(std::abs(unaccounted)), unaccounted < 0.0 ? "less than that" : "unaccounted",
      format_percent(std::abs(unaccounted) / memory.resident_bytes));
}

}  // namespace dachlast::viewmodel
