#include "ui/widgets/figure_view.h"

#include <QApplication>
#include <QClipboard>
#include <QImage>
#include <QKeyEvent>
#include <QPainter>
#include <QTimer>
#include <QToolTip>
#include <algorithm>
#include <cmath>

#include "core/viewmodel/selection.h"
#include "ui/paint/figure_painter.h"
#include "ui/words.h"

namespace dachlast::ui {
namespace {

constexpr int kTooltipDelayMs = 150;   // UX.md §2
constexpr double kLeastDrag = 5.0;     // a shaky click is no brush
constexpr double kZoomPerNotch = 0.8;  // of the window shown
constexpr double kNotch = 120.0;       // QWheelEvent's unit
constexpr double kBrushOpacity = 0.14;
constexpr double kPanShare = 0.1;  // of the frame, a key press

QRect rect_of(const figure::Box& box) {
  return QRectF(box.x, box.y, box.width, box.height).toAlignedRect();
}

QRectF exact_rect_of(const figure::Box& box) {
  return {box.x, box.y, box.width, box.height};
}

/// The part of an axis that takes its place when it shrinks by `factor` around a position.
figure::Interval zoomed(const figure::Scale& scale, double lo_at, double hi_at, double centre, double factor) {
  const double a = scale.value(centre + (lo_at - centre) * factor);
  const double b = scale.value(centre + (hi_at - centre) * factor);
  return {std::min(a, b), std::max(a, b)};
}

}  // namespace

FigureView::FigureView(QWidget* parent) : QWidget(parent), tooltip_(new QTimer(this)) {
  setMouseTracking(true);
  setFocusPolicy(Qt::StrongFocus);
  setAccessibleName(tr("Chart"));  // until it shows one, which has a title
  setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Expanding);
  tooltip_->setSingleShot(true);
  tooltip_->setInterval(kTooltipDelayMs);
  connect(tooltip_, &QTimer::timeout, this, &FigureView::showTooltip);
}

void FigureView::setSource(Source source) {
  source_ = std::move(source);
  figure_.reset();
  picture_ = {};
  hits_.clear();
  hovered_ = nullptr;
  if (source_) {
    setAccessibleName(to_qt(figure().title));
    setAccessibleDescription(to_qt(figure().description));
  }
  update();
}

void FigureView::setGestures(Brush brush, Zoom zoom) {
  brush_ = brush;
  zoom_ = zoom;
}

const figure::Figure& FigureView::figure() const {
  if (figure_) return *figure_;
  figure_ =
      source_ ? source_({static_cast<double>(width()), static_cast<double>(height()), wording()}) : figure::Figure{};
  say_labels(*figure_);
  hits_.clear();
  for (const auto& primitive : figure_->primitives)
    if (const auto* hit = std::get_if<figure::HitBox>(&primitive)) hits_.push_back(hit);
  return *figure_;
}

void FigureView::setSelected(const QString& datum) {
  if (selected_ == datum) return;
  selected_ = datum;
  also_.clear();
  update();
}

QStringList FigureView::selection() const {
  return selected_.isEmpty() ? QStringList() : QStringList(selected_) + also_;
}

void FigureView::setBrushed(const std::optional<Window>& brush) {
  brushed_ = brush;
  update();
}

void FigureView::resizeEvent(QResizeEvent*) {
  figure_.reset();
  picture_ = {};
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
  const std::string wanted = datum.toStdString();
  for (const auto* hit : hits_)
    if (hit->datum == wanted) return hit;
  return nullptr;
}

std::string FigureView::factsOf(const figure::HitBox& hit) const {
  return hit.tooltip.empty() && facts_ ? facts_(hit.datum) : hit.tooltip;
}

// -------- drawing

void FigureView::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.drawPixmap(0, 0, picture());
  painter.setRenderHint(QPainter::Antialiasing);
  drawMarks(painter);
}

