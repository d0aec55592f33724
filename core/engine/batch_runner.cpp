#include "core/engine/batch_runner.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "core/engine/step_memory.h"

namespace dachlast {
namespace {

void validate(const std::vector<BatchRequest>& requests, const EngineOptions& options) {
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const BatchRequest& request = requests[i];
    const std::string subject = fmt::format("request {}", i);
    if (request.prompt.empty() || request.n_generate < 1)
      throw Error(ErrorKind::kUsage, subject, "It has no prompt, or asks for no tokens.");
    if (request.prompt.size() + static_cast<std::size_t>(request.n_generate) >
        static_cast<std::size_t>(options.capacity_tokens))
      throw Error(ErrorKind::kDoesNotFit, subject,
                  fmt::format("Its {} tokens and the {} to follow exceed the {} of a sequence.", request.prompt.size(),
                              request.n_generate, options.capacity_tokens),
                  "Use a larger context, a shorter prompt or fewer tokens.");
  }
}

double share(double part, double whole) {
  return whole > 0.0 ? part / whole : 0.0;
}

}  // namespace

double BatchRunner::now_s() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

BatchResult BatchRunner::run(const std::vector<BatchRequest>& requests, const std::stop_token& stop) {
  validate(requests, engine_.options());
  BatchResult result;
  result.answers.resize(requests.size());
  for (std::size_t i = 0; i < requests.size(); ++i)
    waiting_.push_back({.request = &requests[i], .answer = &result.answers[i]});
  first_ = requests.data();
  moment_every_ = 1;
  start_ = std::chrono::steady_clock::now();
  while ((!waiting_.empty() || !running_.empty()) && !stop.stop_requested()) {
    admit();
    list_entries();
    const StepOutcome outcome = engine_.step(entries_);
    if (!outcome.done()) {
      preempt_newest();
      continue;
    }
    ++result.n_steps;
    take_tokens(outcome);
    note_use(result.kv, result.n_steps);
    dismiss_done();
  }
  result.seconds = now_s();
  for (const Job& job : running_) engine_.remove_sequence(job.sequence);
  running_.clear();
  texts_.clear();
  waiting_.clear();
  result.kv.mean_block_use = share(result.kv.mean_block_use, result.n_steps);
  result.kv.mean_token_use = share(result.kv.mean_token_use, result.n_steps);
  return result;
}

/// Room for all it knows: what it finds in the cache it takes away from the others too, and one that joins without room for
/// the step would be sent back at once, for ever.
bool BatchRunner::has_room_for(const Job& job) {
  if (running_.empty()) return true;
  list_entries();
  return engine_.missing_blocks(entries_, job.n_known()) == 0;
}

void BatchRunner::admit() {
  while (!waiting_.empty() && running_.size() < static_cast<std::size_t>(engine_.options().batch_size) &&
         has_room_for(waiting_.front())) {
    Job job = waiting_.front();
    const std::vector<std::int32_t>& prompt = job.request->prompt;
    job.sequence = engine_.add_sequence(static_cast<int>(prompt.size()) + job.request->n_generate);
    std::vector<std::int32_t> text = prompt;
    text.insert(text.end(), job.answer->generated_ids.begin(), job.answer->generated_ids.end());
    job.n_run = engine_.adopt_prefix(job.sequence, text);
    if (job.answer->n_preempted == 0) job.answer->n_hit_tokens = job.n_run;
    waiting_.pop_front();
    running_.push_back(job);
    texts_.push_back(std::move(text));
  }
}

std::span<const std::int32_t> BatchRunner::next_ids(const Job& job) {
  const auto index = static_cast<std::size_t>(&job - running_.data());
  const std::span<const std::int32_t> rest = std::span(texts_[index]).subspan(static_cast<std::size_t>(job.n_run));
  return rest.first(
      std::min<std::size_t>(rest.size(), static_cast<std::size_t>(largest_step_tokens(engine_.options()))));
}

void BatchRunner::list_entries() {
  entries_.clear();
  for (const Job& job : running_) entries_.push_back({job.sequence, next_ids(job)});
}

/// The newest one has the least to lose, and the oldest one always gets on.
void BatchRunner::preempt_newest() {
  if (running_.size() == 1)
    throw Error(ErrorKind::kDoesNotFit, "KV cache",
                fmt::format("A sequence of {} tokens finds no block for the next ones.", running_.front().n_run),
                "Give the cache more blocks, or ask for shorter texts.");
  Job job = running_.back();
  engine_.remove_sequence(job.sequence);
  ++job.answer->n_preempted;
  job.n_run = 0;
  waiting_.push_front(job);
  running_.pop_back();
  texts_.pop_back();
}

void BatchRunner::take_tokens(const StepOutcome& outcome) {
  const double now = now_s();
  for (std::size_t i = 0; i < running_.size(); ++i) {
    Job& job = running_[i];
    job.n_run += static_cast<int>(entries_[i].token_ids.size());
    if (job.n_run < job.n_known()) continue;  // the prompt goes on
    BatchAnswer& answer = *job.answer;
    if (answer.generated_ids.empty())
      answer.ttft_s = now;
    else
      answer.itl_s.push_back(now - job.last_token_s);
    job.last_token_s = now;
    answer.generated_ids.push_back(outcome.next_ids[i]);
    texts_[i].push_back(outcome.next_ids[i]);
  }
}

void BatchRunner::dismiss_done() {
  for (std::size_t i = running_.size(); i-- > 0;) {
    if (!running_[i].done()) continue;
    engine_.remove_sequence(running_[i].sequence);
    running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(i));
    texts_.erase(texts_.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

void BatchRunner::note_use(KvUse& use, int step) {
  use.last = engine_.kv_statistics();
  use.mean_block_use += share(use.last.n_allocated, use.last.n_blocks);
  use.mean_token_use += share(static_cast<double>(use.last.held_tokens), 1.0 * use.last.n_blocks * use.last.block_size);
  if (use.last.n_allocated >= use.fullest.n_allocated) use.fullest = use.last;
  if (step % moment_every_ == 0) keep_moment(use, step);
}

/// Keeps every n-th step; where that becomes too many, every second of them goes and n doubles.
void BatchRunner::keep_moment(KvUse& use, int step) {
  BlockMap map = engine_.kv_block_map();
  if (map.sequences.empty() && map.cached.empty()) return;
  CacheMoment moment{step, now_s(), use.last, {}, std::move(map.cached)};
  for (SequenceBlocks& sequence : map.sequences) {
    const auto job = std::ranges::find(running_, sequence.id, &Job::sequence);
    if (job != running_.end())
      moment.requests.push_back(
          {static_cast<int>(job->request - first_), sequence.n_tokens, std::move(sequence.blocks)});
  }
  use.moments.push_back(std::move(moment));
  const int most = std::clamp(kMostMomentBlocks / std::max(use.last.n_blocks, 1), 4, kMostMoments);
  if (static_cast<int>(use.moments.size()) <= most) return;
  moment_every_ *= 2;
  std::erase_if(use.moments, [&](const CacheMoment& kept) { return kept.step % moment_every_ != 0; });
}

}  // namespace dachlast
