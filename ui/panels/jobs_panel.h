#pragma once

#include <QElapsedTimer>
#include <QWidget>

class QLabel;
class QProgressBar;
class QPushButton;
class QTimer;

namespace dachlast::ui {

/// The job in the background: what, n of m, elapsed, time left, cancel. One at a time, because two measurements would disturb each
/// other.
class JobsPanel : public QWidget {
  Q_OBJECT

 public:
  explicit JobsPanel(QWidget* parent = nullptr);

  void showProgress(const QString& what, int index, int count);
  void showEnd(const QString& text);
  bool busy() const { return busy_; }

 Q_SIGNALS:
  void cancelRequested();

 protected:
  void keyPressEvent(QKeyEvent* event) override;

 private:
  void showTimes();

  QLabel* what_;
  QLabel* times_;
  QProgressBar* bar_;
  QPushButton* cancel_;
  QTimer* tick_;
  QElapsedTimer elapsed_;
  int index_ = 0;
  int count_ = 0;
  bool busy_ = false;
};

/// "2:05", "1:02:05".
QString clock_text(qint64 seconds);

}  // namespace dachlast::ui
