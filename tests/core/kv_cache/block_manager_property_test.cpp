// A million random operations beside a simple model: every sequence is a list of token ids, and a copy of what the owner of
// the memory would have written says what each slot of each block holds.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "core/kv_cache/block_manager.h"

namespace dachlast {
namespace {

using Ids = std::vector<std::int32_t>;

class Model {
 public:
  explicit Model(const BlockManagerOptions& options)
      : manager_(options), written_(static_cast<std::size_t>(options.n_blocks), Ids(size(options), -1)) {}

  void step(std::mt19937& random) {
    switch (random() % 8) {
      case 0: return add(random);
      case 1: return fork(random);
      case 2: return remove(random);
      case 3: return truncate(random);
      default: return append(random);
    }
  }

  void check() const {
    std::vector<int> users(written_.size(), 0);
    for (const auto& [id, ids] : sequences_) {
      ASSERT_EQ(manager_.n_tokens(id), static_cast<int>(ids.size()));
      check_content(id, ids);
      for (const std::int32_t block : manager_.block_table(id)) ++users[static_cast<std::size_t>(block)];
    }
    const BlockPool& pool = manager_.pool();
    int n_allocated = 0;
    for (int block = 0; block < pool.n_blocks(); ++block) {
      ASSERT_EQ(pool.n_users(block), users[static_cast<std::size_t>(block)]);
      n_allocated += pool.n_users(block) > 0;
    }
    ASSERT_EQ(pool.n_allocated(), n_allocated);
    ASSERT_GE(pool.n_free(), 0);
    ASSERT_GE(pool.n_cached(), 0);
    check_statistics(n_allocated);
  }

  /// Ends every sequence: what is left must be free or cached, and free once the cached blocks are dropped.
  void finish() {
    while (!sequences_.empty()) remove_at(sequences_.begin());
    EXPECT_EQ(manager_.n_available(), manager_.pool().n_blocks());
    manager_.drop_cached();
    EXPECT_EQ(manager_.pool().n_free(), manager_.pool().n_blocks());
    EXPECT_EQ(manager_.pool().n_cached(), 0);
  }

  BlockStatistics statistics() const { return manager_.statistics(); }
  int n_refused() const { return n_refused_; }

 private:
  using Sequences = std::map<SequenceId, Ids>;

  static std::size_t size(const BlockManagerOptions& options) { return static_cast<std::size_t>(options.block_size); }

  Sequences::iterator any(std::mt19937& random) {
    return std::next(sequences_.begin(), static_cast<std::ptrdiff_t>(random() % sequences_.size()));
  }

  /// Two letters, so that beginnings often meet again.
  static Ids text(std::mt19937& random, int most) {
    Ids ids(random() % static_cast<unsigned>(most) + 1);
    for (std::int32_t& id : ids) id = static_cast<std::int32_t>(random() % 2);
    return ids;
  }

  void add(std::mt19937& random) {
    if (sequences_.size() >= 12) return;
    const SequenceId id = manager_.add(static_cast<int>(random() % 40));
    const Ids prompt = text(random, 20);
    const int n_known = manager_.adopt_prefix(id, prompt);
    const Ids adopted(prompt.begin(), prompt.begin() + n_known);
    check_content(id, adopted);  // the memory holds what was found
    sequences_[id] = adopted;
    write(id, {prompt.begin() + n_known, prompt.end()});
  }

  void fork(std::mt19937& random) {
    if (sequences_.empty() || sequences_.size() >= 12) return;
    const auto parent = any(random);
    sequences_[manager_.fork(parent->first)] = parent->second;
  }

  void remove(std::mt19937& random) {
    if (!sequences_.empty()) remove_at(any(random));
  }

  void remove_at(Sequences::iterator at) {
    manager_.remove(at->first);
    sequences_.erase(at);
  }

  void truncate(std::mt19937& random) {
    if (sequences_.empty()) return;
    const auto at = any(random);
    const std::size_t kept = random() % (at->second.size() + 1);
    manager_.truncate(at->first, static_cast<int>(kept));
    at->second.resize(kept);
  }

