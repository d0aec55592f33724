#include "ui/paint/figure_painter.h"

#include <QImage>
#include <QPainter>
#include <QPainterPath>
#include <QPolygonF>
#include <QtMath>

namespace dachlast::ui {
namespace {

using namespace figure;  // NOLINT(google-build-using-namespace): a drawing speaks the figure's vocabulary

QPointF point_of(Point p) {
  return {p.x, p.y};
}

QRectF rect_of(const Box& box) {
  return {box.x, box.y, box.width, box.height};
}

QPolygonF polygon_of(const std::vector<Point>& points) {
  QPolygonF polygon;
  polygon.reserve(static_cast<int>(points.size()));
  for (const Point& p : points) polygon << point_of(p);
  return polygon;
}

/// Draws one primitive after the other, by the rules of the SVG renderer.
class Artist {
 public:
  Artist(QPainter& painter, Theme theme) : painter_(painter), theme_(theme), font_(painter.font()) {}

  void operator()(const Line& line) {
    painter_.setPen(pen_of(line.stroke));
    painter_.drawLine(point_of(line.from), point_of(line.to));
  }

  void operator()(const Polyline& line) {
    painter_.setPen(pen_of(line.stroke));
    painter_.setBrush(Qt::NoBrush);
    painter_.drawPolyline(polygon_of(line.points));
  }

  void operator()(const Area& area) {
    QPainterPath path;
    path.addPolygon(polygon_of(area.outline));
    fill(path, area.role, area.opacity, area.hatch);
  }

  void operator()(const Rect& rect) {
    if (rect.hatch == Hatch::kNone) return fill_plain(rect);
    QPainterPath path;
    path.addRect(rect_of(rect.box));
    fill(path, rect.role, rect.opacity, rect.hatch);
  }

  void operator()(const Marker& marker) {
    const bool filled = marker.fill == MarkerFill::kFilled;
    const QColor ink = colour(marker.role, theme_);
    const QColor surface = colour(Role::kSurface, theme_);
    painter_.setPen(QPen(filled ? surface : ink, filled ? 1.25 : 1.75));
    painter_.setBrush(filled ? ink : surface);
    const QPointF at = point_of(marker.at);
    if (marker.shape == MarkerShape::kCircle) {
      painter_.drawEllipse(at, marker.size / 2, marker.size / 2);
      return;
    }
    // Squares and circles of one size have equal area: side = diameter · sqrt(π) / 2.
    const double side = marker.size * 0.8862;
    painter_.drawRect(QRectF(at.x() - side / 2, at.y() - side / 2, side, side));
  }

  void operator()(const Text& text) {
    font_.setPixelSize(qMax(1, qRound(text.size)));
    font_.setWeight(text.weight == figure::Weight::kBold ? QFont::DemiBold : QFont::Normal);
    const QString words = to_qt(text.text);
    const double width = QFontMetricsF(font_).horizontalAdvance(words);
    const double shift = text.anchor == Anchor::kStart ? 0.0 : text.anchor == Anchor::kMiddle ? width / 2 : width;
    painter_.save();
    painter_.translate(point_of(text.at));
    painter_.rotate(text.rotation_deg);
    painter_.setFont(font_);
    if (text.halo == Halo::kSurface) draw_halo(words, shift);
    painter_.setPen(colour(text.role, theme_));
    painter_.drawText(QPointF(-shift, 0), words);
    painter_.restore();
  }

  void operator()(const HitBox&) {}

 private:
  QPen pen_of(const Stroke& stroke) const {
    QPen pen(colour(stroke.role, theme_), stroke.width, Qt::SolidLine, Qt::FlatCap, Qt::RoundJoin);
    // Qt counts dashes in widths of the pen.
    if (stroke.dash == Dash::kDashed) pen.setDashPattern({6 / stroke.width, 4 / stroke.width});
    if (stroke.dash == Dash::kDotted) pen.setDashPattern({1.5 / stroke.width, 3.5 / stroke.width});
    return pen;
  }

  // Timelines and maps are thousands of these: no path is made for them.
  void fill_plain(const Rect& rect) {
    QColor ink = colour(rect.role, theme_);
    ink.setAlphaF(static_cast<float>(rect.opacity));
    painter_.fillRect(rect_of(rect.box), ink);
  }

  void fill(const QPainterPath& path, Role role, double opacity, Hatch hatch) {
    QColor ink = colour(role, theme_);
    ink.setAlphaF(static_cast<float>(opacity));
    painter_.fillPath(path, ink);
    if (hatch == Hatch::kNone) return;
    ink.setAlphaF(hatch == Hatch::kDots ? 0.45F : 0.35F);
    painter_.save();
    painter_.setClipPath(path, Qt::IntersectClip);
    hatch == Hatch::kDots ? draw_dots(path.boundingRect(), ink) : draw_lines(path.boundingRect(), ink, hatch);
    painter_.restore();
  }

  void draw_lines(const QRectF& box, const QColor& ink, Hatch hatch) {
    constexpr double kPitch = 7.0 * M_SQRT2;  // 7 across the lines, which lie at 45°
    painter_.setPen(QPen(ink, 1.0));
    const double height = box.height();
    for (double x = box.left() - height; x < box.right(); x += kPitch) {
      const double from = hatch == Hatch::kForward ? x + height : x;
      const double to = hatch == Hatch::kForward ? x : x + height;
      painter_.drawLine(QPointF(from, box.top()), QPointF(to, box.bottom()));
    }
  }

  void draw_dots(const QRectF& box, const QColor& ink) {
    constexpr double kPitch = 9.0;
    painter_.setPen(Qt::NoPen);
    painter_.setBrush(ink);
    for (double y = box.top() + kPitch / 2; y < box.bottom(); y += kPitch)
      for (double x = box.left() + kPitch / 2; x < box.right(); x += kPitch)
        painter_.drawEllipse(QPointF(x, y), 0.7, 0.7);
  }

  void draw_halo(const QString& words, double shift) {
    QPainterPath path;
    path.addText(QPointF(-shift, 0), font_, words);
    painter_.setBrush(Qt::NoBrush);
    painter_.setPen(QPen(colour(Role::kSurface, theme_), 4.0, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
    painter_.drawPath(path);
  }

  QPainter& painter_;
  Theme theme_;
  QFont font_;
};

}  // namespace

QString to_qt(std::string_view utf8) {
  return QString::fromUtf8(utf8.data(), static_cast<qsizetype>(utf8.size()));
}

void paint(QPainter& painter, const Figure& figure, Theme theme) {
  painter.setRenderHint(QPainter::Antialiasing);
  Artist artist(painter, theme);
  for (const auto& primitive : figure.primitives) std::visit(artist, primitive);
}

QImage image_of(const Figure& figure, Theme theme, double scale) {
  QImage image(qCeil(figure.size.width * scale), qCeil(figure.size.height * scale),
               QImage::Format_ARGB32_Premultiplied);
  image.fill(colour(Role::kSurface, theme));
  QPainter painter(&image);
  painter.scale(scale, scale);
  paint(painter, figure, theme);
  return image;
}

}  // namespace dachlast::ui
