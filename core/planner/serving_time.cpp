#include "core/planner/serving_time.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <random>
#include <unordered_map>
#include <vector>

namespace dachlast {
namespace {

constexpr double kMicro = 1e-6;
constexpr double kNever = 1e18;
constexpr int kWaves = 6;            // requests a client sends where nobody says how many
constexpr int kMostRequests = 1500;  // more change the means by less than the model's error
constexpr double kMostInFlight = 4.0;
constexpr std::uint32_t kSeed = 20240607;

struct Request {
  double input = 0.0;
  double output = 0.0;
  double arrived = 0.0;
  double read = 0.0;     // tokens of the prompt in the cache
  double written = 0.0;  // tokens given back
  double first_token = 0.0;
  bool last_of_wave = false;
};

/// At least one token of a prompt is read anew: the last one's logits yield the answer's first.
double prefix_share(const ServingLoad& load) {
  return std::clamp(load.prefix_hit_share, 0.0, std::max(0.0, 1.0 - 1.0 / std::max(1.0, load.input_tokens)));
}

/// Plays requests through one group of devices.
class Playback {
 public:
  Playback(const StepTimer& timer, const ServingLoad& load, const ServingLimits& limits)
      : timer_(timer),
        load_(load),
        limits_(limits),
        cached_share_(prefix_share(load)),
        reserves_(timer.scenario().engine.id == "tensorrt-llm"),
        random_(kSeed) {
    const Layout& layout = timer.scenario().layout;
    groups_ = layout.attention_data_parallel;
    stages_ = layout.pipeline_parallel;
    clients_ = std::max(1, (load.n_clients + groups_ - 1) / groups_);
    const int asked = load.n_requests > 0 ? (load.n_requests + groups_ - 1) / groups_ : kWaves * clients_;
    n_requests_ = std::clamp(asked, 1, std::max(kMostRequests, 2 * clients_));
  }

  ServingTime play() {
    arrive_first();
    while (n_done_ < n_requests_) {
      take_arrivals();
      admit();
      if (!reading_.empty())
        prompt_pass();
      else if (!running_.empty())
        decode_stride();
      else
        wait_for_arrival();
    }
    return result();
  }

 private:
  double drawn(double tokens) {
    if (!(load_.length_spread > 0.0)) return std::max(1.0, tokens);
    std::uniform_real_distribution<double> share(1.0 - load_.length_spread, 1.0);
    return std::max(1.0, std::round(tokens * share(random_)));
  }

  void arrive(double at) {
    if (n_arrived_ >= n_requests_) return;
    ++n_arrived_;
    Request request;
    request.input = drawn(load_.input_tokens);
    request.output = drawn(load_.output_tokens);
    request.arrived = at;
    request.read = cached_share_ * request.input;
    due_.push_back(request);
  }

  void arrive_first() {
    if (load_.arrival == Arrival::kRate) {
      std::exponential_distribution<double> gap(load_.requests_per_s / groups_);
      double at = 0.0;
      while (n_arrived_ < n_requests_) {
        arrive(at);
        at += gap(random_);
      }
      return;
    }
    const int first = load_.arrival == Arrival::kAtOnce ? n_requests_ : std::min(clients_, n_requests_);
    // A steady state has no common start: clients come spread over the time of one answer.
    const bool steady = load_.arrival == Arrival::kClosed && load_.n_requests == 0;
    const StepLoad step{.decode_sequences = static_cast<double>(clients_) / stages_, .decode_kv = load_.input_tokens};
    counted_from_ = steady ? load_.output_tokens * pass_seconds(step) / timer_.tokens_per_pass() : 0.0;
    for (int i = 0; i < first; ++i) arrive(counted_from_ * i / first);
  }

  bool counts(const Request& request) const { return request.arrived >= counted_from_; }

  void take_arrivals() {
    if (passes_unseen_ < limits_.poll_passes) return;
    passes_unseen_ = std::fmod(passes_unseen_, limits_.poll_passes);
    while (!due_.empty() && due_.front().arrived <= now_) {
      waiting_.push_back(due_.front());
      due_.pop_front();
    }
  }