const QPixmap& FigureView::picture() {
  const Theme theme = theme_of(palette());
  const double scale = devicePixelRatioF();
  const bool dark = theme == Theme::kDark;
  if (!picture_.isNull() && picture_dark_ == dark && picture_.devicePixelRatio() == scale) return picture_;
  picture_ = QPixmap((QSizeF(size()) * scale).toSize().expandedTo({1, 1}));
  picture_.setDevicePixelRatio(scale);
  picture_dark_ = dark;
  picture_.fill(colour(figure::Role::kSurface, theme));
  QPainter painter(&picture_);
  painter.setFont(font());
  paint(painter, figure(), theme);
  return picture_;
}

void FigureView::drawMarks(QPainter& painter) {
  const Theme theme = theme_of(palette());
  painter.setBrush(Qt::NoBrush);
  const auto tint = [&](const QRectF& box) {
    QColor ink = palette().color(QPalette::Highlight);
    painter.setPen(QPen(ink, 1.0));
    ink.setAlphaF(static_cast<float>(kBrushOpacity));
    painter.fillRect(box, ink);
    painter.drawRect(box);
  };
  if (drag_ == Drag::kBrush)
    tint(boxOf(windowOf(QRectF(drag_from_, drag_at_).normalized())));
  else if (brushed_)
    tint(boxOf(*brushed_));
  painter.setBrush(Qt::NoBrush);
  for (const QString& datum : selection())
    if (const auto* hit = hitOf(datum)) {
      painter.setPen(QPen(colour(figure::Role::kText, theme), hasFocus() ? 1.75 : 1.0));
      painter.drawRoundedRect(rect_of(hit->box).adjusted(-2, -2, 2, 2), 4, 4);
    }
  if (hasFocus()) {
    painter.setPen(QPen(palette().color(QPalette::Highlight), 1.0));
    painter.drawRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5));
  }
}

QRectF FigureView::boxOf(const Window& window) const {
  const auto& plane = figure().plane;
  if (!plane) return {};
  const QRectF frame = exact_rect_of(plane->frame);
  const double left = plane->x.position(window.x.lo);
  const double right = plane->x.position(window.x.hi);
  if (brush_ == Brush::kRange) return QRectF(left, frame.top(), right - left, frame.height()) & frame;
  const double top = plane->y.position(window.y.hi);
  return QRectF(left, top, right - left, plane->y.position(window.y.lo) - top) & frame;
}

FigureView::Window FigureView::windowOf(const QRectF& box) const {
  const auto& plane = *figure().plane;
  const figure::Box& frame = plane.frame;
  // Side by side, not as an intersection: a drag along one line has no area.
  const auto x_at = [&](double x) { return plane.x.value(std::clamp(x, frame.x, frame.right())); };
  const auto y_at = [&](double y) { return plane.y.value(std::clamp(y, frame.y, frame.bottom())); };
  const figure::Interval x{x_at(box.left()), x_at(box.right())};
  if (brush_ == Brush::kRange) return {x, plane.y.domain()};
  return {x, {y_at(box.bottom()), y_at(box.top())}};
}

// -------- pointer

void FigureView::mousePressEvent(QMouseEvent* event) {
  const bool on_plane = figure().plane && exact_rect_of(figure().plane->frame).contains(event->position());
  const bool pans = event->button() == Qt::MiddleButton || (event->button() == Qt::LeftButton && space_held_);
  drag_from_ = drag_at_ = event->position();
  if (pans && on_plane && zoom_ != Zoom::kNone) {
    drag_ = Drag::kPan;
    setCursor(Qt::ClosedHandCursor);
    return;
  }
  if (event->button() != Qt::LeftButton) return;
  if (event->modifiers().testFlag(Qt::ControlModifier)) return addToSelection(hitAt(event->position()));
  if (on_plane && brush_ != Brush::kNone) {
    drag_ = Drag::kBrush;
    return;  // a click is told on release: only then it is known not to be a drag
  }
  choose(hitAt(event->position()));
}

