#pragma once

#include <QWidget>

class QLabel;
class QPushButton;
class QStackedLayout;
class QVBoxLayout;

namespace dachlast::ui {

/// One page of the window: a sentence that decides something, evidence below it; or, where there is nothing to show, one sentence
/// and one button.
class Page : public QWidget {
  Q_OBJECT

 public:
  Page(const QString& empty_text, const QString& empty_button, QWidget* parent = nullptr);

  void setAnswer(const QString& sentence);
  QString answer() const;
  /// What went wrong, in place of the evidence, until something is shown again.
  void showError(const QString& text);
  void showContent();
  void showEmpty();
  bool hasContent() const;

  // Pages are as high as the window: asking every hidden one how high its sentences would be takes longer than drawing its charts.
  bool hasHeightForWidth() const override { return false; }
  int heightForWidth(int) const override { return -1; }

 Q_SIGNALS:
  /// The button of the empty state.
  void emptyButtonClicked();

 protected:
  /// Where a view puts its evidence.
  QVBoxLayout* body() { return body_; }

 private:
  QStackedLayout* stack_;
  QWidget* empty_;
  QLabel* empty_text_;
  QString empty_sentence_;
  QPushButton* empty_button_;
  QWidget* content_;
  QLabel* answer_;
  QVBoxLayout* body_;
};

/// Evidence that scrolls where the page is lower than it can be read at.
QWidget* scrolled(QWidget* evidence, int least_height, const QString& name);

/// A label whose text can be selected and wraps: sentences, remarks.
QLabel* sentence_label(QWidget* parent = nullptr);

}  // namespace dachlast::ui
