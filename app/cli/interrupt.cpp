#include "app/cli/interrupt.h"

#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <string>

#include "app/cli/exit_code.h"

namespace dachlast::cli {
namespace {

sigset_t watched_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  return signals;
}

void watch(const std::stop_token& end, const std::stop_source& work, const std::string& notice) {
  const sigset_t signals = watched_signals();
  for (int signal = 0; sigwait(&signals, &signal) == 0 && !end.stop_requested();) {
    if (work.stop_requested()) _exit(kExitInterrupted);
    std::fputs(notice.c_str(), stderr);
    work.request_stop();
  }
}

}  // namespace

InterruptWatch::InterruptWatch(const viewmodel::Words& words) {
  const std::string notice =
      "\n" + words("Stopping after the point in flight; finished points are kept. Press Ctrl+C again to stop now.") +
      "\n";
  const sigset_t signals = watched_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  watcher_ = std::jthread([work = source_, notice](const std::stop_token& end) { watch(end, work, notice); });
}

InterruptWatch::~InterruptWatch() {
  watcher_.request_stop();
  pthread_kill(watcher_.native_handle(), SIGINT);  // wakes it from sigwait
  watcher_.join();
  const sigset_t signals = watched_signals();
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

}  // namespace dachlast::cli
