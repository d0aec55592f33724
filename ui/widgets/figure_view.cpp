#include "ui/widgets/figure_view.h"

#include <QApplication>
#include <QClipboard>
#include <QContextMenuEvent>
#include <QHelpEvent>
#include <QImage>
#include <QKeyEvent>
#include <QMenu>
#include <QPainter>
#include <QTimer>
#include <QToolTip>

#include "ui/paint/figure_painter.h"

namespace dachlast::ui {
namespace {

constexpr int kTooltipDelayMs = 150;  // UX.md §2
constexpr double kCopyScale = 2.0;    // sharp on a dense screen

QRect rect_of(const figure::Box& box) {
  return QRectF(box.x, box.y, box.width, box.height).toAlignedRect();
}

}  // namespace

FigureView::FigureView(QWidget* parent) : QWidget(parent), tooltip_(new QTimer(this)) {
  setMouseTracking(true);
  setFocusPolicy(Qt::StrongFocus);
  setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Expanding);
  tooltip_->setSingleShot(true);
  tooltip_->setInterval(kTooltipDelayMs);
  connect(tooltip_, &QTimer::timeout, this, &FigureView::showTooltip);
}

void FigureView::setSource(Source source) {
  source_ = std::move(source);
  figure_.reset();
  hits_.clear();
  hovered_ = nullptr;
  if (source_) {
    setAccessibleName(to_qt(figure().title));
    setAccessibleDescription(to_qt(figure().description));
  }
  update();
}

const figure::Figure& FigureView::figure() const {
  if (figure_) return *figure_;
  figure_ = source_ ? source_({static_cast<double>(width()), static_cast<double>(height())}) : figure::Figure{};
  hits_.clear();
  for (const auto& primitive : figure_->primitives)
    if (const auto* hit = std::get_if<figure::HitBox>(&primitive)) hits_.push_back(hit);
  return *figure_;
}

void FigureView::setSelected(const QString& datum) {
  if (selected_ == datum) return;
  selected_ = datum;
  update();
}

void FigureView::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  const Theme theme = theme_of(palette());
  painter.fillRect(rect(), colour(figure::Role::kSurface, theme));
  paint(painter, figure(), theme);
  if (const auto* hit = hitOf(selected_)) {
    painter.setBrush(Qt::NoBrush);
    painter.setPen(QPen(colour(figure::Role::kText, theme), hasFocus() ? 2.0 : 1.0));
    painter.drawRoundedRect(rect_of(hit->box).adjusted(-2, -2, 2, 2), 4, 4);
  } else if (hasFocus()) {
    painter.setBrush(Qt::NoBrush);
    painter.setPen(QPen(palette().color(QPalette::Highlight), 2.0));
    painter.drawRect(rect().adjusted(1, 1, -1, -1));
  }
}

void FigureView::resizeEvent(QResizeEvent*) {
  figure_.reset();
  hovered_ = nullptr;
}

const figure::HitBox* FigureView::hitAt(QPointF position) const {
  figure();
  // What was drawn last lies on top.
  for (auto hit = hits_.rbegin(); hit != hits_.rend(); ++hit)
    if ((*hit)->box.contains({position.x(), position.y()})) return *hit;
  return nullptr;
}

const figure::HitBox* FigureView::hitOf(const QString& datum) const {
  if (datum.isEmpty()) return nullptr;
  figure();
  for (const auto* hit : hits_)
    if (to_qt(hit->datum) == datum) return hit;
  return nullptr;
}

void FigureView::mouseMoveEvent(QMouseEvent* event) {
  const auto* hit = hitAt(event->position());
  if (hit == hovered_) return;
  hovered_ = hit;
  QToolTip::hideText();
  hovered_ != nullptr ? tooltip_->start() : tooltip_->stop();
}

void FigureView::leaveEvent(QEvent*) {
  hovered_ = nullptr;
  tooltip_->stop();
}

void FigureView::showTooltip() {
  if (hovered_ == nullptr) return;
  const QRect box = rect_of(hovered_->box);
  QToolTip::showText(mapToGlobal(box.bottomLeft()), to_qt(hovered_->tooltip), this, box);
}

void FigureView::mousePressEvent(QMouseEvent* event) {
  if (event->button() == Qt::LeftButton) choose(hitAt(event->position()));
}

void FigureView::choose(const figure::HitBox* hit) {
  const QString datum = hit != nullptr ? to_qt(hit->datum) : QString();
  if (datum == selected_) return;
  setSelected(datum);
  Q_EMIT datumSelected(datum);
}

void FigureView::step(int by) {
  figure();
  if (hits_.empty()) return;
  const auto current = std::find(hits_.begin(), hits_.end(), hitOf(selected_));
  const auto count = static_cast<int>(hits_.size());
  const int at = current == hits_.end() ? (by > 0 ? -1 : count) : static_cast<int>(current - hits_.begin());
  choose(hits_[static_cast<std::size_t>((at + by + count) % count)]);
  hovered_ = hitOf(selected_);
  tooltip_->start();
}

void FigureView::keyPressEvent(QKeyEvent* event) {
  switch (event->key()) {
    case Qt::Key_Right:
    case Qt::Key_Down: return step(1);
    case Qt::Key_Left:
    case Qt::Key_Up: return step(-1);
    case Qt::Key_Escape:
      if (!selected_.isEmpty()) return choose(nullptr);
      break;
    default: break;
  }
  QWidget::keyPressEvent(event);
}

void FigureView::focusInEvent(QFocusEvent* event) {
  QWidget::focusInEvent(event);
  update();
}

bool FigureView::event(QEvent* event) {
  if (event->type() == QEvent::PaletteChange) update();
  // Hovering is answered by showTooltip, after the delay all charts share.
  if (event->type() == QEvent::ToolTip) return true;
  return QWidget::event(event);
}

void FigureView::copyImage() {
  QApplication::clipboard()->setImage(image_of(figure(), theme_of(palette()), kCopyScale));
}

void FigureView::contextMenuEvent(QContextMenuEvent* event) {
  if (!source_) return;
  QMenu menu;
  menu.addAction(tr("Copy image"), this, &FigureView::copyImage);
  menu.addAction(tr("Save as PNG…"), this, [this] { Q_EMIT saveRequested(figure(), QStringLiteral("png")); });
  menu.addAction(tr("Save as SVG…"), this, [this] { Q_EMIT saveRequested(figure(), QStringLiteral("svg")); });
  menu.exec(event->globalPos());
}

}  // namespace dachlast::ui
