#pragma once

#include <QFrame>
#include <functional>

class QHBoxLayout;
class QLabel;

namespace dachlast::gui {

/// A sentence above the pages with what the reader can do about it; gone once something was chosen. Nothing waits for it.
class NoticeBar : public QFrame {
  Q_OBJECT

 public:
  struct Choice {
    QString title;
    std::function<void()> act;
  };

  explicit NoticeBar(QWidget* parent = nullptr);

  /// Takes the place of what it said before.
  void say(const QString& text, const QList<Choice>& choices);
  QString text() const;

 private:
  QLabel* label_;
  QHBoxLayout* row_;
};

}  // namespace dachlast::gui
