#include "tests/app/gui/stall_watch.h"

#include <time.h>

#include <QCoreApplication>
#include <QElapsedTimer>
#include <QThread>

namespace dachlast::gui {
namespace {

constexpr int kMostWaitMs = 15'000;  // of wall time, on a busy machine
constexpr int kQuietMs = 40;         // nothing queued for so long: it is over

double thread_ms() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return 1e3 * static_cast<double>(now.tv_sec) + 1e-6 * static_cast<double>(now.tv_nsec);
}

}  // namespace

void StallWatch::timed(const QString& what, const std::function<void()>& work) {
  const double before = thread_ms();
  work();
  const double spent = thread_ms() - before;
  if (spent > longest_ms_) {
    longest_ms_ = spent;
    longest_ = what;
  }
  if (spent > kMostMs) stalls_ << QStringLiteral("%1: %2 ms").arg(what).arg(spent, 0, 'f', 0);
}

void StallWatch::act(const QString& what, const std::function<void()>& action, const std::function<bool()>& done) {
  timed(what, action);
  QElapsedTimer wall;
  wall.start();
  QElapsedTimer quiet;
  quiet.start();
  while (wall.elapsed() < kMostWaitMs) {
    const double before = thread_ms();
    timed(what + QStringLiteral(" (queued)"), [] { QCoreApplication::processEvents(QEventLoop::AllEvents); });
    if (thread_ms() - before > 0.5) quiet.restart();
    if (done ? done() : quiet.elapsed() > kQuietMs) return;
    QThread::msleep(2);
  }
}

}  // namespace dachlast::gui