  /// Tokens a request takes of the cache when it starts: room for the whole answer too where an engine promises never to evict.
  /// Source   NVIDIA/TensorRT-LLM:docs/source/performance/performance-tuning-guide (GUARANTEED_NO_EVICT);
  ///          vllm-project/vllm:vllm/v1/core/sched/scheduler.py (allocate_slots, preemption of the last request)
  double taken(const Request& request) const {
    return request.input + (reserves_ ? request.output : std::max(1.0, request.written));
  }

  double held() const {
    double tokens = 0.0;
    for (const Request& request : running_) tokens += taken(request);
    for (const Request& request : reading_) tokens += taken(request);
    return tokens;
  }

  /// A request starts where it fits; one alone always does.
  void admit() {
    if (waiting_.empty()) return;
    double tokens = held();
    while (!waiting_.empty()) {
      const Request& next = waiting_.front();
      const std::size_t active = running_.size() + reading_.size();
      const bool room = tokens + taken(next) <= limits_.kv_tokens || active == 0;
      if (!room || static_cast<int>(active) >= limits_.max_num_seqs) return;
      tokens += taken(next);
      reading_.push_back(next);
      waiting_.pop_front();
    }
  }

  /// Passes until the running sequences fill the cache.
  double passes_with_room() const {
    if (reserves_ || running_.size() < 2) return kNever;
    const double growth = timer_.tokens_per_pass() * static_cast<double>(running_.size());
    return std::floor((limits_.kv_tokens - held()) / growth);
  }

  /// The request that came last gives its room back, waits, and is read again with what it has written.
  void preempt() {
    const auto last = std::ranges::max_element(running_, {}, &Request::arrived);
    Request request = *last;
    running_.erase(last);
    kv_sum_ -= request.input + request.written;
    request.read = 0.0;
    waiting_.push_front(request);
  }

  /// What a preempted request wrote is read like a prompt.
  static double to_read(const Request& request) { return request.input + request.written; }

  StepLoad decode_load(double ahead) const {
    StepLoad load;
    load.decode_sequences = static_cast<double>(running_.size()) / stages_;
    if (!running_.empty()) load.decode_kv = kv_sum_ / static_cast<double>(running_.size()) + ahead;
    return load;
  }

  double pass_seconds(const StepLoad& load) const { return timer_.seconds(load); }

  /// Reads prompts up to the limit of tokens, beside the running sequences where the engine mixes them. With several pipeline
  /// stages as many passes are under way, each with its share.
  void prompt_pass() {
    const bool mixed = timer_.scenario().engine.speed.prompts == PromptPolicy::kMixed;
    StepLoad load = mixed ? decode_load(0.0) : StepLoad{};
    const auto& drafts = timer_.scenario().speculation;
    const double decoding = load.decode_sequences * (1.0 + (drafts ? drafts->draft_tokens : 0));
    double budget = stages_ * std::max(1.0, limits_.max_num_batched_tokens - decoding);
    std::vector<std::size_t> finished;
    double kv = 0.0;
    for (std::size_t i = 0; i < reading_.size() && budget > 0.0; ++i) {
      Request& request = reading_[i];
      const double piece = std::min(budget, to_read(request) - request.read);
      budget -= piece;
      request.read += piece;
      load.prefill_tokens += piece;
      load.prefill_sequences += 1.0;
      kv += request.read;
      if (request.read >= to_read(request)) finished.push_back(i);
    }
    load.prefill_kv = kv / load.prefill_sequences;
    load.prefill_tokens /= stages_;
    load.prefill_sequences /= stages_;
    load.finished_prompts = static_cast<double>(finished.size()) / stages_;
    now_ += pass_seconds(load);
    passes_unseen_ = limits_.poll_passes;
    if (mixed) advance(timer_.tokens_per_pass());
    for (std::size_t i = finished.size(); i-- > 0;) start(finished[i]);
    if (mixed) retire();
  }

