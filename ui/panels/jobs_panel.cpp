#include "ui/panels/jobs_panel.h"

#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QProgressBar>
#include <QPushButton>
#include <QTimer>
#include <QVBoxLayout>

#include "ui/widgets/page.h"

namespace dachlast::ui {
namespace {

constexpr int kTickMs = 1000;

}  // namespace

QString clock_text(qint64 seconds) {
  const qint64 hours = seconds / 3600;
  const QString rest = QStringLiteral("%1:%2")
                           .arg(seconds / 60 % 60, hours > 0 ? 2 : 1, 10, QLatin1Char('0'))
                           .arg(seconds % 60, 2, 10, QLatin1Char('0'));
  return hours > 0 ? QStringLiteral("%1:%2").arg(hours).arg(rest) : rest;
}

JobsPanel::JobsPanel(QWidget* parent)
    : QWidget(parent),
      what_(sentence_label()),
      times_(sentence_label()),
      bar_(new QProgressBar),
      cancel_(new QPushButton(tr("Cancel"))),
      tick_(new QTimer(this)) {
  auto* row = new QHBoxLayout;
  row->addWidget(bar_, 1);
  row->addWidget(cancel_);
  auto* layout = new QVBoxLayout(this);
  layout->addWidget(what_);
  layout->addLayout(row);
  layout->addWidget(times_);
  layout->addStretch();
  bar_->setAccessibleName(tr("Progress"));
  tick_->setInterval(kTickMs);
  connect(tick_, &QTimer::timeout, this, &JobsPanel::showTimes);
  connect(cancel_, &QPushButton::clicked, this, &JobsPanel::cancelRequested);
  showEnd(tr("No job is running."));
}

void JobsPanel::showProgress(const QString& what, int index, int count) {
  if (!busy_) elapsed_.start();
  busy_ = true;
  index_ = index;
  count_ = count;
  what_->setText(what);
  bar_->setRange(0, count);
  bar_->setValue(index);
  bar_->show();
  cancel_->show();
  tick_->start();
  showTimes();
}

void JobsPanel::showEnd(const QString& text) {
  busy_ = false;
  tick_->stop();
  what_->setText(text);
  times_->clear();
  bar_->hide();
  cancel_->hide();
}

void JobsPanel::showTimes() {
  const qint64 seconds = elapsed_.elapsed() / 1000;
  if (index_ == 0) return times_->setText(tr("%1 elapsed").arg(clock_text(seconds)));
  const qint64 left = seconds * (count_ - index_) / index_;  // as if the rest went on at the same pace
  times_->setText(
      tr("%1 of %2 · %3 elapsed · about %4 left").arg(index_).arg(count_).arg(clock_text(seconds), clock_text(left)));
}

void JobsPanel::keyPressEvent(QKeyEvent* event) {
  if (event->key() == Qt::Key_Escape && busy_) {
    Q_EMIT cancelRequested();
    return;
  }
  QWidget::keyPressEvent(event);
}

}  // namespace dachlast::ui
