#pragma once

#include <stop_token>
#include <thread>

#include "core/viewmodel/language.h"

namespace dachlast::cli {

/// Ctrl+C once asks the work to stop after the point in flight; twice ends the process at once, exit code 130. SIGTERM
/// counts as the first. Threads: construct before any other thread starts, so that all of them inherit the blocked
/// signals; a thread of its own waits for them.
class InterruptWatch {
 public:
  /// What it says when asked to stop is in the language of `words`.
  explicit InterruptWatch(const viewmodel::Words& words);
  ~InterruptWatch();
  InterruptWatch(const InterruptWatch&) = delete;
  InterruptWatch& operator=(const InterruptWatch&) = delete;

  std::stop_token token() const { return source_.get_token(); }
  bool interrupted() const { return source_.stop_requested(); }

 private:
  std::stop_source source_;
  std::jthread watcher_;
};

}  // namespace dachlast::cli