  /// The prompt is read: its first token goes out.
  void start(std::size_t index) {
    Request request = reading_[index];
    reading_.erase(reading_.begin() + static_cast<std::ptrdiff_t>(index));
    request.written += 1.0;
    if (request.written > 1.0) {  // it was preempted
      kv_sum_ += request.input + request.written;
      running_.push_back(request);
      return;
    }
    request.first_token = now_;
    if (counts(request)) {
      ttft_sum_ += now_ - request.arrived;
      ++n_started_;
    }
    if (request.output <= 1.0) {
      finish(request);
      return;
    }
    kv_sum_ += request.input + 1.0;
    running_.push_back(request);
  }

  void advance(double steps) {
    for (Request& request : running_) request.written += steps;
    kv_sum_ += steps * static_cast<double>(running_.size());
  }

  void finish(const Request& request) {
    ++n_done_;
    if (now_ > counted_from_) {
      tokens_out_ += request.output;
      tokens_in_ += request.input;
    }
    finished_at_ = now_;
    if (request.output > 1.0 && counts(request)) {
      tpot_sum_ += (now_ - request.first_token) / (request.output - 1.0);
      ++n_timed_;
    }
    if (load_.arrival == Arrival::kClosed) arrive(now_);
  }

  void retire() {
    for (std::size_t i = running_.size(); i-- > 0;) {
      if (running_[i].written < running_[i].output) continue;
      const Request request = running_[i];
      kv_sum_ -= request.input + request.written;
      running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(i));
      finish(request);
    }
  }

  /// Passes until the next sequence ends or the next request comes, all at the cost of the middle one.
  void decode_stride() {
    while (passes_with_room() < 1.0) preempt();
    const double gained = timer_.tokens_per_pass();
    double steps = passes_with_room();
    for (const Request& request : running_)
      steps = std::min(steps, std::ceil((request.output - request.written) / gained));
    steps = std::max(1.0, steps);
    const double seconds = pass_seconds(decode_load(steps * gained / 2.0));
    if (!due_.empty()) steps = std::clamp(passes_until_seen(seconds), 1.0, steps);
    passes_unseen_ += steps;
    now_ += steps * seconds;
    batch_sum_ += steps * static_cast<double>(running_.size());
    steps_ += steps;
    advance(steps * gained);
    retire();
  }

  /// Passes until the first look at or after the next arrival.
  double passes_until_seen(double pass) const {
    const double until = std::max(0.0, std::ceil((due_.front().arrived - now_) / pass));
    const double looks = std::max(1.0, std::ceil((passes_unseen_ + until) / limits_.poll_passes));
    return looks * limits_.poll_passes - passes_unseen_;
  }

  void wait_for_arrival() {
    passes_unseen_ = limits_.poll_passes;
    if (!due_.empty()) now_ = std::max(now_, due_.front().arrived);
  }

  ServingTime result() const {
    const SpeedFacts& facts = timer_.scenario().engine.speed;
    ServingTime time;
    time.tpot_s = n_timed_ > 0 ? tpot_sum_ / n_timed_ : 0.0;
    const double passes = groups_ > 1 ? facts.group_wait_passes : facts.wait_passes;
    const double pass = time.tpot_s * timer_.tokens_per_pass();  // with drafted tokens several come of one
    const double fixed = kMicro * facts.request_us + passes * pass;
    time.ttft_s = ttft_sum_ / std::max(1, n_started_) + fixed;
    const double lasted = finished_at_ - counted_from_ + fixed;
    time.output_tokens_s = groups_ * tokens_out_ / lasted;
    time.total_tokens_s = groups_ * (tokens_out_ + tokens_in_) / lasted;
    time.mean_batch = steps_ > 0.0 ? batch_sum_ / steps_ : 0.0;
    return time;
  }

