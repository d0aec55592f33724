#include "app/gui/notice_bar.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>

#include "ui/widgets/page.h"

namespace dachlast::gui {

NoticeBar::NoticeBar(QWidget* parent) : QFrame(parent), label_(ui::sentence_label()), row_(new QHBoxLayout(this)) {
  setFrameShape(QFrame::StyledPanel);
  setAccessibleName(tr("Notice"));
  row_->addWidget(label_, 1);
  hide();
}

void NoticeBar::say(const QString& text, const QList<Choice>& choices) {
  while (row_->count() > 1) {
    QLayoutItem* item = row_->takeAt(1);
    item->widget()->deleteLater();  // it may be the button whose click brought us here
    item->widget()->hide();
    delete item;
  }
  label_->setText(text);
  for (const Choice& choice : choices) {
    auto* button = new QPushButton(choice.title);
    connect(button, &QPushButton::clicked, this, [this, act = choice.act] {
      hide();
      act();
    });
    row_->addWidget(button);
  }
  show();
}

QString NoticeBar::text() const {
  return label_->text();
}

}  // namespace dachlast::gui