void FigureView::mouseMoveEvent(QMouseEvent* event) {
  if (drag_ == Drag::kPan) {
    const QPointF distance = event->position() - drag_at_;
    drag_at_ = event->position();
    return panBy(distance);
  }
  if (drag_ == Drag::kBrush) {
    drag_at_ = event->position();
    return update();
  }
  const auto* hit = hitAt(event->position());
  if (hit == hovered_) return;
  hovered_ = hit;
  QToolTip::hideText();
  hovered_ != nullptr ? tooltip_->start() : tooltip_->stop();
}

void FigureView::mouseReleaseEvent(QMouseEvent* event) {
  const Drag drag = drag_;
  drag_ = Drag::kNone;
  if (drag == Drag::kPan) unsetCursor();
  if (drag == Drag::kBrush) endBrush(event->position());
}

void FigureView::endBrush(QPointF position) {
  const QPointF distance = position - drag_from_;
  const double length = brush_ == Brush::kRange ? std::abs(distance.x()) : distance.manhattanLength();
  if (length < kLeastDrag) {
    update();
    return choose(hitAt(position));
  }
  const Window window = windowOf(QRectF(drag_from_, position).normalized());
  if (!(window.x.lo < window.x.hi) || !(window.y.lo < window.y.hi)) return update();
  setBrushed(window);
  Q_EMIT windowBrushed(window);
}

void FigureView::mouseDoubleClickEvent(QMouseEvent*) {
  if (zoom_ == Zoom::kNone) return;
  zoomed_ = false;
  Q_EMIT resetRequested();
}

void FigureView::wheelEvent(QWheelEvent* event) {
  if (zoom_ == Zoom::kNone || !figure().plane) return event->ignore();
  const QPoint turned = event->angleDelta();
  if (turned.x() != 0 && std::abs(turned.x()) > std::abs(turned.y()))
    return panBy({static_cast<double>(turned.x()), 0.0});
  zoomAt(event->position(), std::pow(kZoomPerNotch, turned.y() / kNotch));
  event->accept();
}

void FigureView::zoomAt(QPointF position, double factor) {
  if (!figure().plane) return;
  const auto& plane = *figure().plane;
  const figure::Box& frame = plane.frame;
  Window window{plane.x.domain(), plane.y.domain()};
  window.x = zoomed(plane.x, frame.x, frame.right(), std::clamp(position.x(), frame.x, frame.right()), factor);
  if (zoom_ == Zoom::kBoth)
    window.y = zoomed(plane.y, frame.bottom(), frame.y, std::clamp(position.y(), frame.y, frame.bottom()), factor);
  zoomed_ = true;
  Q_EMIT windowRequested(window);
}

void FigureView::panBy(QPointF distance) {
  if (!figure().plane || zoom_ == Zoom::kNone) return;
  const auto& plane = *figure().plane;
  const figure::Box& frame = plane.frame;
  Window window{{plane.x.value(frame.x - distance.x()), plane.x.value(frame.right() - distance.x())}, plane.y.domain()};
  if (zoom_ == Zoom::kBoth)
    window.y = {plane.y.value(frame.bottom() - distance.y()), plane.y.value(frame.y - distance.y())};
  zoomed_ = true;
  Q_EMIT windowRequested(window);
}

void FigureView::leaveEvent(QEvent*) {
  hovered_ = nullptr;
  tooltip_->stop();
}

void FigureView::showTooltip() {
  if (hovered_ == nullptr) return;
  const QRect box = rect_of(hovered_->box);
  QToolTip::showText(mapToGlobal(box.bottomLeft()), said_lines(factsOf(*hovered_)), this, box);
}

// -------- keyboard