  const StepTimer& timer_;
  const ServingLoad& load_;
  const ServingLimits& limits_;
  double cached_share_ = 0.0;  // of each prompt, before it is read
  bool reserves_ = false;
  std::mt19937 random_;
  int groups_ = 1;
  int stages_ = 1;
  int clients_ = 1;
  int n_requests_ = 1;
  int n_arrived_ = 0;
  int n_started_ = 0;
  int n_done_ = 0;
  int n_timed_ = 0;
  double now_ = 0.0;
  double finished_at_ = 0.0;
  double passes_unseen_ = 1e9;  // that decoded since the last look at arrivals
  double counted_from_ = 0.0;   // what arrives before is the start, not the state asked for
  double kv_sum_ = 0.0;         // tokens the running ones hold
  double ttft_sum_ = 0.0;
  double tpot_sum_ = 0.0;
  double tokens_out_ = 0.0;
  double tokens_in_ = 0.0;
  double batch_sum_ = 0.0;
  double steps_ = 0.0;
  std::deque<Request> due_;  // in the order of arrival
  std::deque<Request> waiting_;
  std::vector<Request> reading_;
  std::vector<Request> running_;
};

/// All prompts of one batch, in passes of at most the limit of tokens. Passes follow each other through pipeline stages: the first
/// takes the way through all of them, each further one what the longest stage takes, or its share of the passes in flight.
/// Source   at most four are: ggml-org/llama.cpp:ggml/src/CMakeLists.txt (GGML_SCHED_MAX_COPIES)
double prompts_seconds(const StepTimer& timer, double batch, const ServingLoad& asked, double limit) {
  const double tokens = asked.input_tokens * (1.0 - prefix_share(asked));
  const double cached = asked.input_tokens - tokens;
  const double passes = std::max(1.0, std::ceil(batch * tokens / limit));
  double seconds = 0.0;
  for (double pass = 1.0; pass <= passes; pass += 1.0) {
    const StepLoad load{.prefill_sequences = std::max(1.0, batch / passes),
                        .prefill_tokens = batch * tokens / passes,
                        .prefill_kv = cached + (batch < passes ? tokens * pass / passes : tokens),
                        .finished_prompts = batch < passes && pass < passes ? 0.0 : std::max(1.0, batch / passes)};
    const double whole = timer.seconds(load);
    seconds += pass == 1.0 ? whole : std::max(timer.stage_seconds(load), whole / kMostInFlight);
  }
  return seconds;
}

/// One batch: prompts in passes of at most the limit of tokens, then one token of all sequences a pass.
ServingTime static_time(const StepTimer& timer, const ServingLoad& load, const ServingLimits& limits) {
  const Layout& layout = timer.scenario().layout;
  const double batch = std::max(1.0, static_cast<double>(load.n_clients) / layout.attention_data_parallel);
  const double steps = std::max(0.0, load.output_tokens - 1.0);
  const StepLoad middle{.decode_sequences = batch, .decode_kv = load.input_tokens + load.output_tokens / 2.0};
  ServingTime time;
  if (load.input_tokens > 0.0)
    time.ttft_s = prompts_seconds(timer, batch, load, limits.max_num_batched_tokens) +
                  kMicro * timer.scenario().engine.speed.request_us;
  time.tpot_s = steps > 0.0 ? timer.seconds(middle) / timer.tokens_per_pass() : 0.0;
  const double whole = std::max(1e-9, time.ttft_s + steps * time.tpot_s);
  const double all = batch * layout.attention_data_parallel;
  time.output_tokens_s = all * load.output_tokens / whole;
  time.total_tokens_s = all * (load.output_tokens + load.input_tokens) / whole;
  time.mean_batch = batch;
  return time;
}

}  // namespace

ServingTime serving_time(const StepTimer& timer, const ServingLoad& load, const ServingLimits& limits) {
  if (load.arrival == Arrival::kStatic) return static_time(timer, load, limits);
  return Playback(timer, load, limits).play();
}

}  // namespace dachlast
