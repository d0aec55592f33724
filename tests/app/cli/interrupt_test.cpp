#include "app/cli/interrupt.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "app/cli/exit_code.h"

namespace dachlast::cli {
namespace {

const viewmodel::Words& words(viewmodel::Language language = viewmodel::Language::kEnglish) {
  return viewmodel::Words::of(language);
}

/// Waits until the watch has seen a signal, ten seconds at most.
bool stops(const InterruptWatch& watch) {
  for (int i = 0; i < 1000 && !watch.interrupted(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  return watch.interrupted();
}

TEST(InterruptWatch, AsksTheWorkToStopOnTheFirstSignal) {
  testing::internal::CaptureStderr();
  {
    const InterruptWatch watch(words(viewmodel::Language::kGerman));
    EXPECT_FALSE(watch.token().stop_requested());
    kill(getpid(), SIGINT);
    EXPECT_TRUE(stops(watch));
  }
  EXPECT_NE(testing::internal::GetCapturedStderr().find("Ende nach dem laufenden Punkt"), std::string::npos);
}

TEST(InterruptWatch, CountsSigtermAsTheFirst) {
  testing::internal::CaptureStderr();
  {
    const InterruptWatch watch(words());
    kill(getpid(), SIGTERM);
    EXPECT_TRUE(stops(watch));
  }
  EXPECT_NE(testing::internal::GetCapturedStderr().find("finished points are kept"), std::string::npos);
}

TEST(InterruptWatchDeathTest, EndsTheProcessOnTheSecondSignal) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        const InterruptWatch watch(words());
        kill(getpid(), SIGINT);
        if (!stops(watch)) _exit(kExitFailure);
        kill(getpid(), SIGINT);
        std::this_thread::sleep_for(std::chrono::seconds(10));
        _exit(kExitFailure);  // it should not have come to this
      },
      testing::ExitedWithCode(kExitInterrupted), "Press Ctrl\\+C again to stop now");
}

}  // namespace
}  // namespace dachlast::cli