  void append(std::mt19937& random) {
    if (!sequences_.empty()) write(any(random)->first, text(random, random() % 4 == 0 ? 20 : 2));
  }

  /// What the owner of the memory does: copies first, then writes where the table says.
  void write(SequenceId id, const Ids& added) {
    const int needed = manager_.blocks_needed(id, static_cast<int>(added.size()));
    const bool fits = needed <= manager_.n_available();
    const AppendResult result = manager_.append(id, added);
    ASSERT_EQ(result.done(), fits);
    n_refused_ += !fits;
    if (!fits) return;
    if (result.copy) std::copy_n(at(result.copy->from).begin(), result.copy->n_tokens, at(result.copy->to).begin());
    Ids& ids = sequences_[id];
    for (const std::int32_t token : added) {
      const std::size_t size = written_.front().size();
      at(manager_.block_table(id)[ids.size() / size])[ids.size() % size] = token;
      ids.push_back(token);
    }
  }

  Ids& at(std::int32_t block) { return written_[static_cast<std::size_t>(block)]; }

  void check_content(SequenceId id, const Ids& ids) const {
    const auto table = manager_.block_table(id);
    const std::size_t size = written_.front().size();
    ASSERT_EQ(table.size(), (ids.size() + size - 1) / size);
    for (std::size_t p = 0; p < ids.size(); ++p) {
      const std::int32_t block = table[p / size];
      ASSERT_EQ(written_[static_cast<std::size_t>(block)][p % size], ids[p]);
      ASSERT_EQ(manager_.pool().token_ids(block)[p % size], ids[p]);
    }
  }

  void check_statistics(int n_allocated) const {
    const BlockStatistics s = manager_.statistics();
    std::int64_t sequence_tokens = 0;
    for (const auto& [id, ids] : sequences_) sequence_tokens += static_cast<std::int64_t>(ids.size());
    ASSERT_EQ(s.sequence_tokens, sequence_tokens);
    ASSERT_EQ(s.n_free + s.n_cached + s.n_allocated, s.n_blocks);
    ASSERT_EQ(s.held_tokens + s.reserved_tokens + s.internal_fragmentation_tokens,
              std::int64_t{n_allocated} * s.block_size);
    ASSERT_GE(s.saved_tokens(), 0);
    ASSERT_LE(s.hit_tokens, s.looked_up_tokens);
  }

  BlockManager manager_;
  std::vector<Ids> written_;
  Sequences sequences_;
  int n_refused_ = 0;
};

void run(const BlockManagerOptions& options, unsigned seed, int n_operations) {
  Model model(options);
  std::mt19937 random(seed);
  for (int i = 0; i < n_operations && !::testing::Test::HasFatalFailure(); ++i) {
    model.step(random);
    if (i % 16 == 0) model.check();
  }
  if (::testing::Test::HasFatalFailure()) return;
  const BlockStatistics statistics = model.statistics();
  EXPECT_GT(model.n_refused(), 100);
  EXPECT_GT(statistics.n_copied, 100);
  if (options.sharing == PrefixSharing::kOn) {
    EXPECT_GT(statistics.hit_tokens, 100);
    EXPECT_GT(statistics.n_evicted, 100);
  }
  model.finish();
}

TEST(BlockManagerProperty, RandomOperationsKeepCountsAndContent) {
  run({.n_blocks = 24, .block_size = 4}, 1, 500'000);
}

TEST(BlockManagerProperty, EvenWhereAllHashesAreEqual) {
  run({.n_blocks = 17, .block_size = 3, .hash = [](auto, auto) { return std::uint64_t{0}; }}, 2, 300'000);
}

TEST(BlockManagerProperty, AndWithoutSharing) {
  run({.n_blocks = 20, .block_size = 5, .sharing = PrefixSharing::kOff}, 3, 200'000);
}

}  // namespace
}  // namespace dachlast
