#pragma once

#include <QString>
#include <QStringList>
#include <functional>

namespace dachlast::gui {

/// Watches how long the window's thread works at a stretch, by the clock of its own processor time: neither a busy machine nor a
/// debugger's pause counts, only work that keeps a person waiting.
class StallWatch {
 public:
  /// UX.md §2: a window that does not answer for longer is frozen. Sanitizers slow everything down several times.
#ifdef __SANITIZE_ADDRESS__
  static constexpr double kMostMs = 600.0;
#else
  static constexpr double kMostMs = 100.0;
#endif

  /// Does something on the window's thread, and everything it queues there until nothing comes any more, `done` says so, or the time
  /// is over.
  void act(const QString& what, const std::function<void()>& action, const std::function<bool()>& done = {});

  /// What took longer than `kMostMs`: "open: 250 ms".
  const QStringList& stalls() const {
    return stalls_;
  }
  /// The longest stretch of all, and what it was.
  double longest_ms() const {
    return longest_ms_;
  }
  const QString& longest() const {
    return longest_;
  }

 private:
  void timed(const QString& what, const std::function<void()>& work);

  QStringList stalls_;
  double longest_ms_ = 0.0;
  QString longest_;
};

}  // namespace dachlast::gui
