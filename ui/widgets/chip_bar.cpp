#include "ui/widgets/chip_bar.h"

#include <QHBoxLayout>
#include <QPushButton>

namespace dachlast::ui {

ChipBar::ChipBar(QWidget* parent) : QWidget(parent), row_(new QHBoxLayout(this)) {
  row_->setContentsMargins(16, 8, 16, 0);
  row_->addStretch();
  setAccessibleName(tr("Filters"));
  hide();
}

void ChipBar::setChips(const QList<Chip>& chips) {
  while (row_->count() > 1) {
    QLayoutItem* item = row_->takeAt(0);
    item->widget()->deleteLater();  // it may be the chip whose click brought us here
    item->widget()->hide();
    delete item;
  }
  for (qsizetype i = 0; i < chips.size(); ++i) {
    auto* chip = new QPushButton(chips[i].text + QStringLiteral("  ✕"));
    chip->setAccessibleName(tr("Remove filter %1").arg(chips[i].text));
    chip->setToolTip(tr("Remove this filter"));
    chip->setProperty("chip", chips[i].text);
    connect(chip, &QPushButton::clicked, this, [this, id = chips[i].id] { Q_EMIT removed(id); });
    row_->insertWidget(static_cast<int>(i), chip);
  }
  setVisible(!chips.isEmpty());
}

QStringList ChipBar::texts() const {
  QStringList texts;
  for (int i = 0; i + 1 < row_->count(); ++i) texts << row_->itemAt(i)->widget()->property("chip").toString();
  return texts;
}

}  // namespace dachlast::ui
