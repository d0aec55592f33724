#include "ui/widgets/page.h"

#include <QHash>
#include <QLabel>
#include <QPushButton>
#include <QScrollArea>
#include <QStackedLayout>
#include <QVBoxLayout>

namespace dachlast::ui {
namespace {

constexpr int kMargin = 16;
constexpr double kAnswerScale = 1.35;  // of the system's font

/// A label that lays out its text once a width: layouts ask for the height of every sentence several times a frame.
class SentenceLabel : public QLabel {
 public:
  using QLabel::QLabel;

  int heightForWidth(int width) const override {
    if (text() != known_text_ || font() != known_font_) heights_.clear();
    known_text_ = text();
    known_font_ = font();
    auto found = heights_.find(width);
    if (found == heights_.end()) found = heights_.insert(width, QLabel::heightForWidth(width));
    return *found;
  }

 private:
  mutable QHash<int, int> heights_;
  mutable QString known_text_;
  mutable QFont known_font_;
};

}  // namespace

QLabel* sentence_label(QWidget* parent) {
  auto* label = new SentenceLabel(parent);
  label->setTextFormat(Qt::PlainText);  // names come from files and stay text
  label->setWordWrap(true);
  label->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
  return label;
}

QWidget* scrolled(QWidget* evidence, int least_height, const QString& name) {
  evidence->setMinimumHeight(least_height);
  auto* area = new QScrollArea;
  area->setWidget(evidence);
  area->setWidgetResizable(true);
  area->setFrameShape(QFrame::NoFrame);
  area->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  area->setAccessibleName(name);
  return area;
}

Page::Page(const QString& empty_text, const QString& empty_button, QWidget* parent)
    : QWidget(parent),
      stack_(new QStackedLayout(this)),
      empty_(new QWidget),
      empty_text_(new QLabel),
      empty_sentence_(empty_text),
      empty_button_(new QPushButton(empty_button)),
      content_(new QWidget),
      answer_(sentence_label()),
      body_(new QVBoxLayout) {
  empty_text_->setTextFormat(Qt::PlainText);
  empty_text_->setWordWrap(true);
  empty_text_->setAlignment(Qt::AlignCenter);
  auto* empty_layout = new QVBoxLayout(empty_);
  empty_layout->addStretch();
  empty_layout->addWidget(empty_text_);
  empty_layout->addWidget(empty_button_, 0, Qt::AlignHCenter);
  empty_layout->addStretch();
  connect(empty_button_, &QPushButton::clicked, this, &Page::emptyButtonClicked);

  QFont large = answer_->font();
  large.setPointSizeF(large.pointSizeF() * kAnswerScale);
  answer_->setFont(large);
  auto* layout = new QVBoxLayout(content_);
  layout->setContentsMargins(kMargin, kMargin, kMargin, kMargin);
  layout->setSpacing(kMargin / 2);
  layout->addWidget(answer_);
  layout->addLayout(body_, 1);

  stack_->addWidget(empty_);
  stack_->addWidget(content_);
  showEmpty();
}

void Page::setAnswer(const QString& sentence) {
  answer_->setText(sentence);
  answer_->setAccessibleName(sentence);
}

QString Page::answer() const {
  return answer_->text();
}

void Page::showError(const QString& text) {
  empty_text_->setText(text);
  empty_button_->hide();
  stack_->setCurrentWidget(empty_);
}

void Page::showContent() {
  stack_->setCurrentWidget(content_);
}

void Page::showEmpty() {
  empty_text_->setText(empty_sentence_);
  empty_button_->setVisible(!empty_button_->text().isEmpty());
  stack_->setCurrentWidget(empty_);
}

bool Page::hasContent() const {
  return stack_->currentWidget() == content_;
}

}  // namespace dachlast::ui