void FigureView::choose(const figure::HitBox* hit) {
  const QString datum = hit != nullptr ? to_qt(hit->datum) : QString();
  if (datum == selected_ && also_.isEmpty()) return;
  setSelected({});
  setSelected(datum);
  Q_EMIT datumSelected(datum);
}

/// A second click on a datum takes it out again.
void FigureView::addToSelection(const figure::HitBox* hit) {
  if (hit == nullptr) return;
  const QString datum = to_qt(hit->datum);
  if (selected_.isEmpty()) return choose(hit);
  if (datum == selected_) {
    selected_ = also_.isEmpty() ? QString() : also_.takeFirst();
    if (selected_.isEmpty()) Q_EMIT datumSelected({});
  } else if (!also_.removeOne(datum)) {
    also_ << datum;
  }
  update();
  tellSelection();
}

void FigureView::tellSelection() {
  std::vector<figure::Amount> amounts;
  const QStringList chosen = selection();
  for (const QString& datum : chosen)
    if (const auto* hit = hitOf(datum); hit != nullptr && hit->amount) amounts.push_back(*hit->amount);
  // A datum without an amount would silently be missing from the sum.
  if (static_cast<qsizetype>(amounts.size()) != chosen.size()) amounts.clear();
  Q_EMIT manySelected(static_cast<int>(chosen.size()),
                      viewmodel::selection_statistics(amounts).value_or(viewmodel::Table{}));
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

/// Clears what Escape takes first: brush, selection, zoom.
bool FigureView::clearOne() {
  if (brushed_) {
    setBrushed(std::nullopt);
    Q_EMIT brushCleared();
    return true;
  }
  if (!selected_.isEmpty()) {
    choose(nullptr);
    return true;
  }
  if (!zoomed_) return false;
  zoomed_ = false;
  Q_EMIT resetRequested();
  return true;
}

void FigureView::keyPressEvent(QKeyEvent* event) {
  const double width = figure().plane ? figure().plane->frame.width : 0.0;
  const bool pans = event->modifiers().testFlag(Qt::ShiftModifier) && zoom_ != Zoom::kNone;
  switch (event->key()) {
    case Qt::Key_Right:
    case Qt::Key_Down: return pans ? panBy({-kPanShare * width, 0.0}) : step(1);
    case Qt::Key_Left:
    case Qt::Key_Up: return pans ? panBy({kPanShare * width, 0.0}) : step(-1);
    case Qt::Key_Plus: return zoomAt(rect().center(), kZoomPerNotch);
    case Qt::Key_Minus: return zoomAt(rect().center(), 1.0 / kZoomPerNotch);
    case Qt::Key_Return:
    case Qt::Key_Enter:
      if (event->modifiers().testFlag(Qt::ControlModifier)) return addToSelection(hovered_);
      if (!selected_.isEmpty()) Q_EMIT inspectRequested(selected_);
      return;
    case Qt::Key_Space:
      if (!event->isAutoRepeat()) space_held_ = true;
      return;
    case Qt::Key_Escape:
      if (clearOne()) return;
      break;
    default: break;
  }
  if (event->matches(QKeySequence::Copy)) return copyImage();
  QWidget::keyPressEvent(event);
}

void FigureView::keyReleaseEvent(QKeyEvent* event) {
  if (event->key() == Qt::Key_Space && !event->isAutoRepeat()) space_held_ = false;
  QWidget::keyReleaseEvent(event);
}

void FigureView::focusInEvent(QFocusEvent* event) {
  QWidget::focusInEvent(event);
  update();
}

void FigureView::focusOutEvent(QFocusEvent* event) {
  QWidget::focusOutEvent(event);
  space_held_ = false;
  update();
}

bool FigureView::event(QEvent* event) {
  if (event->type() == QEvent::PaletteChange) update();
  // Hovering is answered by showTooltip, after the delay all charts share.
  if (event->type() == QEvent::ToolTip) return true;
  return QWidget::event(event);
}

}  // namespace dachlast::ui
